/* SPDX-License-Identifier: MIT */
/* Mapping other domains' grants at pages above our own RAM (GNTTABOP_map_grant_ref). */
#include "guestdrv/rt/internal.h"

#include <xen/grant_table.h>

#define WINDOW_PAGES 512

static uint8_t in_use[WINDOW_PAGES];

/* The 2 MiB after RAM, rounded up: nothing is there, and the first 4 GiB are identity-mapped. */
static uint64_t window(void)
{
    return ROUND_UP(rt_ram_end, 0x200000UL);
}

void *rt_grant_map(uint16_t domid, uint32_t ref, uint32_t *handle, int *status)
{
    struct gnttab_map_grant_ref arg = {.flags = GNTMAP_host_map, .ref = ref, .dom = domid};
    unsigned i = 0;

    while (i < WINDOW_PAGES && in_use[i])
        i++;
    *status = GNTST_no_device_space;
    if (i == WINDOW_PAGES)
        return NULL;
    arg.host_addr = window() + i * 4096UL;
    if (HYPERCALL3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &arg, 1))
        arg.status = GNTST_general_error;
    *status = arg.status;
    if (arg.status != GNTST_okay)
        return NULL;
    in_use[i] = 1;
    *handle = arg.handle;
    return (void *)arg.host_addr;
}

void rt_grant_unmap(void *page, uint32_t handle)
{
    struct gnttab_unmap_grant_ref arg = {.host_addr = (uint64_t)page, .handle = handle};
    long rc = HYPERCALL3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &arg, 1);

    if (rc || arg.status != GNTST_okay)
        rt_panic("unmap of grant handle %u: error %ld, status %d", handle, rc, arg.status);
    in_use[((uint64_t)page - window()) / 4096] = 0;
}

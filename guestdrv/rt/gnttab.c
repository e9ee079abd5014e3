/* SPDX-License-Identifier: MIT */
/* Grants: others' pages mapped above our own RAM, and ours for them. */
#include "guestdrv/rt/internal.h"

#include <xen/grant_table.h>
#include <xen/memory.h>

#define WINDOW_PAGES 512
#define OWN_ENTRIES  (4096 / sizeof(grant_entry_v1_t))

static uint8_t in_use[WINDOW_PAGES];
static grant_entry_v1_t *own; /* the first page of our table, behind the window */

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

static void show_own(void)
{
    struct xen_add_to_physmap arg = {.domid = DOMID_SELF,
                                     .space = XENMAPSPACE_grant_table,
                                     .gpfn = (window() >> 12) + WINDOW_PAGES};
    long rc = HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &arg);

    if (rc)
        rt_panic("grant table: error %ld", rc);
    own = (grant_entry_v1_t *)(arg.gpfn << 12);
}

uint32_t rt_grant(uint16_t domid, void *page)
{
    uint32_t ref = GNTTAB_NR_RESERVED_ENTRIES;

    if (!own)
        show_own();
    while (ref < OWN_ENTRIES && own[ref].flags)
        ref++;
    if (ref == OWN_ENTRIES)
        return 0;
    own[ref].domid = domid;
    own[ref].frame = (uint32_t)((uint64_t)page >> 12);
    __atomic_store_n(&own[ref].flags, GTF_permit_access, __ATOMIC_RELEASE);
    return ref;
}

bool rt_grant_end(uint32_t ref)
{
    uint16_t idle = GTF_permit_access;

    return __atomic_compare_exchange_n(&own[ref].flags, &idle, 0, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

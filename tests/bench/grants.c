/* SPDX-License-Identifier: MIT */
/* Grants: one page mapped and unmapped again, and copied from. */
#include "tests/bench/bench.h"

#include <xen/grant_table.h>
#include <xen/memory.h>
#include "hyp/lib/string.h"
#include "tests/bench/measure.h"

#define OP(cmd, arg) HYPERCALL3(__HYPERVISOR_grant_table_op, cmd, arg, 1)
#define REF          40
#define PATTERN      0x5a

/* Xen's dom0 has to ask how much memory there is; pages of the image are there in any case. */
static uint8_t given[4096] __aligned(4096), target[4096] __aligned(4096);
static uint8_t window[4096] __aligned(4096);
static grant_entry_v1_t table[512] __aligned(4096);
static uint16_t granter;

/* The grant table comes in place of its page; the window's is given back. */
void grants_init(void)
{
    struct xen_add_to_physmap map = {.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table};
    struct xen_memory_reservation out = {.nr_extents = 1, .domid = DOMID_SELF};
    xen_pfn_t gfn = (uint64_t)window >> 12;

    map.gpfn = (uint64_t)table >> 12;
    set_xen_guest_handle(out.extent_start, &gfn);
    if (HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map) ||
        HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &out) != 1)
        rt_panic("no grant table");
}

void grants_give(uint16_t id)
{
    memset(given, PATTERN, sizeof(given));
    table[REF].frame = (uint32_t)((uint64_t)given >> 12);
    table[REF].domid = id;
    __atomic_store_n(&table[REF].flags, GTF_permit_access, __ATOMIC_SEQ_CST);
}

static uint32_t map(void)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = (uint64_t)window, .flags = GNTMAP_host_map, .ref = REF, .dom = granter};

    if (OP(GNTTABOP_map_grant_ref, &op) || op.status != GNTST_okay)
        measure_failed(op.status);
    return op.handle;
}

static void unmap(uint32_t handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = (uint64_t)window, .handle = handle};

    if (OP(GNTTABOP_unmap_grant_ref, &op) || op.status != GNTST_okay)
        measure_failed(op.status);
}

static void map_unmap(void)
{
    unmap(map());
}

static void copy(uint16_t n)
{
    struct gnttab_copy op = {
        .source = {.u.ref = REF, .domid = granter},
        .dest = {.u.gmfn = (uint64_t)target >> 12, .domid = DOMID_SELF},
        .len = n,
        .flags = GNTCOPY_source_gref,
    };

    if (OP(GNTTABOP_copy, &op) || op.status != GNTST_okay)
        measure_failed(op.status);
}

static void copy_64(void)
{
    copy(64);
}

static void copy_page(void)
{
    copy(4096);
}

void grants_copy(uint16_t id, const char *name_64, const char *name_page)
{
    granter = id;
    memset(target, 0, sizeof(target));
    copy(64);
    if (target[63] != PATTERN || target[64])
        rt_panic("the copy is not one of 64 bytes");
    measure(name_64, copy_64);
    measure(name_page, copy_page);
    if (target[4095] != PATTERN)
        rt_panic("the copy is not one of a page");
}

void grants_map(uint16_t id, const char *name)
{
    uint32_t handle;

    granter = id;
    handle = map();
    if (window[0] != PATTERN || window[4095] != PATTERN)
        rt_panic("the mapped page is not the granted one");
    unmap(handle);
    measure(name, map_unmap);
}

void grants_dismiss(uint16_t id)
{
    uint32_t handle;

    granter = id;
    handle = map();
    WRITE_ONCE(window[0], 0);
    unmap(handle);
}

bool grants_dismissed(void)
{
    return READ_ONCE(given[0]) != PATTERN;
}

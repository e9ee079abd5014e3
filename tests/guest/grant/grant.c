/* SPDX-License-Identifier: MIT */
/* GNTTABOP_*: a domain grants pages to itself, maps, copies, and asks for what is refused. */
#include "tests/guest/probe.h"

#include <xen/grant_table.h>
#include <xen/memory.h>
#include "hyp/lib/string.h"

#define OP(cmd, arg, n) HYPERCALL3(__HYPERVISOR_grant_table_op, cmd, arg, n)
#define WINDOW          0xf1000000UL /* guest-physical: nothing there */
#define REF             40
#define SELF            DOMID_SELF

static grant_entry_v1_t *table;
static uint16_t domid;

static void setup(void)
{
    struct gnttab_query_size size = {.dom = SELF};
    struct gnttab_get_version version = {.dom = SELF};
    struct xen_add_to_physmap map = {
        .domid = SELF, .space = XENMAPSPACE_grant_table, .idx = 0, .gpfn = (WINDOW >> 12) - 1};

    domid = rt_domid();
    TRUE(domid);
    EQUAL(OP(GNTTABOP_query_size, &size, 1), 0);
    EQUAL(size.status, GNTST_okay);
    TRUE(size.nr_frames >= 1 && size.nr_frames <= size.max_nr_frames);
    EQUAL(OP(GNTTABOP_get_version, &version, 1), 0);
    EQUAL(version.version, 1);
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), 0);
    map.idx = 100000;
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), -XEN_EINVAL);
    table = (grant_entry_v1_t *)(WINDOW - 4096);
}

static long map(uint64_t at, uint32_t ref, uint32_t flags, uint16_t dom, uint32_t *handle)
{
    struct gnttab_map_grant_ref op = {.host_addr = at, .flags = flags, .ref = ref, .dom = dom};

    EQUAL(OP(GNTTABOP_map_grant_ref, &op, 1), 0);
    *handle = op.handle;
    return op.status;
}

static long unmap(uint64_t at, uint32_t handle)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = at, .handle = handle};

    EQUAL(OP(GNTTABOP_unmap_grant_ref, &op, 1), 0);
    return op.status;
}

/* A hypercall's argument in a mapped page is found, and no longer when the page has gone. */
static void argument(uint64_t at)
{
    domid_t *arg = (domid_t *)at;
    uint32_t handle;

    EQUAL(map(at, REF, GNTMAP_host_map, domid, &handle), GNTST_okay);
    *arg = SELF;
    for (int i = 0; i < 2; i++)
        TRUE(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_current_reservation, arg) > 0);
    EQUAL(unmap(at, handle), GNTST_okay);
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_current_reservation, arg), -XEN_EFAULT);
}

static void mapping(uint64_t *page)
{
    uint64_t *window = (uint64_t *)WINDOW;
    uint32_t handle, none;

    table[REF].frame = (uint32_t)((uint64_t)page >> 12);
    table[REF].domid = domid;
    __atomic_store_n(&table[REF].flags, GTF_permit_access, __ATOMIC_SEQ_CST);
    page[7] = 0x1234567890;
    EQUAL(map(WINDOW, REF, GNTMAP_host_map, domid, &handle), GNTST_okay);
    EQUAL(window[7], 0x1234567890);
    window[8] = 99;
    EQUAL(page[8], 99);
    EQUAL(table[REF].flags & (GTF_reading | GTF_writing), GTF_reading | GTF_writing);
    EQUAL(unmap(WINDOW, handle), GNTST_okay);
    EQUAL(table[REF].flags & (GTF_reading | GTF_writing), 0);
    EQUAL(unmap(WINDOW, handle), GNTST_bad_handle);
    argument(WINDOW);
    argument(WINDOW + 4096);

    EQUAL(map(WINDOW, 400000, GNTMAP_host_map, domid, &none), GNTST_bad_gntref);
    EQUAL(map(WINDOW, REF, GNTMAP_host_map, 31999, &none), GNTST_bad_domain);
    EQUAL(map(WINDOW, REF + 1, GNTMAP_host_map, domid, &none), GNTST_general_error);
    TRUE(map(WINDOW, REF, 0, domid, &none) < 0);
    __atomic_store_n(&table[REF].flags, GTF_permit_access | GTF_readonly, __ATOMIC_SEQ_CST);
    TRUE(map(WINDOW, REF, GNTMAP_host_map, domid, &none) < 0);
    EQUAL(map(WINDOW, REF, GNTMAP_host_map | GNTMAP_readonly, domid, &handle), GNTST_okay);
    EQUAL(unmap(WINDOW, handle), GNTST_okay);
}

static void copying(uint8_t *a, uint8_t *b)
{
    struct gnttab_copy op = {
        .source = {.u.ref = REF, .domid = domid, .offset = 16},
        .dest = {.u.gmfn = (uint64_t)b >> 12, .domid = SELF, .offset = 32},
        .len = 100,
        .flags = GNTCOPY_source_gref,
    };

    memset(a, 0x5a, 4096);
    EQUAL(OP(GNTTABOP_copy, &op, 1), 0);
    EQUAL(op.status, GNTST_okay);
    EQUAL(b[31], 0);
    EQUAL(b[32], 0x5a);
    EQUAL(b[131], 0x5a);
    EQUAL(b[132], 0);
    op.len = 4096;
    EQUAL(OP(GNTTABOP_copy, &op, 1), 0);
    EQUAL(op.status, GNTST_bad_copy_arg);
    op.len = 10;
    op.source.u.ref = REF + 1;
    EQUAL(OP(GNTTABOP_copy, &op, 1), 0);
    TRUE(op.status < 0);
}

void probe_main(void)
{
    uint8_t *a = rt_page_alloc(), *b = rt_page_alloc();
    struct gnttab_set_version version = {.version = 2};

    setup();
    mapping((uint64_t *)(void *)a);
    copying(a, b);
    EQUAL(OP(GNTTABOP_set_version, &version, 1), -XEN_ENOSYS);
    EQUAL(OP(99, &version, 1), -XEN_ENOSYS);
    EQUAL(OP(GNTTABOP_map_grant_ref, BAD_POINTER, 1), -XEN_EFAULT);
}

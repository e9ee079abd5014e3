/* SPDX-License-Identifier: MIT */
/*
 * Pointers of hypercalls: to nowhere, not canonical, over the end of what is mapped, to read-only
 * pages; and page tables that change between two calls, which nothing may remember.
 */
#include "tests/guest/hostile.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "guestdrv/rt/internal.h"
#include "hyp/lib/string.h"

#define WINDOW      0x8000000000UL /* two pages, the second one never there */
#define PTE_PRESENT 1UL
#define PTE_WRITE   2UL
#define PTE_NX      (1UL << 63)
#define TEXT        0x100000UL

static uint64_t pdpt[512] __aligned(4096), pd[512] __aligned(4096), pt[512] __aligned(4096);
static uint8_t first[4096] __aligned(4096), second[4096] __aligned(4096);

/* Calls whose argument is one pointer: argument number, and the others. */
static const struct call {
    uint8_t nr, pointer;
    bool in; /* reads it, so that read-only is fine */
    uint16_t a, b, c;
} calls[] = {
    {__HYPERVISOR_console_io, 2, true, CONSOLEIO_write, 200, 0},
    {__HYPERVISOR_xen_version, 1, false, XENVER_extraversion, 0, 0},
    {__HYPERVISOR_xen_version, 1, false, XENVER_compile_info, 0, 0},
    {__HYPERVISOR_xen_version, 1, false, XENVER_capabilities, 0, 0},
    {__HYPERVISOR_xen_version, 1, false, XENVER_changeset, 0, 0},
    {__HYPERVISOR_xen_version, 1, false, XENVER_commandline, 0, 0},
    {__HYPERVISOR_xen_version, 1, false, XENVER_guest_handle, 0, 0},
    {__HYPERVISOR_xen_version, 1, false, XENVER_platform_parameters, 0, 0},
    {__HYPERVISOR_event_channel_op, 1, true, EVTCHNOP_send, 0, 0},
    {__HYPERVISOR_event_channel_op, 1, true, EVTCHNOP_close, 0, 0},
    {__HYPERVISOR_event_channel_op, 1, true, EVTCHNOP_alloc_unbound, 0, 0},
    {__HYPERVISOR_event_channel_op, 1, true, EVTCHNOP_init_control, 0, 0},
    {__HYPERVISOR_event_channel_op, 1, true, EVTCHNOP_status, 0, 0},
    {__HYPERVISOR_sched_op, 1, true, SCHEDOP_poll, 0, 0},
    {__HYPERVISOR_sched_op, 1, true, SCHEDOP_shutdown, 0, 0},
    {__HYPERVISOR_vcpu_op, 2, false, VCPUOP_get_runstate_info, 0, 0},
    {__HYPERVISOR_vcpu_op, 2, true, VCPUOP_register_runstate_memory_area, 0, 0},
    {__HYPERVISOR_vcpu_op, 2, true, VCPUOP_register_vcpu_time_memory_area, 0, 0},
    {__HYPERVISOR_vcpu_op, 2, true, VCPUOP_register_vcpu_info, 0, 0},
    {__HYPERVISOR_vcpu_op, 2, true, VCPUOP_set_singleshot_timer, 0, 0},
    {__HYPERVISOR_hvm_op, 1, true, HVMOP_get_param, 0, 0},
    {__HYPERVISOR_hvm_op, 1, true, HVMOP_set_param, 0, 0},
    {__HYPERVISOR_hvm_op, 1, false, HVMOP_get_time, 0, 0},
    {__HYPERVISOR_hvm_op, 1, true, HVMOP_set_evtchn_upcall_vector, 0, 0},
    {__HYPERVISOR_memory_op, 1, true, XENMEM_memory_map, 0, 0},
    {__HYPERVISOR_memory_op, 1, true, XENMEM_add_to_physmap, 0, 0},
    {__HYPERVISOR_memory_op, 1, true, XENMEM_add_to_physmap_batch, 0, 0},
    {__HYPERVISOR_memory_op, 1, true, XENMEM_remove_from_physmap, 0, 0},
    {__HYPERVISOR_memory_op, 1, true, XENMEM_current_reservation, 0, 0},
    {__HYPERVISOR_grant_table_op, 1, true, GNTTABOP_map_grant_ref, 0, 1},
    {__HYPERVISOR_grant_table_op, 1, true, GNTTABOP_unmap_grant_ref, 0, 1},
    {__HYPERVISOR_grant_table_op, 1, true, GNTTABOP_copy, 0, 1},
    {__HYPERVISOR_grant_table_op, 1, true, GNTTABOP_setup_table, 0, 1},
    {__HYPERVISOR_grant_table_op, 1, true, GNTTABOP_query_size, 0, 1},
    {__HYPERVISOR_grant_table_op, 1, true, GNTTABOP_swap_grant_ref, 0, 1},
    {__HYPERVISOR_multicall, 0, true, 0, 1, 0},
};

static long with_pointer(const struct call *c, uint64_t pointer)
{
    uint64_t args[3] = {c->a, c->b, c->c};

    args[c->pointer] = pointer;
    return HYPERCALL3(c->nr, args[0], args[1], args[2]);
}

static void refused(const struct call *c, uint64_t pointer)
{
    long rc = with_pointer(c, pointer);

    if (rc == -XEN_EFAULT)
        return;
    rt_print("hypercall %u, %u at %lx: %ld\n", c->nr, c->a, pointer, rc);
    TRUE(false);
}

static void nowhere(void)
{
    static const uint64_t bad[] = {
        0,
        0xff8,
        BAD_POINTER,
        0x7ffffffffffc,
        0x800000000000,
        ~0UL,
        ~0UL << 47,
        1UL << 63,
        0xffff7fffffffffff,
        0x4000000000,
        0xffffffff80000000,
        WINDOW + 8192 - 4,
        WINDOW + 4096 - 1,
        0xd0000000,
        1UL << 56 | TEXT,
    };

    pt[0] = (uint64_t)first | PTE_PRESENT | PTE_WRITE | PTE_NX;
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(bad); k++)
            refused(&calls[i], bad[k]);
        if (!calls[i].in)
            refused(&calls[i], TEXT); /* read-only */
    }
}

/* Pointers inside structures. */
static void nested(void)
{
    xen_memory_reservation_t m = {.nr_extents = 1, .domid = DOMID_SELF};
    struct xen_add_to_physmap_batch b = {.domid = DOMID_SELF, .space = XENMAPSPACE_gmfn, .size = 1};
    struct vcpu_register_runstate_memory_area area;
    gnttab_setup_table_t setup = {.dom = DOMID_SELF, .nr_frames = 1};
    struct xen_memory_map map = {.nr_entries = 8};
    sched_poll_t poll = {.nr_ports = 1, .timeout = 1};

    m.extent_start.p = (void *)(1UL << 63);
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &m), 0);
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &m), 0);
    b.idxs.p = (void *)0x800000000000;
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b), -XEN_EFAULT);
    area.addr.p = ~0UL;
    TRUE(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area) < 0);
    area.addr.p = WINDOW + 4090; /* the second half is not there */
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area),
          -XEN_EFAULT);
    area.addr.p = TEXT;
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area),
          -XEN_EFAULT);
    setup.frame_list.p = (void *)0x800000000000;
    EQUAL(HYPERCALL3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &setup, 1), -XEN_EFAULT);
    map.buffer.p = (void *)TEXT;
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_memory_map, &map), -XEN_EFAULT);
    poll.ports.p = (void *)0x800000000000;
    EQUAL(HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll), -XEN_EFAULT);
}

static long name_to(uint64_t pointer)
{
    return HYPERCALL2(__HYPERVISOR_xen_version, XENVER_extraversion, pointer);
}

/* No flush of the guest's is between: the tables count as they are at the call. */
static void changing(void)
{
    for (unsigned i = 0; i < 10; i++) {
        memset(first, 0, sizeof(first));
        memset(second, 0, sizeof(second));
        WRITE_ONCE(pt[0], (uint64_t)first | PTE_PRESENT | PTE_WRITE | PTE_NX);
        EQUAL(name_to(WINDOW), 0);
        EQUAL(first[0], '.');
        EQUAL(second[0], 0);
        WRITE_ONCE(pt[0], (uint64_t)second | PTE_PRESENT | PTE_WRITE | PTE_NX);
        EQUAL(name_to(WINDOW), 0);
        EQUAL(second[0], '.');
        WRITE_ONCE(pt[0], (uint64_t)second | PTE_PRESENT | PTE_NX);
        EQUAL(name_to(WINDOW), -XEN_EFAULT);
        WRITE_ONCE(pt[0], (uint64_t)second | PTE_WRITE);
        EQUAL(name_to(WINDOW), -XEN_EFAULT);
        WRITE_ONCE(pt[0], 1UL << 51 | PTE_PRESENT | PTE_WRITE); /* beyond all memory */
        EQUAL(name_to(WINDOW), -XEN_EFAULT);
    }
}

void probe_main(void)
{
    pd[0] = (uint64_t)pt | PTE_PRESENT | PTE_WRITE;
    pdpt[0] = (uint64_t)pd | PTE_PRESENT | PTE_WRITE;
    rt_pml4[1] = (uint64_t)pdpt | PTE_PRESENT | PTE_WRITE;
    nowhere();
    nested();
    changing();
}

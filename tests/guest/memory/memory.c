/* SPDX-License-Identifier: MIT */
/* XENMEM_*: give pages back, take others, leave holes, move the shared page. */
#include "tests/guest/probe.h"

#include <xen/memory.h>

#define OP(cmd, arg) HYPERCALL2(__HYPERVISOR_memory_op, cmd, arg)
#define HOLE         0xf2000000UL /* guest-physical: nothing there */

static domid_t self = DOMID_SELF;

static long reservation(unsigned cmd, xen_pfn_t *frames, unsigned n, unsigned order)
{
    struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, frames);
    return OP(cmd, &r);
}

static void balloon(void)
{
    volatile uint64_t *page = rt_page_alloc(), *moved = (volatile uint64_t *)HOLE;
    xen_pfn_t frame = (uint64_t)page >> 12, bad[2] = {HOLE >> 12, frame};
    long before = OP(XENMEM_current_reservation, &self);

    TRUE(before > 0);
    TRUE(OP(XENMEM_maximum_reservation, &self) >= before);
    TRUE(OP(XENMEM_maximum_ram_page, 0) > 0);
    page[3] = 77;
    EQUAL(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 1);
    EQUAL(OP(XENMEM_current_reservation, &self), before - 1);
    EQUAL(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 0); /* nothing there any more */
    EQUAL(reservation(XENMEM_populate_physmap, &frame, 1, 0), 1);
    EQUAL(OP(XENMEM_current_reservation, &self), before);
    EQUAL(page[3], 0); /* scrubbed */
    page[3] = 5;

    EQUAL(reservation(XENMEM_decrease_reservation, bad, 2, 0), 0); /* stops at the first */
    frame = (HOLE >> 12) + 1;
    EQUAL(reservation(XENMEM_populate_physmap, &frame, 1, 0), 1); /* for what rt_shared replaced */
    frame = HOLE >> 12;
    EQUAL(reservation(XENMEM_populate_physmap, &frame, 1, 0), 0); /* the domain is full */
    frame = (uint64_t)page >> 12;
    EQUAL(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 1);
    frame = HOLE >> 12;
    EQUAL(reservation(XENMEM_populate_physmap, &frame, 1, 0), 1);
    moved[0] = 1;
    EQUAL(moved[0], 1);
    EQUAL(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 1);
    frame = (uint64_t)page >> 12;
    EQUAL(reservation(XENMEM_populate_physmap, &frame, 1, 0), 1);
    EQUAL(OP(XENMEM_current_reservation, &self), before + 1);
}

/* What the hypervisor remembers of where an argument was goes with the page. */
static void argument(void)
{
    domid_t *arg = rt_page_alloc();
    xen_pfn_t frame = (uint64_t)arg >> 12;

    *arg = DOMID_SELF;
    for (int i = 0; i < 2; i++)
        TRUE(OP(XENMEM_current_reservation, arg) > 0);
    EQUAL(reservation(XENMEM_decrease_reservation, &frame, 1, 0), 1);
    EQUAL(OP(XENMEM_current_reservation, arg), -XEN_EFAULT);
    EQUAL(reservation(XENMEM_populate_physmap, &frame, 1, 0), 1);
    *arg = DOMID_SELF;
    TRUE(OP(XENMEM_current_reservation, arg) > 0);
}

static void shared_info(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = HOLE >> 12};
    struct xen_remove_from_physmap unmap = {.domid = DOMID_SELF, .gpfn = HOLE >> 12};
    volatile struct shared_info *s = (volatile struct shared_info *)HOLE;

    EQUAL(OP(XENMEM_add_to_physmap, &map), 0);
    s->evtchn_mask[60] = 0xabcdef;
    EQUAL(s->evtchn_mask[60], 0xabcdef);
    EQUAL(OP(XENMEM_remove_from_physmap, &unmap), 0);
    TRUE(OP(XENMEM_remove_from_physmap, &unmap) < 0);
    map.gpfn = (uint64_t)&rt_shared >> 12;
    EQUAL(OP(XENMEM_add_to_physmap, &map), 0);
    EQUAL(rt_shared.evtchn_mask[60], 0xabcdef);
    map.gpfn = 1UL << 40; /* beyond what a guest can address */
    TRUE(OP(XENMEM_add_to_physmap, &map) < 0);
    map.domid = 31999;
    EQUAL(OP(XENMEM_add_to_physmap, &map), -XEN_ESRCH);
    map.domid = DOMID_SELF;
    map.space = 77;
    TRUE(OP(XENMEM_add_to_physmap, &map) < 0);
}

static void map_of_memory(void)
{
    static struct {
        uint64_t addr, size;
        uint32_t type;
    } __packed e820[16];
    struct xen_memory_map m = {.nr_entries = 16};

    set_xen_guest_handle(m.buffer, (void *)e820);
    EQUAL(OP(XENMEM_memory_map, &m), 0);
    TRUE(m.nr_entries >= 3 && m.nr_entries < 16);
    EQUAL(e820[0].addr, 0);
    EQUAL(e820[0].type, 1);
    EQUAL(e820[0].size, rt_ram_end);
}

void probe_main(void)
{
    balloon();
    argument();
    argument(); /* in a page with another number */
    shared_info();
    map_of_memory();
    EQUAL(OP(60, 0), -XEN_ENOSYS);
    EQUAL(OP(XENMEM_decrease_reservation, BAD_POINTER), 0); /* no extent done, as in Xen */
    EQUAL(OP(XENMEM_current_reservation, BAD_POINTER), -XEN_EFAULT);
}

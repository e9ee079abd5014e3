/* SPDX-License-Identifier: MIT */
/*
 * Asks for the most that one hypercall can be asked for, of each kind, and ends with all of it in
 * use: a debug build then says whether the hypervisor kept the CPU too long.
 */
#include "tests/guest/probe.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define PORTS    24000
#define VCPUS    64
#define BATCH    256
#define GRANTS   8192
#define HOLE     0xd0000UL /* guest frames where nothing is */
#define EVTCHN   __HYPERVISOR_event_channel_op
#define MEMORY   __HYPERVISOR_memory_op
#define ORDER_2M 9
#define PAGES_2M (1UL << ORDER_2M)

static uint16_t self;
static uint8_t heap[160 * 4096] __attribute__((aligned(4096)));
static unsigned heap_used;

static uint64_t frame(void)
{
    return ((uint64_t)heap >> 12) + heap_used++;
}

/* Pairs of ports connected to each other, all pending, as far as it goes. */
static unsigned open_ports(unsigned most)
{
    unsigned n = 0;

    while (n < most) {
        evtchn_alloc_unbound_t unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
        evtchn_bind_interdomain_t inter = {.remote_dom = DOMID_SELF};
        evtchn_send_t send;

        if (HYPERCALL2(EVTCHN, EVTCHNOP_alloc_unbound, &unbound))
            break;
        inter.remote_port = unbound.port;
        if (HYPERCALL2(EVTCHN, EVTCHNOP_bind_interdomain, &inter))
            break;
        send.port = unbound.port;
        HYPERCALL2(EVTCHN, EVTCHNOP_send, &send);
        send.port = inter.local_port;
        HYPERCALL2(EVTCHN, EVTCHNOP_send, &send);
        n += 2;
    }
    return n;
}

static void events(void)
{
    static evtchn_port_t ports[128];
    sched_poll_t poll = {.nr_ports = 128, .timeout = 1};
    evtchn_reset_t reset = {.dom = DOMID_SELF};
    evtchn_expand_array_t expand;

    __asm__ volatile("cli");
    for (unsigned i = 0; i < 64; i++)
        rt_shared.evtchn_mask[i] = ~0UL;
    TRUE(open_ports(PORTS) > 4000);
    for (unsigned i = 0; i < 128; i++)
        ports[i] = 4095;
    set_xen_guest_handle(poll.ports, ports);
    EQUAL(HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll), 0);
    for (unsigned i = 0; i < VCPUS; i++) {
        evtchn_init_control_t control = {.control_gfn = frame(), .vcpu = i};

        EQUAL(HYPERCALL2(EVTCHN, EVTCHNOP_init_control, &control), 0);
    }
    for (unsigned i = 0; i < PORTS / 1024; i++) {
        expand.array_gfn = frame();
        EQUAL(HYPERCALL2(EVTCHN, EVTCHNOP_expand_array, &expand), 0);
        EQUAL(*(event_word_t *)((expand.array_gfn << 12) + 2400) >> EVTCHN_FIFO_PENDING, i < 4);
    }
    TRUE(open_ports(PORTS) > 10000);
    EQUAL(HYPERCALL2(EVTCHN, EVTCHNOP_reset, &reset), 0);
    TRUE(open_ports(PORTS) > 4000);
}

static long reservation(unsigned cmd, xen_pfn_t *frames, unsigned n, unsigned order)
{
    struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, frames);
    return HYPERCALL2(MEMORY, cmd, &r);
}

/* The last 2 MiB go away and come back, whole, in pieces and at places without tables. */
static void memory(void)
{
    static xen_pfn_t list[BATCH], top;

    top = (rt_ram_end >> 12) - PAGES_2M;
    for (unsigned order = ORDER_2M; order; order -= 3) {
        unsigned n = order > 1 ? 512U >> order : BATCH;

        for (unsigned i = 0; i < n; i++)
            list[i] = top + ((xen_pfn_t)i << order);
        EQUAL(reservation(XENMEM_decrease_reservation, list, n, order), n);
        EQUAL(reservation(XENMEM_populate_physmap, list, n, order), n);
        EQUAL(*(uint64_t *)((top + 300) << 12), 0);
        *(uint64_t *)((top + 300) << 12) = 1;
    }
}

/* Each page in another table, until the domain may have no more tables. */
static void tables(void)
{
    static xen_pfn_t list[BATCH];

    for (unsigned i = 0; i < BATCH; i++)
        list[i] = (rt_ram_end >> 12) - PAGES_2M + i;
    EQUAL(reservation(XENMEM_decrease_reservation, list, BATCH, 0), BATCH);
    for (unsigned i = 0; i < BATCH; i++)
        list[i] = 4 * HOLE + (xen_pfn_t)i * PAGES_2M;
    TRUE(reservation(XENMEM_populate_physmap, list, BATCH, 0) > 32);
}

static void move_pages(void)
{
    struct xen_add_to_physmap range = {.domid = DOMID_SELF,
                                       .size = 200,
                                       .space = XENMAPSPACE_gmfn_range,
                                       .idx = (rt_ram_end >> 12) - 200,
                                       .gpfn = HOLE + 1};

    EQUAL(HYPERCALL2(MEMORY, XENMEM_add_to_physmap, &range), 0);
}

static void grants(void)
{
    static grant_entry_v1_t *const table = (void *)((HOLE - 64) << 12);
    static struct gnttab_map_grant_ref map[BATCH];
    static struct gnttab_unmap_grant_ref unmap[BATCH];
    static struct gnttab_copy copy[BATCH];
    static xen_pfn_t list[64];
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 64};
    uint64_t page = frame();

    set_xen_guest_handle(setup.frame_list, list);
    EQUAL(HYPERCALL3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &setup, 1), 0);
    EQUAL(setup.status, 0);
    for (unsigned i = 0; i < 64; i++) {
        struct xen_add_to_physmap add = {.domid = DOMID_SELF,
                                         .space = XENMAPSPACE_grant_table,
                                         .idx = i,
                                         .gpfn = HOLE - 64 + i};

        EQUAL(HYPERCALL2(MEMORY, XENMEM_add_to_physmap, &add), 0);
    }
    for (unsigned n = 0; n < GRANTS; n += BATCH) {
        for (unsigned i = 0; i < BATCH; i++) {
            uint32_t ref = 8 + (n + i) * 3;

            table[ref] = (grant_entry_v1_t){GTF_permit_access, self, (uint32_t)page};
            map[i] = (struct gnttab_map_grant_ref){.host_addr = (HOLE + n + i) * 2 << 12,
                                                   .flags = GNTMAP_host_map,
                                                   .ref = ref,
                                                   .dom = self};
        }
        EQUAL(HYPERCALL3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, BATCH), 0);
        EQUAL(map[BATCH - 1].status, 0);
    }
    for (unsigned i = 0; i < BATCH; i++) {
        unmap[i] = (struct gnttab_unmap_grant_ref){map[i].host_addr, 0, map[i].handle, 0};
        copy[i] = (struct gnttab_copy){{{8}, self, 0}, {{8}, self, 0}, 4096, 3, 0};
    }
    EQUAL(HYPERCALL3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, unmap, BATCH), 0);
    EQUAL(unmap[BATCH - 1].status, 0);
    EQUAL(HYPERCALL3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, copy, BATCH), 0);
    EQUAL(copy[BATCH - 1].status, 0);
}

/* Calls that are long each, and many lines for the log. */
static void calls(void)
{
    static struct multicall_entry e[BATCH];
    static char lines[512];
    static xen_pfn_t list[64];
    struct xen_memory_reservation r = {.nr_extents = 64, .domid = DOMID_SELF};

    for (unsigned i = 0; i < 64; i++)
        list[i] = (rt_ram_end >> 12) - 800 + i;
    set_xen_guest_handle(r.extent_start, list);
    for (unsigned i = 0; i < 32; i++)
        e[i] = (struct multicall_entry){
            .op = MEMORY,
            .args = {i % 2 ? XENMEM_populate_physmap : XENMEM_decrease_reservation, (uint64_t)&r}};
    EQUAL(HYPERCALL2(__HYPERVISOR_multicall, e, 32), 0);
    EQUAL(e[31].result, 64);
    for (unsigned i = 0; i < sizeof(lines); i++)
        lines[i] = i % 2 ? '\n' : 'x';
    EQUAL(HYPERCALL3(__HYPERVISOR_console_io, CONSOLEIO_write, sizeof(lines), lines), 0);
    __asm__ volatile("wrmsr" : : "c"(0x830), "a"(0xc00f0), "d"(0)); /* to all others */
    __asm__ volatile("wrmsr" : : "c"(0x40000000), "a"(heap), "d"(0));
}

void probe_main(void)
{
    self = rt_domid();
    memory();
    calls();
    move_pages();
    grants();
    events();
    tables();
}

/* SPDX-License-Identifier: MIT */
/*
 * Floods what its command line names, as fast as it can, from when the reader says so until it says
 * that this is enough. Beside that it does nothing.
 */
#include "tests/guest/flood/flood.h"

#include <xen/sched.h>
#include "hyp/lib/string.h"
#include "tests/guest/flooding.h"

static struct flooding *page;

static const struct flood *find(const char *name)
{
    static const struct flood *const all[] = {floods_store, floods_console, floods_events};

    for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
        for (const struct flood *f = all[i]; f->name; f++)
            if (!strcmp(f->name, name))
                return f;
    rt_panic("no flood %s", name);
}

static void introduce(const char *name)
{
    struct vcpu_register_runstate_memory_area area;
    int port = rt_alloc_unbound(READER);

    page = rt_page_alloc();
    TRUE(port > 0);
    page->port = (uint32_t)port;
    memcpy(page->name, name, MIN(strlen(name), sizeof(page->name) - 1));
    area.addr.p = (uint64_t)&page->runstate;
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, &area), 0);
    TRUE(rt_grant(READER, page));
}

static void wait_for_go(void)
{
    evtchn_port_t ports[] = {page->port};
    sched_poll_t poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, ports);
    while (READ_ONCE(page->want) == FLOODING_WAIT) {
        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
        __atomic_store_n(&rt_shared.evtchn_pending[0], 0, __ATOMIC_SEQ_CST);
    }
}

void probe_main(void)
{
    const struct flood *f = find(rt_cmdline);
    struct rng r = {1};

    introduce(f->name);
    wait_for_go();
    flood_store_init();
    flood_console_init();
    flood_events_init();
    for (; READ_ONCE(page->want) == FLOODING_GO; page->rounds++)
        if (!f->round(&r))
            HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    rt_print("%lu rounds\n", page->rounds);
}

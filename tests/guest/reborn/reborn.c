/* SPDX-License-Identifier: MIT */
/*
 * The test makes it the store's domain, and the domain with the next number its guest
 * (tests/guest/holder). Each life takes that guest's store connection, counts in its page, grants
 * it a page, waits until it has mapped that, and crashes.
 */
#include "tests/guest/holder/holder.h"
#include "tests/guest/probe.h"

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define TABLE 0xf1000000UL

static void yield(void)
{
    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

/* The page of rings of a domain, which may not be built yet; *port is bound to its port 1. */
static uint32_t *connect(uint16_t other, int *port)
{
    uint32_t handle, *page;
    int status;

    while ((*port = rt_bind_interdomain(other, HOLDER_STORE_PORT)) < 0)
        yield();
    page = rt_grant_map(other, GNTTAB_RESERVED_XENSTORE, &handle, &status);
    if (!page)
        rt_panic("domain %u grants no store page: status %d", other, status);
    return page;
}

/* Who has gone and has a page that we have mapped waits for us. */
static bool is_there(uint32_t port)
{
    evtchn_status_t s = {.dom = DOMID_SELF, .port = port};

    EQUAL(HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s), 0);
    return s.status == EVTCHNSTAT_interdomain;
}

void probe_main(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = TABLE >> 12};
    grant_entry_v1_t *e = (grant_entry_v1_t *)TABLE + HOLDER_REF;
    uint16_t guest = (uint16_t)(rt_domid() + 1);
    uint64_t *page = rt_page_alloc();
    uint32_t *lives;
    int port;

    if (rt_bind_virq(VIRQ_DOM_EXC) < 0)
        rt_panic("no VIRQ_DOM_EXC");
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), 0);
    *page = rt_now();
    e->frame = (uint32_t)((uint64_t)page >> 12);
    e->domid = guest;
    lives = connect(guest, &port);
    ++*lives;
    __atomic_store_n(&e->flags, GTF_permit_access, __ATOMIC_RELEASE);
    rt_notify((uint32_t)port);
    while (!(__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & GTF_reading) &&
           is_there((uint32_t)port))
        yield();
    rt_shutdown(SHUTDOWN_crash);
}

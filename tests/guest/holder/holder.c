/* SPDX-License-Identifier: MIT */
/*
 * A guest of a store (tests/guest/reborn) that dies all the time. It maps the page that the store's
 * domain, of the number that comes first on its command line, has granted, keeps it while that is
 * dead, and so for as many lives (the second number) under that one number. Its own page and port
 * for the store stay what they are.
 */
#include "tests/guest/holder/holder.h"
#include "tests/guest/probe.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>

#define PAUSE 1000000UL /* ns */

static uint16_t store;
static volatile uint32_t *lives; /* of it, in our page */

static void sleep(uint64_t ns)
{
    struct sched_poll poll = {.timeout = rt_now() + ns};

    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

static uint64_t param(uint32_t index)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), 0);
    return p.value;
}

static void rings(void)
{
    EQUAL(param(HVM_PARAM_STORE_EVTCHN), HOLDER_STORE_PORT);
    lives = (uint32_t *)(param(HVM_PARAM_STORE_PFN) << 12);
    TRUE(lives);
    EQUAL(param(HVM_PARAM_CONSOLE_EVTCHN), 0); /* there is no control domain */
    EQUAL(param(HVM_PARAM_CONSOLE_PFN), 0);
    EQUAL(rt_bind_virq(VIRQ_DOM_EXC), -XEN_EPERM);
}

/* Our port for the store is in this state, for that domain. */
static bool is(uint32_t state)
{
    evtchn_status_t s = {.dom = DOMID_SELF, .port = HOLDER_STORE_PORT};

    EQUAL(HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s), 0);
    EQUAL(state == EVTCHNSTAT_unbound ? s.u.unbound.dom : s.u.interdomain.dom, store);
    return s.status == state;
}

static bool notified(void)
{
    xen_ulong_t bit = 1UL << HOLDER_STORE_PORT;

    return __atomic_fetch_and(&rt_shared.evtchn_pending[0], ~bit, __ATOMIC_SEQ_CST) & bit;
}

/* It is dead, and nobody took its number. */
static void wait_for_death(void)
{
    uint32_t handle;
    int status;
    void *page;

    while ((page = rt_grant_map(store, HOLDER_REF, &handle, &status))) {
        rt_grant_unmap(page, handle);
        sleep(PAUSE);
    }
    EQUAL(status, GNTST_bad_domain);
    TRUE(is(EVTCHNSTAT_unbound));
}

void probe_main(void)
{
    uint64_t last = 0, *page;
    uint32_t handle;
    int status;

    store = (uint16_t)probe_number(0);
    rings();
    for (uint64_t n = 1; n <= probe_number(1); n++) {
        while (!(page = rt_grant_map(store, HOLDER_REF, &handle, &status)))
            HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0); /* it is found while it is made */
        TRUE(*page > last);                                      /* not an earlier life's */
        last = *page;
        EQUAL(*lives, n);
        wait_for_death();
        TRUE(notified());
        sleep(10 * PAUSE);
        wait_for_death(); /* it waits for us */
        EQUAL(*page, last);
        rt_grant_unmap(page, handle);
    }
    sleep(10 * PAUSE); /* its next life has our ring when we go */
}

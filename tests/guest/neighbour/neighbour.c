/* SPDX-License-Identifier: MIT */
/*
 * Works beside hostile guests: "work=N" passes over its memory, or "until=D": until domain D is
 * gone. Each finds what the one before has written, and takes a look at the clock and at a timer:
 * they neither run backwards nor stand still. "share=N": of the time that it wanted to run it was
 * given N percent at least. Every other domain is offered a port to send it events, and they are
 * taken.
 */
#include "tests/guest/hostile.h"

#include <xen/event_channel.h>
#include <xen/vcpu.h>

#define PAGES   1024U
#define WORDS   512U
#define MS      1000000UL
#define DOMAINS 12U

static uint64_t *pages[PAGES];
static uint64_t last, at, wrong;
static uint32_t timer_port;

static uint64_t value(uint64_t pass, uint64_t page, uint64_t word)
{
    struct rng r = {pass << 40 | page << 16 | word};

    return rng_next(&r);
}

static void expired(void)
{
}

/* What the runtime has bound: its loop does not run here. */
static void find_timer(void)
{
    for (timer_port = 1; timer_port < 10; timer_port++) {
        evtchn_status_t s = {.dom = DOMID_SELF, .port = timer_port};

        HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s);
        if (s.status == EVTCHNSTAT_virq && s.u.virq == VIRQ_TIMER)
            return;
    }
    rt_panic("no timer");
}

static void look_at_clock(void)
{
    uint64_t now = rt_now();

    TRUE(now > last);
    last = now;
}

/* Takes the events that have come; true when the timer's was among them. */
static bool take_events(void)
{
    bool timer;

    __asm__ volatile("sti; nop; cli" : : : "memory");
    timer =
        __atomic_exchange_n(&rt_shared.evtchn_pending[0], 0, __ATOMIC_SEQ_CST) >> timer_port & 1;
    __atomic_store_n(&rt_shared.vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    if (timer)
        TRUE(rt_now() >= at);
    return timer;
}

static void pass(uint64_t n)
{
    bool timer = false;

    at = rt_now() + MS;
    rt_set_timer(at, expired);
    for (unsigned i = 0; i < PAGES; i++) {
        for (unsigned w = 0; w < WORDS; w++) {
            wrong += pages[i][w] != (n ? value(n - 1, i, w) : 0);
            pages[i][w] = value(n, i, w);
        }
        look_at_clock();
        timer |= take_events();
    }
    while (!timer)
        timer = take_events();
}

static void offer_ports(void)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        evtchn_alloc_unbound_t a = {.dom = DOMID_SELF, .remote_dom = (domid_t)i};

        EQUAL(HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &a), 0);
    }
}

static void check_share(uint64_t least)
{
    struct vcpu_runstate_info r;
    uint64_t ran, share;

    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, &r), 0);
    ran = r.time[RUNSTATE_running];
    share = ran * 100 / (ran + r.time[RUNSTATE_runnable]);
    rt_print("ran %lu ms, waited for a CPU %lu ms: %lu percent\n", ran / MS,
             r.time[RUNSTATE_runnable] / MS, share);
    TRUE(share >= least);
}

/* No port has number 0, so this binds nothing. */
static bool is_there(uint64_t domain)
{
    evtchn_bind_interdomain_t b = {.remote_dom = (domid_t)domain};

    return HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &b) != -XEN_ESRCH;
}

void probe_main(void)
{
    uint64_t work = hostile_option("work", 1), until = hostile_option("until", 0);

    find_timer();
    for (unsigned i = 0; i < PAGES; i++)
        pages[i] = rt_page_alloc();
    offer_ports();
    for (uint64_t n = 0; until ? is_there(until) : n < work; n++)
        pass(n);
    EQUAL(wrong, 0);
    check_share(hostile_option("share", 0));
}

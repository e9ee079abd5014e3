/* SPDX-License-Identifier: MIT */
/* Two domains: one measures, the other has granted a page and answers events. */
#include "tests/bench/bench.h"

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include "tests/bench/measure.h"

#define PORTS  16 /* the partner's is one of its first */
#define TRIES  1000
#define PERIOD 1000000 /* ns between two */

static uint32_t port;

static void wait(void)
{
    while (!bench_take(port))
        __asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void ping_pong(void)
{
    rt_notify(port);
    wait();
}

static void sleep(uint64_t ns)
{
    struct sched_poll poll = {.timeout = rt_now() + ns};

    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

/* A port that is not for us is refused as one that is not there: all are tried, until it is. */
static void connect(uint16_t partner)
{
    for (unsigned i = 0; i < TRIES; i++) {
        for (uint32_t remote = 1; remote < PORTS; remote++) {
            int rc = rt_bind_interdomain(partner, remote);

            if (rc > 0) {
                port = (uint32_t)rc;
                return;
            }
        }
        sleep(PERIOD);
    }
    rt_panic("domain %u is not there", partner);
}

void pair_measure(uint16_t partner)
{
    connect(partner);
    bench_settle(); /* refusals are logged */
    grants_map(partner, "grant-map");
    grants_copy(partner, "copy-64", "copy-4096");
    measure("ping-pong", ping_pong);
}

void pair_end(uint16_t partner)
{
    grants_dismiss(partner);
    rt_notify(port);
}

void pair_serve(uint16_t peer)
{
    evtchn_alloc_unbound_t unbound = {.dom = DOMID_SELF, .remote_dom = peer};

    grants_give(peer);
    if (HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &unbound))
        rt_panic("no event channel");
    port = unbound.port;
    while (wait(), !grants_dismissed())
        rt_notify(port);
}

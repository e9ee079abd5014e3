/* SPDX-License-Identifier: MIT */
/* Event channels: to all ports, and ports made and closed. */
#include "tests/guest/flood/flood.h"

#include <xen/event_channel.h>
#include <xen/hvm/params.h>

#define OP(cmd, arg) HYPERCALL2(__HYPERVISOR_event_channel_op, cmd, arg)
#define ROUND        100U
#define PORTS        64U

static uint32_t console_port, store_port;

static void forget_events(void)
{
    __atomic_store_n(&rt_shared.evtchn_pending[0], 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&rt_shared.vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
}

/* To whoever serves our console and our store, who find nothing there. */
static bool flood_kicks(struct rng *r)
{
    (void)r;
    for (unsigned i = 0; i < ROUND; i++) {
        rt_notify(console_port);
        rt_notify(store_port);
    }
    return true;
}

/* Every port that there is, and many that there are not. */
static bool flood_events(struct rng *r)
{
    (void)r;
    for (uint32_t i = 0; i < PORTS; i++)
        rt_notify(i);
    forget_events();
    return true;
}

/* Pairs of our own, unbound ones for anybody, and attempts at others' ports. */
static bool flood_ports(struct rng *r)
{
    for (unsigned i = 0; i < ROUND; i++) {
        evtchn_alloc_unbound_t a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
        evtchn_bind_interdomain_t own = {.remote_dom = DOMID_SELF};
        evtchn_bind_interdomain_t other = {.remote_dom = (domid_t)rng_below(r, 4),
                                           .remote_port = rng_below(r, 32)};

        if (OP(EVTCHNOP_alloc_unbound, &a))
            continue;
        own.remote_port = a.port;
        if (!OP(EVTCHNOP_bind_interdomain, &own)) {
            rt_notify(own.local_port);
            rt_close(own.local_port);
        }
        if (!OP(EVTCHNOP_bind_interdomain, &other))
            rt_close(other.local_port);
        rt_close(a.port);
    }
    forget_events();
    return true;
}

const struct flood floods_events[] = {
    {"kicks", flood_kicks},
    {"events", flood_events},
    {"ports", flood_ports},
    {NULL, NULL},
};

void flood_events_init(void)
{
    console_port = (uint32_t)rt_param(HVM_PARAM_CONSOLE_EVTCHN);
    store_port = (uint32_t)rt_param(HVM_PARAM_STORE_EVTCHN);
}

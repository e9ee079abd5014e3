/* SPDX-License-Identifier: MIT */
/*
 * Delivery of events: the pending and mask bits in the shared page (2-level, xen/xen.h struct
 * shared_info), the upcall, and vCPUs that sleep in SCHEDOP_poll. The guest may write any of these
 * words at any time: each is changed by one atomic operation and nothing here depends on the rest.
 */
#include "hyp/dom/evtchn_private.h"
#include "hyp/x86/upcall.h"

static bool test_and_set(xen_ulong_t *words, uint32_t bit)
{
    xen_ulong_t mask = 1UL << bit % 64;

    return __atomic_fetch_or(&words[bit / 64], mask, __ATOMIC_SEQ_CST) & mask;
}

static bool test(const xen_ulong_t *words, uint32_t bit)
{
    return __atomic_load_n(&words[bit / 64], __ATOMIC_SEQ_CST) >> bit % 64 & 1;
}

static void clear(xen_ulong_t *words, uint32_t bit)
{
    __atomic_fetch_and(&words[bit / 64], ~(1UL << bit % 64), __ATOMIC_SEQ_CST);
}

void evtchn_deliver_upcall(struct vcpu *v, int sel)
{
    struct vcpu_info *info = vcpu_info_open(v);
    bool edge;

    if (!info)
        return;
    edge = (sel < 0 || !test_and_set(&info->evtchn_pending_sel, (uint32_t)sel)) &&
           !__atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
    vcpu_info_close(v, info);
    if (edge && v->upcall_vector)
        vlapic_raise(&v->arch, v->upcall_vector);
    else if (edge)
        upcall_notify(&v->arch);
}

/* Pairs with SCHEDOP_poll, which sets v->poll and then looks for pending ports. */
static void wake_pollers(struct domain *d)
{
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        struct vcpu *v = d->vcpus[i];

        if (v && __atomic_load_n(&v->poll, __ATOMIC_SEQ_CST) &&
            __atomic_exchange_n(&v->poll, 0, __ATOMIC_SEQ_CST))
            upcall_notify(&v->arch);
    }
}

/* The port's bit was just set, or its mask just cleared. */
static void raise_2l(struct domain *d, struct evtchn *c, uint32_t port)
{
    struct vcpu *v = d->vcpus[READ_ONCE(c->vcpu)];

    if (v && !test(d->shared->evtchn_mask, port))
        evtchn_deliver_upcall(v, (int)(port / 64));
}

static bool is_fifo(struct domain *d)
{
    return __atomic_load_n(&d->evtchns.fifo, __ATOMIC_SEQ_CST);
}

/* These return true when the event was not pending before. */

static bool deliver_fifo(struct domain *d, struct evtchn *c, uint32_t port)
{
    struct vcpu *kick = NULL;
    bool fresh = evtchn_fifo_pending(d, c, port, &kick);

    if (kick)
        evtchn_deliver_upcall(kick, -1);
    return fresh;
}

/* Pairs with switch_to_fifo(), which sets fifo and then takes the bits along. */
static bool deliver_2l(struct domain *d, struct evtchn *c, uint32_t port)
{
    if (port >= EVTCHN_2L_NR_CHANNELS || test_and_set(d->shared->evtchn_pending, port))
        return false;
    raise_2l(d, c, port);
    if (is_fifo(d))
        deliver_fifo(d, c, port);
    return true;
}

void evtchn_deliver_pending(struct domain *d, struct evtchn *c, uint32_t port)
{
    if (is_fifo(d) ? deliver_fifo(d, c, port) : deliver_2l(d, c, port))
        wake_pollers(d);
}

void evtchn_deliver_unmask(struct domain *d, struct evtchn *c, uint32_t port)
{
    if (d->evtchns.fifo) {
        if (evtchn_fifo_unmask(d, port))
            evtchn_deliver_pending(d, c, port);
    } else if (test(d->shared->evtchn_mask, port)) {
        clear(d->shared->evtchn_mask, port);
        if (test(d->shared->evtchn_pending, port))
            raise_2l(d, c, port);
    }
}

void evtchn_deliver_clear(struct domain *d, struct evtchn *c, uint32_t port)
{
    if (d->evtchns.fifo)
        evtchn_fifo_clear(d, c, port);
    else if (d->shared)
        clear(d->shared->evtchn_pending, port);
}

bool evtchn_is_pending(struct domain *d, uint32_t port)
{
    if (is_fifo(d))
        return evtchn_fifo_is_pending(d, port);
    return port < EVTCHN_2L_NR_CHANNELS && test(d->shared->evtchn_pending, port);
}

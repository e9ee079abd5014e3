/* SPDX-License-Identifier: MIT */
/*
 * Event channels: the table of a domain's ports and who is bound to what.
 *
 * Either end of a connection changes only under both ends' locks, and two locks are held only under
 * the pairing lock. So whoever holds one end's lock may use the other end, and whoever holds the
 * pairing lock may follow a connection before it has the other lock.
 */
#include <xen/errno.h>
#include "hyp/dom/evtchn_private.h"
#include "hyp/lib/log.h"
#include "mm/frame.h"

#define SEARCH_TRIES 16 /* closed ports looked at for one that no queue holds any more */
#define RESET_BUDGET 64 /* ports */

static struct spinlock pairing;

struct evtchn *evtchn_entry(struct evtchn_set *s, uint32_t port)
{
    if (port >= s->nports)
        return NULL;
    return &s->pages[port / EVTCHN_PER_PAGE][port % EVTCHN_PER_PAGE];
}

static struct evtchn *open_entry(struct evtchn_set *s, uint32_t port)
{
    struct evtchn *c = evtchn_entry(s, port);

    return c && c->state != EVTCHNSTAT_closed ? c : NULL;
}

int evtchn_init(struct domain *d)
{
    struct evtchn_set *s = &d->evtchns;

    *s = (struct evtchn_set){.limit = EVTCHN_2L_NR_CHANNELS, .closing = 1};
    s->pages = hyp_alloc(EVTCHN_TABLE_ORDER);
    if (!s->pages || !(s->pages[0] = hyp_alloc(0)))
        return -XEN_ENOMEM;
    s->nports = 1;
    return 0;
}

/* A new life of the port; a queue may still have it for its tail, so it remembers which. */
static void renew(struct evtchn *c, uint8_t state, uint32_t vcpu)
{
    ASSERT(c);
    *c = (struct evtchn){.state = state,
                         .vcpu = (uint8_t)vcpu,
                         .priority = EVTCHN_FIFO_PRIORITY_DEFAULT,
                         .last_vcpu = c->last_vcpu,
                         .last_priority = c->last_priority};
}

static void put_free(struct evtchn_set *s, uint32_t port)
{
    renew(evtchn_entry(s, port), EVTCHNSTAT_closed, 0);
    if (s->free_tail)
        evtchn_entry(s, s->free_tail)->port = port;
    else
        s->free_head = port;
    s->free_tail = port;
}

/* The port closed longest ago that the guest's queues have let go; 0 when there is none. */
static uint32_t take_free(struct domain *d)
{
    struct evtchn_set *s = &d->evtchns;

    for (unsigned i = 0; i < SEARCH_TRIES && s->free_head; i++) {
        uint32_t port = s->free_head;

        s->free_head = evtchn_entry(s, port)->port;
        if (!s->free_head)
            s->free_tail = 0;
        if (!s->fifo || !evtchn_fifo_is_linked(d, port))
            return port;
        put_free(s, port);
    }
    return 0;
}

/* Opens a port, or -XEN_ENOSPC, -XEN_ENOMEM, -XEN_EINVAL (the domain dies). The lock is held. */
static int open_port(struct domain *d, uint8_t state, uint32_t vcpu, struct evtchn **out)
{
    struct evtchn_set *s = &d->evtchns;
    uint32_t port;

    if (s->dead)
        return -XEN_EINVAL;
    port = take_free(d);
    if (!port) {
        struct evtchn **page = &s->pages[s->nports / EVTCHN_PER_PAGE];

        if (s->nports >= s->limit)
            return -XEN_ENOSPC;
        if (!*page && !(*page = hyp_alloc(0)))
            return -XEN_ENOMEM;
        port = s->nports++;
    }
    s->nopen++;
    *out = evtchn_entry(s, port);
    renew(*out, state, vcpu);
    return (int)port;
}

int evtchn_alloc_unbound(struct domain *d, uint16_t remote)
{
    spin_guard(held, &d->evtchns.lock);
    struct evtchn *c;
    int port = open_port(d, EVTCHNSTAT_unbound, 0, &c);

    if (port > 0)
        c->remote = remote;
    return port;
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote, uint32_t rport)
{
    spin_guard(paired, &pairing);
    spin_guard(held, &d->evtchns.lock);
    struct evtchn *c, *r;
    int port = -XEN_EINVAL;

    if (remote != d)
        spin_lock(&remote->evtchns.lock);
    r = evtchn_entry(&remote->evtchns, rport);
    if (r && r->state == EVTCHNSTAT_unbound && r->remote == d->id && !remote->evtchns.dead)
        port = open_port(d, EVTCHNSTAT_interdomain, 0, &c);
    if (port > 0) {
        c->peer = remote;
        c->port = rport;
        r->peer = d;
        r->port = (uint32_t)port;
        r->state = EVTCHNSTAT_interdomain;
        /* The other side may have sent before we bound. */
        evtchn_deliver_pending(d, c, (uint32_t)port);
    }
    if (remote != d)
        spin_unlock(&remote->evtchns.lock);
    return port;
}

bool evtchn_virq_is_global(uint32_t virq)
{
    return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

int evtchn_bind_virq(struct vcpu *v, uint32_t virq)
{
    spin_guard(held, &v->dom->evtchns.lock);
    struct evtchn *c;
    int port = -XEN_EEXIST;

    if (!v->evtchn.virq[virq])
        port = open_port(v->dom, EVTCHNSTAT_virq, v->arch.id, &c);
    if (port > 0) {
        c->irq = virq;
        v->evtchn.virq[virq] = (uint32_t)port;
    }
    return port;
}

int evtchn_bind_ipi(struct vcpu *v)
{
    spin_guard(held, &v->dom->evtchns.lock);
    struct evtchn *c;

    return open_port(v->dom, EVTCHNSTAT_ipi, v->arch.id, &c);
}

/* By number: irq_unbind() waits for no CPU that is on its way here, and the domain may go. */
static void pirq_fired(void *arg)
{
    struct domain *d = domain_get((uint16_t)(uintptr_t)arg);

    if (!d)
        return;
    evtchn_raise(d, READ_ONCE(d->evtchns.pirq_port));
    domain_put(d);
}

/* The line is bound under the lock, too: a close comes before or after both. */
int evtchn_bind_pirq(struct domain *d, uint32_t irq)
{
    struct evtchn_set *s = &d->evtchns;
    spin_guard(held, &s->lock);
    struct evtchn *c;
    int port, rc;

    if (s->pirq_port)
        return -XEN_EEXIST;
    port = open_port(d, EVTCHNSTAT_pirq, 0, &c);
    if (port < 0)
        return port;
    c->irq = irq;
    s->pirq_port = (uint32_t)port; /* before the first interrupt */
    rc = irq_bind(irq, pirq_fired, (void *)(uintptr_t)d->id);
    if (!rc)
        return port;
    s->pirq_port = 0;
    put_free(s, (uint32_t)port);
    s->nopen--;
    return rc;
}

/* Frees an open port that is connected to nobody, or whose peer is d's under both locks. */
static void close_entry(struct domain *d, struct evtchn *c, uint32_t port)
{
    struct evtchn_set *s = &d->evtchns;

    if (c->state == EVTCHNSTAT_virq) {
        for (uint32_t i = 0; i < d->nvcpus; i++)
            if (d->vcpus[i] && d->vcpus[i]->evtchn.virq[c->irq] == port)
                d->vcpus[i]->evtchn.virq[c->irq] = 0;
    } else if (c->state == EVTCHNSTAT_pirq) {
        irq_unbind(c->irq);
        s->pirq_port = 0;
    } else if (c->state == EVTCHNSTAT_interdomain) {
        struct evtchn *r;

        ASSERT(c->peer);
        r = evtchn_entry(&c->peer->evtchns, c->port);
        r->state = EVTCHNSTAT_unbound;
        r->remote = d->id;
        r->peer = NULL;
    }
    evtchn_deliver_clear(d, c, port);
    put_free(s, port);
    s->nopen--;
}

int evtchn_close(struct domain *d, uint32_t port)
{
    spin_guard(paired, &pairing);
    spin_guard(held, &d->evtchns.lock);
    struct evtchn *c = open_entry(&d->evtchns, port);
    struct domain *peer;

    if (!c)
        return -XEN_EINVAL;
    peer = c->state == EVTCHNSTAT_interdomain && c->peer != d ? c->peer : NULL;
    if (peer)
        spin_lock(&peer->evtchns.lock);
    close_entry(d, c, port);
    if (peer)
        spin_unlock(&peer->evtchns.lock);
    return 0;
}

int evtchn_send(struct domain *d, uint32_t port)
{
    spin_guard(held, &d->evtchns.lock);
    struct evtchn *c = open_entry(&d->evtchns, port);

    if (c && c->state == EVTCHNSTAT_interdomain)
        evtchn_deliver_pending(c->peer, evtchn_entry(&c->peer->evtchns, c->port), c->port);
    else if (c && c->state == EVTCHNSTAT_ipi)
        evtchn_deliver_pending(d, c, port);
    else if (!c || c->state != EVTCHNSTAT_unbound)
        return -XEN_EINVAL;
    return 0;
}

int evtchn_get_status(struct domain *d, struct evtchn_status *op)
{
    spin_guard(held, &d->evtchns.lock);
    const struct evtchn *c = evtchn_entry(&d->evtchns, op->port);

    if (!c)
        return -XEN_EINVAL;
    op->status = c->state;
    op->vcpu = c->vcpu;
    if (c->state == EVTCHNSTAT_unbound) {
        op->u.unbound.dom = c->remote;
    } else if (c->state == EVTCHNSTAT_interdomain) {
        op->u.interdomain.dom = c->peer->id;
        op->u.interdomain.port = c->port;
    } else if (c->state == EVTCHNSTAT_virq || c->state == EVTCHNSTAT_pirq) {
        op->u.virq = c->irq;
    }
    return 0;
}

int evtchn_bind_vcpu(struct vcpu *v, uint32_t port)
{
    spin_guard(held, &v->dom->evtchns.lock);
    struct evtchn *c = open_entry(&v->dom->evtchns, port);

    if (!c || c->state == EVTCHNSTAT_ipi ||
        (c->state == EVTCHNSTAT_virq && !evtchn_virq_is_global(c->irq)))
        return -XEN_EINVAL;
    WRITE_ONCE(c->vcpu, (uint8_t)v->arch.id);
    return 0;
}

int evtchn_unmask(struct domain *d, uint32_t port)
{
    spin_guard(held, &d->evtchns.lock);
    struct evtchn *c = open_entry(&d->evtchns, port);

    if (c)
        evtchn_deliver_unmask(d, c, port);
    if (c && c->state == EVTCHNSTAT_pirq)
        irq_unmask(c->irq);
    return port < d->evtchns.nports ? 0 : -XEN_EINVAL;
}

int evtchn_set_priority(struct domain *d, uint32_t port, uint32_t priority)
{
    struct evtchn_set *s = &d->evtchns;
    spin_guard(held, &s->lock);
    struct evtchn *c = open_entry(s, port);

    if (priority > EVTCHN_FIFO_PRIORITY_MIN || port >= s->nports)
        return -XEN_EINVAL;
    if (!s->fifo)
        return -XEN_ENOSYS;
    if (!c)
        return -XEN_EACCES;
    WRITE_ONCE(c->priority, (uint8_t)priority);
    return 0;
}

void evtchn_send_virq(struct vcpu *v, unsigned virq)
{
    struct evtchn_set *s = &v->dom->evtchns;
    spin_guard(held, &s->lock);
    uint32_t port = v->evtchn.virq[virq];

    if (port)
        evtchn_deliver_pending(v->dom, evtchn_entry(s, port), port);
}

void evtchn_raise(struct domain *d, uint32_t port)
{
    spin_guard(held, &d->evtchns.lock);
    struct evtchn *c = open_entry(&d->evtchns, port);

    if (c)
        evtchn_deliver_pending(d, c, port);
}

/* Closes what is open among the next budget ports; true when all have been visited. */
static bool close_some(struct domain *d, unsigned budget)
{
    struct evtchn_set *s = &d->evtchns;

    for (; budget && s->closing < s->nports; budget--)
        evtchn_close(d, s->closing++);
    return s->closing >= s->nports;
}

int evtchn_reset(struct domain *d)
{
    struct evtchn_set *s = &d->evtchns;

    if (!close_some(d, RESET_BUDGET))
        return -XEN_ERESTART;
    spin_guard(held, &s->lock);
    s->closing = 1;
    if (s->nopen) /* another vCPU bound one meanwhile: once more */
        return -XEN_ERESTART;
    s->nports = 1;
    s->free_head = s->free_tail = 0;
    evtchn_fifo_reset(d);
    return 0;
}

static void no_new_ports(struct evtchn_set *s)
{
    spin_guard(held, &s->lock);

    if (!s->dead)
        s->closing = 1;
    s->dead = true;
}

bool evtchn_free_slice(struct domain *d, unsigned budget)
{
    struct evtchn_set *s = &d->evtchns;

    if (!s->pages)
        return true;
    no_new_ports(s);
    if (!close_some(d, budget))
        return false;
    spin_guard(held, &s->lock);
    if (s->nports) { /* from here on closing counts pages */
        evtchn_fifo_reset(d);
        s->nports = s->closing = 0;
    }
    for (; budget && s->closing < EVTCHN_PAGES && s->pages[s->closing]; budget--)
        hyp_free(s->pages[s->closing++], 0);
    if (s->closing == EVTCHN_PAGES || !s->pages[s->closing]) {
        hyp_free(s->pages, EVTCHN_TABLE_ORDER);
        s->pages = NULL;
    }
    return !s->pages;
}

/* SPDX-License-Identifier: MIT */
/* Control hypercall: a domain runs, rests, and ends. */
#include <xen/errno.h>
#include "hyp/call/controlcall.h"

#define NOT_NOW "not in this state"

long controllife_unpause(struct control *c)
{
    struct domain *d = c->d;
    enum bh_domain_state state;
    bool was;

    spin_lock(&d->lock);
    state = d->state;
    was = d->paused;
    d->paused = false;
    for (uint32_t i = 0; was && i < d->nvcpus; i++)
        if (!d->vcpus[i]->down)
            run_go_on(d->vcpus[i]);
    spin_unlock(&d->lock);
    if (state == BH_DOMAIN_READY)
        domain_start(d);
    else if (state != BH_DOMAIN_RUNNING)
        return control_refuse(c, -XEN_EBUSY, NOT_NOW);
    else if (was)
        domain_changed();
    return 0;
}

/* True when all have stopped. */
static bool stop(struct domain *d, struct locked held)
{
    bool off = true;

    (void)held;
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        run_stop(d->vcpus[i]);
        off = sched_is_off(&d->vcpus[i]->sched) && off;
    }
    return off;
}

/* Until none of its vCPUs runs. */
long controllife_pause(struct control *c)
{
    struct domain *d = c->d;
    bool first = false, off = true;
    enum bh_domain_state state;
    struct locked held;

    if (d == c->caller->dom)
        return control_refuse(c, -XEN_EINVAL, "the caller would not come back");
    held = spin_lock(&d->lock);
    state = d->state;
    if (state == BH_DOMAIN_RUNNING) {
        first = !d->paused;
        d->paused = true;
        off = stop(d, held);
    }
    spin_unlock(&d->lock);
    if (first)
        domain_changed();
    if (!off)
        return -XEN_ERESTART;
    if (state != BH_DOMAIN_RUNNING && state != BH_DOMAIN_READY)
        return control_refuse(c, -XEN_EBUSY, NOT_NOW);
    return 0;
}

static bool is_ours(const struct domain *d)
{
    return d->record->class != BUNDLE_CLASS_GUEST;
}

long controllife_shutdown(struct control *c)
{
    struct domain *d = c->d;

    if (c->arg.a > SHUTDOWN_MAX)
        return control_refuse(c, -XEN_EINVAL, "unknown reason");
    if (READ_ONCE(d->state) != BH_DOMAIN_RUNNING)
        return control_refuse(c, -XEN_EBUSY, NOT_NOW);
    domain_shutdown(d, is_ours(d) ? SHUTDOWN_crash : (unsigned)c->arg.a, "by the administrator");
    return 0;
}

long controllife_destroy(struct control *c)
{
    if (is_ours(c->d))
        return control_refuse(c, -XEN_EPERM, "a domain of ours");
    domain_destroy(c->d, false);
    domain_changed();
    return 0;
}

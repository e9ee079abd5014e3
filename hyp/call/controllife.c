/* SPDX-License-Identifier: MIT */
/* Control hypercall: a domain runs, rests, and ends. */
#include <xen/errno.h>
#include "hyp/call/controlcall.h"

long controllife_unpause(struct control *c)
{
    struct domain *d = c->d;
    bool was = d->paused;

    d->paused = false;
    for (uint32_t i = 0; was && i < d->nvcpus; i++)
        if (!d->vcpus[i]->down)
            run_go_on(d->vcpus[i]);
    if (d->state == BH_DOMAIN_READY)
        domain_start(d, c->held);
    c->then = CONTROL_CHANGED;
    return 0;
}

/* Until none of its vCPUs runs. */
long controllife_pause(struct control *c)
{
    struct domain *d = c->d;
    bool off = true;

    if (d == c->caller->dom)
        return control_refuse(c, -XEN_EINVAL, "the caller would not come back");
    if (d->state == BH_DOMAIN_READY)
        return 0;
    c->then = d->paused ? 0 : CONTROL_CHANGED;
    d->paused = true;
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        run_stop(d->vcpus[i]);
        off = sched_is_off(&d->vcpus[i]->sched) && off;
    }
    return off ? 0 : -XEN_ERESTART;
}

long controllife_shutdown(struct control *c)
{
    if (c->arg.a > SHUTDOWN_MAX)
        return control_refuse(c, -XEN_EINVAL, "unknown reason");
    c->reason = domain_is_guest(c->d) ? (unsigned)c->arg.a : SHUTDOWN_crash;
    c->then = CONTROL_SHUTDOWN;
    return 0;
}

long controllife_destroy(struct control *c)
{
    if (!domain_is_guest(c->d))
        return control_refuse(c, -XEN_EPERM, "a domain of ours");
    c->then = CONTROL_DESTROY;
    return 0;
}

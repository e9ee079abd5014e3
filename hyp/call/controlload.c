/* SPDX-License-Identifier: MIT */
/* Control hypercall: a domain is made on a running host. */
#include <xen/errno.h>
#include "hyp/call/controlcall.h"
#include "hyp/dom/image.h"
#include "hyp/dom/record.h"
#include "mm/arch.h"

static long create(struct control *c, struct bundle_domain *r)
{
    struct domain *d;
    const char *wrong;
    uint32_t segment;
    long rc = control_take(c, r, sizeof(*r));

    if (rc)
        return rc;
    wrong = record_check(r, NULL, &segment);
    if (wrong)
        return control_refuse(c, -XEN_EINVAL, wrong);
    if (!image_fits(r))
        return control_refuse(c, -XEN_EINVAL, "segments: too large to be kept for a restart");
    if (!domain_fits(r))
        return control_refuse(c, -XEN_ENOMEM, "more memory than is free");
    rc = domain_create(r, 0, true, &d);
    if (rc)
        return control_refuse(c, rc,
                              rc == -XEN_EEXIST       ? "name or UUID in use"
                              : rc == -XEN_EOPNOTSUPP ? "the CPU cannot scale its TSC"
                                                      : "no memory");
    c->arg.domid = d->id;
    domain_build(d);
    c->then = CONTROL_CHANGED;
    return 0;
}

long controlload_create(struct control *c)
{
    struct bundle_domain *r = hyp_alloc(0);
    long rc;

    if (!r)
        return control_refuse(c, -XEN_ENOMEM, "no memory");
    rc = create(c, r);
    hyp_free(r, 0);
    return rc;
}

static long check_load(struct control *c)
{
    const struct domain *d = c->d;
    const struct bundle_segment *s = &d->record->segments[d->build.segment];

    if (!c->arg.size)
        return 0;
    if (d->build.segment == d->record->nsegments || c->arg.a != d->build.segment ||
        c->arg.b != d->build.done)
        return control_refuse(c, -XEN_EINVAL, "not the bytes that come next");
    if (c->arg.size > s->file_size - d->build.done)
        return control_refuse(c, -XEN_EINVAL, "more than the segment has");
    return 0;
}

long controlload_load(struct control *c)
{
    struct domain *d = c->d;
    bool begun = false;
    long rc = check_load(c), n;

    while (!rc && c->arg.size) {
        if (begun && run_preempted())
            return -XEN_ERESTART;
        begun = true;
        n = build_load(d, c->caller, mk_gva(c->arg.buffer), c->arg.size, c->held);
        if (n == -XEN_EILSEQ)
            c->then = CONTROL_DESTROY;
        if (n < 0)
            return control_refuse(c, n, "bad buffer address, or no memory, or a wrong checksum");
        c->arg.b += (uint64_t)n;
        c->arg.buffer += (uint64_t)n;
        c->arg.size -= (uint64_t)n;
    }
    if (!rc) {
        c->arg.a = d->build.segment;
        c->arg.b = d->build.done;
    }
    return rc;
}

long controlload_finish(struct control *c)
{
    struct domain *d = c->d;
    long rc;

    if (d->build.segment < d->record->nsegments)
        return control_refuse(c, -XEN_EAGAIN, "segments are missing");
    rc = build_finish(d);
    if (!rc)
        d->state = BH_DOMAIN_READY;
    c->then = rc ? CONTROL_DESTROY : CONTROL_CHANGED;
    return rc;
}

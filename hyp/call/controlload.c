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
    int rc;

    if (copy_from_guest(&c->caller->arch, r, mk_gva(c->arg.buffer), sizeof(*r)))
        return control_refuse(c, -XEN_EFAULT, "bad buffer address");
    wrong = record_check(r, NULL, &segment);
    if (wrong)
        return control_refuse(c, -XEN_EINVAL, wrong);
    if (!image_fits(r))
        return control_refuse(c, -XEN_EINVAL, "segments: too large to be kept for a restart");
    if (!domain_fits(r))
        return control_refuse(c, -XEN_ENOMEM, "more memory than is free");
    rc = domain_create(r, 0, true, &d);
    if (rc)
        return control_refuse(c, rc, rc == -XEN_EEXIST ? "name or UUID in use" : "no memory");
    c->arg.domid = d->id;
    domain_build(d);
    domain_changed();
    return 0;
}

long controlload_create(struct control *c)
{
    struct bundle_domain *r;
    long rc;

    if (c->arg.size != sizeof(*r))
        return control_refuse(c, -XEN_EINVAL, "not the size of a record");
    r = hyp_alloc(0);
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

    if (d->state != BH_DOMAIN_LOADING)
        return control_refuse(c, -XEN_EBUSY, "not in state LOADING");
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
    struct locked held = spin_lock(&d->lock);
    bool begun = false;
    long rc = check_load(c);

    while (!rc && c->arg.size) {
        if (begun && run_preempted()) {
            rc = -XEN_ERESTART;
            break;
        }
        begun = true;
        rc = build_load(d, c->caller, mk_gva(c->arg.buffer), c->arg.size, held);
        if (rc < 0)
            break;
        c->arg.b += (uint64_t)rc;
        c->arg.buffer += (uint64_t)rc;
        c->arg.size -= (uint64_t)rc;
        rc = 0;
    }
    spin_unlock(&d->lock);
    if (rc == -XEN_EFAULT)
        return control_refuse(c, rc, "bad buffer address");
    if (rc != -XEN_EILSEQ)
        return rc;
    domain_destroy(d, false);
    domain_changed();
    return control_refuse(c, rc, "wrong checksum");
}

long controlload_finish(struct control *c)
{
    struct domain *d = c->d;
    long rc = -XEN_EBUSY;

    spin_lock(&d->lock);
    if (d->state == BH_DOMAIN_LOADING && d->build.segment < d->record->nsegments)
        rc = -XEN_EAGAIN;
    else if (d->state == BH_DOMAIN_LOADING)
        rc = build_finish(d);
    if (!rc)
        d->state = BH_DOMAIN_READY;
    spin_unlock(&d->lock);
    if (rc == -XEN_EBUSY || rc == -XEN_EAGAIN)
        return control_refuse(c, rc, "not in state LOADING, or segments are missing");
    if (rc)
        domain_destroy(d, false);
    domain_changed();
    return rc;
}

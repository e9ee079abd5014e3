/* SPDX-License-Identifier: MIT */
/* GNTTABOP_copy: bytes between two frames, each the caller's own by gfn or anybody's by grant. */
#include "hyp/dom/grant_private.h"

struct side {
    struct domain *granter; /* by grant, referenced; NULL: the caller's own frame */
    uint32_t ref;
    hfn_t frame;
};

static inline __attribute__((always_inline)) int side_open(struct domain *d,
                                                           const struct gnttab_copy_ptr *p,
                                                           bool by_ref, bool readonly,
                                                           struct side *s)
{
    int rc;

    s->granter = NULL;
    if (!by_ref) {
        if (p->domid != DOMID_SELF)
            return GNTST_permission_denied;
        return p2m_get(&d->arch.p2m, mk_gfn(p->u.gmfn), !readonly, &s->frame) ? GNTST_bad_page
                                                                              : GNTST_okay;
    }
    s->ref = p->u.ref;
    s->granter = domain_get(p->domid == DOMID_SELF ? d->id : p->domid);
    if (!s->granter)
        return GNTST_bad_domain;
    rc = grant_acquire(s->granter, s->ref, d->id, readonly, &s->frame);
    if (rc)
        domain_put(s->granter);
    return rc;
}

static inline __attribute__((always_inline)) void side_close(const struct side *s, bool readonly)
{
    if (!s->granter) {
        frame_put(s->frame);
        return;
    }
    grant_release(s->granter, s->ref, readonly);
    domain_put(s->granter);
}

static int copy(struct domain *d, const struct gnttab_copy *op)
{
    struct side src, dst;
    int rc;

    if ((uint32_t)op->source.offset + op->len > PAGE_SIZE ||
        (uint32_t)op->dest.offset + op->len > PAGE_SIZE)
        return GNTST_bad_copy_arg;
    rc = side_open(d, &op->source, op->flags & GNTCOPY_source_gref, true, &src);
    if (rc)
        return rc;
    rc = side_open(d, &op->dest, op->flags & GNTCOPY_dest_gref, false, &dst);
    if (!rc) {
        copy_frames(dst.frame, op->dest.offset, src.frame, op->source.offset, op->len);
        side_close(&dst, false);
    }
    side_close(&src, true);
    return rc;
}

void grant_copy(struct domain *d, struct gnttab_copy *op)
{
    op->status = (int16_t)copy(d, op);
}

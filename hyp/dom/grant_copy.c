/* SPDX-License-Identifier: MIT */
/* GNTTABOP_copy: bytes between two frames, each the caller's own by gfn or anybody's by grant. */
#include "hyp/dom/grant_private.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"

struct side {
    struct domain *granter; /* by grant, referenced; NULL: the caller's own frame */
    uint32_t ref;
    bool readonly;
    hfn_t frame;
};

static int side_open(struct domain *d, const struct gnttab_copy_ptr *p, bool by_ref, bool readonly,
                     struct side *s)
{
    int rc;

    *s = (struct side){.ref = p->u.ref, .readonly = readonly};
    if (!by_ref) {
        if (p->domid != DOMID_SELF)
            return GNTST_permission_denied;
        return p2m_get(&d->arch.p2m, mk_gfn(p->u.gmfn), !readonly, &s->frame) ? GNTST_bad_page
                                                                              : GNTST_okay;
    }
    s->granter = domain_get(p->domid == DOMID_SELF ? d->id : p->domid);
    if (!s->granter)
        return GNTST_bad_domain;
    rc = grant_acquire(s->granter, s->ref, d->id, readonly, &s->frame);
    if (rc)
        domain_put(s->granter);
    return rc;
}

static void side_close(struct side *s)
{
    if (!s->granter) {
        frame_put(s->frame);
        return;
    }
    grant_release(s->granter, s->ref, s->readonly);
    domain_put(s->granter);
}

void grant_copy(struct domain *d, struct gnttab_copy *op)
{
    struct side src, dst;
    uint8_t *from, *to;

    if ((uint32_t)op->source.offset + op->len > PAGE_SIZE ||
        (uint32_t)op->dest.offset + op->len > PAGE_SIZE) {
        op->status = GNTST_bad_copy_arg;
        return;
    }
    op->status = (int16_t)side_open(d, &op->source, op->flags & GNTCOPY_source_gref, true, &src);
    if (op->status != GNTST_okay)
        return;
    op->status = (int16_t)side_open(d, &op->dest, op->flags & GNTCOPY_dest_gref, false, &dst);
    if (op->status == GNTST_okay) {
        from = arch_slot_map(src.frame);
        to = arch_slot_map(dst.frame);
        memmove(to + op->dest.offset, from + op->source.offset, op->len);
        arch_slot_unmap(to);
        arch_slot_unmap(from);
        side_close(&dst);
    }
    side_close(&src);
}

/* SPDX-License-Identifier: MIT */
/*
 * Memory for a domain, by blocks, and its vault. Scrubbing a large block takes too long for one go:
 * it is done in pieces, and meanwhile the block waits in the domain. All of it under the domain's
 * lock, or while nobody but the builder or teardown knows the domain.
 */
#include <xen/errno.h>
#include "hyp/dom/dom.h"
#include "mm/arch.h"

#define SLICE 64U /* frames scrubbed at a time */

/* By single pages. When one cannot be mapped the others go again, but for those that somebody has
 * pinned meanwhile: they stay the domain's, and count. */
static int map_small(struct domain *d, gfn_t gfn, hfn_t f, uint64_t n)
{
    uint64_t stay[BIT(ORDER_2M) / 64] = {0}, i;
    enum p2m_type t;
    hfn_t gone;
    int rc = 0;

    for (i = 0; !rc && i < n; i++)
        rc = p2m_map(&d->arch.p2m, gfn_add(gfn, i), hfn_add(f, i), ORDER_4K, P2M_RAM);
    if (!rc)
        return 0;
    while (--i)
        if (p2m_unmap_idle_noflush(&d->arch.p2m, gfn_add(gfn, i - 1), &gone, &t))
            stay[(i - 1) / 64] |= BIT((i - 1) % 64);
    arch_p2m_flush(&d->arch.p2m);
    for (i = 0; i < n; i++)
        if (!(stay[i / 64] & BIT(i % 64)))
            frame_put(hfn_add(f, i));
    return rc;
}

static int map_large(struct domain *d, gfn_t gfn, hfn_t f)
{
    int rc = p2m_map(&d->arch.p2m, gfn, f, ORDER_2M, P2M_RAM);

    if (rc)
        frame_put_block(f, ORDER_2M);
    return rc;
}

int ram_add(struct domain *d, gfn_t gfn, unsigned order)
{
    struct fresh_block *b = &d->fresh;
    uint64_t n = BIT(order);
    uint32_t part;

    if (b->valid && b->order != order)
        ram_drop(d);
    if (!b->valid) {
        *b = (struct fresh_block){.frame = frame_take(order, d->id), .order = order};
        b->valid = !hfn_eq(b->frame, HFN_NONE);
    }
    if (!b->valid)
        return -XEN_ENOMEM;
    part = (uint32_t)MIN(n - b->clean, SLICE);
    frame_scrub(hfn_add(b->frame, b->clean), part);
    b->clean += part;
    if (b->clean < n)
        return 1;
    b->valid = false;
    return order == ORDER_2M && !(gfn.val % n) ? map_large(d, gfn, b->frame)
                                               : map_small(d, gfn, b->frame, n);
}

void ram_drop(struct domain *d)
{
    if (d->fresh.valid)
        frame_put_block(d->fresh.frame, d->fresh.order);
    d->fresh.valid = false;
}

static unsigned table_order(const struct domain *d)
{
    return order_of(d->record->vault_pages * sizeof(hfn_t));
}

/* What the last life has left has one reference, which stays; the p2m's is new. */
static int map_again(struct domain *d, gfn_t gfn, hfn_t f)
{
    int rc;

    if (!frame_get(f, d->id))
        panic("[%s] a frame of its vault is not its own", d->record->name);
    rc = p2m_map(&d->arch.p2m, gfn, f, ORDER_4K, P2M_RAM);
    if (rc)
        frame_put(f);
    return rc;
}

int vault_map(struct domain *d, uint32_t n)
{
    struct vault *v = &d->vault;
    gfn_t gfn = gfn_add(gpa_to_gfn(mk_gpa(BUNDLE_VAULT_START)), n);
    int rc;

    if (!v->frames && !(v->frames = hyp_alloc(table_order(d))))
        return -XEN_ENOMEM;
    if (n < v->n)
        return map_again(d, gfn, v->frames[n]);
    rc = ram_add(d, gfn, 0);
    if (!rc)
        rc = p2m_get(&d->arch.p2m, gfn, true, &v->frames[n]);
    v->n += !rc;
    return rc;
}

void vault_hand_on(struct domain *from, struct domain *to)
{
    to->vault = from->vault;
    from->vault = (struct vault){0};
}

bool vault_free_slice(struct domain *d, unsigned budget)
{
    struct vault *v = &d->vault;

    for (; budget && v->n; budget--)
        frame_put(v->frames[--v->n]);
    if (v->n)
        return false;
    if (v->frames)
        hyp_free(v->frames, table_order(d));
    v->frames = NULL;
    return true;
}

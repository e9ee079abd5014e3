/* SPDX-License-Identifier: MIT */
/*
 * Mappings of other domains' frames: each has a handle in the mapper's table. A frame is let go
 * only after the mapper's translations were flushed, once for many.
 */
#include <xen/errno.h>
#include "hyp/dom/grant_private.h"
#include "mm/arch.h"
#include "mm/p2m.h"

#define TRACK_PAGES (PAGE_SIZE / sizeof(struct grant_maptrack *))
#define TRACK_MAX   (TRACK_PAGES * GRANT_TRACK_PER_PAGE)

/* A free handle, or false. maptrack_free holds a handle + 1, so that 0 means none. */
static bool take_handle(struct grant_table *t, uint32_t *handle)
{
    struct grant_maptrack **page;

    if (t->maptrack_free) {
        *handle = t->maptrack_free - 1;
        t->maptrack_free = grant_track_of(t, *handle)->gfn;
        return true;
    }
    if (t->nmaptrack == TRACK_MAX || (!t->maptrack && !(t->maptrack = hyp_alloc(0))))
        return false;
    page = &t->maptrack[t->nmaptrack / GRANT_TRACK_PER_PAGE];
    if (!*page && !(*page = hyp_alloc(0)))
        return false;
    *handle = t->nmaptrack++;
    return true;
}

static void put_handle(struct grant_table *t, uint32_t handle)
{
    *grant_track_of(t, handle) = (struct grant_maptrack){.gfn = t->maptrack_free};
    t->maptrack_free = handle + 1;
}

/* Enters the frame at host_addr under a new handle: GNTST_*. */
static int enter(struct domain *d, struct gnttab_map_grant_ref *op, struct domain *granter,
                 hfn_t frame)
{
    struct grant_table *t = &d->grants;
    bool readonly = op->flags & GNTMAP_readonly;
    gfn_t gfn = gpa_to_gfn(mk_gpa(op->host_addr));
    spin_guard(held, &t->lock);
    uint32_t handle;
    int rc;

    if (t->dead || !take_handle(t, &handle))
        return GNTST_no_space;
    rc = p2m_map(&d->arch.p2m, gfn, frame, ORDER_4K, readonly ? P2M_GRANT_RO : P2M_GRANT_RW);
    if (rc) {
        put_handle(t, handle);
        return rc == -XEN_ENOMEM ? GNTST_no_space : GNTST_general_error;
    }
    *grant_track_of(t, handle) =
        (struct grant_maptrack){granter, (uint32_t)gfn.val, (uint16_t)op->ref, readonly};
    op->handle = handle;
    op->dev_bus_addr = 0; /* host addresses are not the guest's business */
    return GNTST_okay;
}

int grant_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
    bool readonly = op->flags & GNTMAP_readonly;
    struct domain *granter;
    hfn_t frame;
    int rc;

    if (!(op->flags & (GNTMAP_host_map | GNTMAP_device_map)))
        return GNTST_bad_gntref;
    if ((op->flags & ~(uint32_t)GNTMAP_readonly) != GNTMAP_host_map)
        return GNTST_general_error;
    if (op->host_addr % PAGE_SIZE || op->host_addr >> PAGE_SHIFT >> GFN_BITS)
        return GNTST_bad_virt_addr;
    granter = domain_get(op->dom);
    if (!granter)
        return GNTST_bad_domain;
    rc = grant_acquire(granter, op->ref, d->id, readonly, &frame);
    if (rc == GNTST_okay) {
        rc = enter(d, op, granter, frame);
        if (rc != GNTST_okay)
            grant_release(granter, op->ref, readonly);
    }
    domain_put(granter);
    return rc;
}

/*
 * Takes the mapping out of the p2m and moves it to the batch. What the guest has put in its place
 * goes too: it asked for the address to be unmapped.
 */
static void leave_locked(struct domain *d, uint32_t handle, struct grant_batch *batch)
{
    struct grant_maptrack *m = grant_track_of(&d->grants, handle);
    enum p2m_type type;
    hfn_t frame;
    uint32_t n = batch->n++;

    batch->released[n].was = *m;
    batch->released[n].ram = HFN_NONE;
    if (!p2m_unmap_noflush(&d->arch.p2m, mk_gfn(m->gfn), &frame, &type) && type == P2M_RAM)
        batch->released[n].ram = frame;
    m->granter = NULL;
}

int grant_unmap(struct domain *d, uint32_t handle, uint64_t host_addr, struct grant_batch *batch)
{
    struct grant_table *t = &d->grants;
    spin_guard(held, &t->lock);
    const struct grant_maptrack *m = handle < t->nmaptrack ? grant_track_of(t, handle) : NULL;

    if (!m || !m->granter)
        return GNTST_bad_handle;
    if (!host_addr)
        return GNTST_okay;
    if (host_addr >> PAGE_SHIFT != m->gfn)
        return GNTST_general_error;
    leave_locked(d, handle, batch);
    put_handle(t, handle);
    return GNTST_okay;
}

void grant_map_flush(struct domain *d, struct grant_batch *batch)
{
    if (!batch->n)
        return;
    arch_p2m_flush(&d->arch.p2m);
    for (uint32_t i = 0; i < batch->n; i++) {
        const struct grant_maptrack *m = &batch->released[i].was;

        if (!hfn_eq(batch->released[i].ram, HFN_NONE))
            frame_put(batch->released[i].ram);
        grant_release(m->granter, m->ref, m->readonly);
    }
    batch->n = 0;
}

bool grant_free_slice(struct domain *d, unsigned budget)
{
    struct grant_table *t = &d->grants;
    struct grant_batch batch;

    batch.n = 0;
    spin_lock(&t->lock);
    t->dead = true;
    t->maptrack_free = 0; /* handles are given back from the end: no list any more */
    for (; budget && t->nmaptrack && batch.n < GRANT_BATCH; budget--) {
        if (grant_track_of(t, t->nmaptrack - 1)->granter)
            leave_locked(d, t->nmaptrack - 1, &batch);
        if (--t->nmaptrack % GRANT_TRACK_PER_PAGE == 0) {
            hyp_free(t->maptrack[t->nmaptrack / GRANT_TRACK_PER_PAGE], 0);
            t->maptrack[t->nmaptrack / GRANT_TRACK_PER_PAGE] = NULL;
        }
    }
    spin_unlock(&t->lock);
    grant_map_flush(d, &batch);
    return !t->nmaptrack;
}

void grant_map_free(struct domain *d)
{
    struct grant_table *t = &d->grants;

    for (uint32_t i = 0; t->maptrack && i < TRACK_PAGES && t->maptrack[i]; i++)
        hyp_free(t->maptrack[i], 0);
    if (t->maptrack)
        hyp_free(t->maptrack, 0);
    t->maptrack = NULL;
    t->nmaptrack = t->maptrack_free = 0;
}

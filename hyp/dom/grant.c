/* SPDX-License-Identifier: MIT */
/*
 * A domain's grant table: the entries that the guest writes and what the hypervisor knows of those
 * in use. The guest may write an entry at any time; it counts at the moment a use begins, and from
 * then on the private entry says which frame is meant and for whom.
 */
#include <xen/errno.h>
#include "hyp/dom/grant_private.h"
#include "hyp/lib/string.h"
#include "mm/p2m.h"

#define MAX_USES  0xffff
#define CAS_TRIES 5

/* The first half of an entry as the guest and we change it: at once. */
union header {
    uint32_t word;
    struct {
        uint16_t flags, domid;
    };
};

static grant_entry_v1_t *entry_of(struct grant_table *t, uint32_t ref)
{
    return &t->frames[ref / GRANT_PER_FRAME][ref % GRANT_PER_FRAME];
}

static int grow_locked(struct grant_table *t, uint32_t n)
{
    if (n > GRANT_MAX_FRAMES)
        return -XEN_EINVAL;
    for (; t->nframes < n; t->nframes++) {
        t->frames[t->nframes] = hyp_alloc(0);
        if (!t->frames[t->nframes])
            return -XEN_ENOMEM;
    }
    return 0;
}

int grant_grow(struct domain *d, uint32_t n)
{
    spin_guard(held, &d->grants.lock);

    return d->grants.dead ? -XEN_EINVAL : grow_locked(&d->grants, n);
}

int grant_init(struct domain *d)
{
    struct grant_table *t = &d->grants;

    memset(t, 0, sizeof(*t));
    t->active = hyp_alloc(0);
    return t->active ? grow_locked(t, 1) : -XEN_ENOMEM;
}

void grant_free(struct domain *d)
{
    struct grant_table *t = &d->grants;

    grant_map_free(d);
    for (uint32_t i = 0; t->active && i < PAGE_SIZE / sizeof(struct grant_active *); i++)
        if (t->active[i])
            hyp_free(t->active[i], 0);
    if (t->active)
        hyp_free(t->active, 0);
    t->active = NULL;
    while (t->nframes)
        hyp_free(t->frames[--t->nframes], 0);
}

void *grant_frame(struct domain *d, uint32_t idx)
{
    if (idx >= GRANT_MAX_FRAMES || grant_grow(d, idx + 1))
        return NULL;
    return d->grants.frames[idx];
}

uint32_t grant_mapped_by_others(struct domain *d)
{
    return __atomic_load_n(&d->grants.mapped, __ATOMIC_ACQUIRE);
}

int grant_set(struct domain *d, uint32_t ref, uint16_t backend, gfn_t gfn)
{
    grant_entry_v1_t *e;
    int rc;

    if (gfn.val > UINT32_MAX || ref >= GRANT_MAX_FRAMES * GRANT_PER_FRAME)
        return -XEN_EINVAL;
    rc = grant_grow(d, (uint32_t)(ref / GRANT_PER_FRAME + 1));
    if (rc)
        return rc;
    e = entry_of(&d->grants, ref);
    e->domid = backend;
    e->frame = (uint32_t)gfn.val;
    __atomic_store_n(&e->flags, GTF_permit_access, __ATOMIC_RELEASE);
    return 0;
}

/*
 * Sets GTF_reading, and GTF_writing unless readonly. A first use checks type and domain, in the
 * same word and so at the same moment; a guest that keeps changing the word is refused.
 */
static int mark_used(grant_entry_v1_t *e, bool first, uint16_t user, bool readonly)
{
    uint32_t *word = (uint32_t *)(void *)e;
    union header old = {.word = __atomic_load_n(word, __ATOMIC_ACQUIRE)}, new;

    for (int try = 0; try < CAS_TRIES; try++) {
        if (first && ((old.flags & (GTF_type_mask | GTF_sub_page)) != GTF_permit_access ||
                      old.domid != user))
            return GNTST_general_error;
        if (!readonly && (old.flags & GTF_readonly))
            return GNTST_general_error;
        new = old;
        new.flags |= (uint16_t)(readonly ? GTF_reading : GTF_reading | GTF_writing);
        if (__atomic_compare_exchange_n(word, &old.word, new.word, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return GNTST_okay;
    }
    return GNTST_general_error;
}

/* Clears the flags that no use is left for. */
static void mark_unused(grant_entry_v1_t *e, const struct grant_active *a)
{
    uint16_t gone = 0;

    if (!a->writers)
        gone |= GTF_writing;
    if (!a->writers && !a->readers)
        gone |= GTF_reading;
    if (gone)
        __atomic_fetch_and(&e->flags, (uint16_t)~gone, __ATOMIC_SEQ_CST);
}

static struct grant_active *active_of(struct grant_table *t, uint32_t ref)
{
    struct grant_active **page = &t->active[ref / GRANT_ACTIVE_PER_PAGE];

    if (!*page)
        *page = hyp_alloc(0);
    return *page ? &(*page)[ref % GRANT_ACTIVE_PER_PAGE] : NULL;
}

/* Asked before any memory is spent on the granter's account; mark_used() decides. */
static bool is_for(const grant_entry_v1_t *e, uint16_t user)
{
    union header h = {.word = __atomic_load_n((const uint32_t *)(const void *)e, __ATOMIC_ACQUIRE)};

    return (h.flags & GTF_type_mask) == GTF_permit_access && h.domid == user;
}

int grant_acquire(struct domain *granter, uint32_t ref, uint16_t user, bool readonly, hfn_t *frame)
{
    struct grant_table *t = &granter->grants;
    spin_guard(held, &t->lock);
    struct grant_active *a;
    grant_entry_v1_t *e;
    bool first;
    int rc = GNTST_okay;

    if (t->dead)
        return GNTST_bad_domain;
    if (ref >= t->nframes * GRANT_PER_FRAME)
        return GNTST_bad_gntref;
    e = entry_of(t, ref);
    a = grant_active_of(t, ref);
    if (!a) {
        if (!is_for(e, user))
            return GNTST_general_error;
        a = active_of(t, ref);
        if (!a)
            return GNTST_no_space;
    }
    first = !a->readers && !a->writers;
    if (!first && (a->user != user || a->readers == MAX_USES || a->writers == MAX_USES))
        return GNTST_general_error;
    if (first || (!readonly && !a->writers))
        rc = mark_used(e, first, user, readonly);
    if (rc)
        return rc;
    if (first) {
        if (p2m_pin(&granter->arch.p2m, mk_gfn(READ_ONCE(e->frame)), frame)) {
            mark_unused(e, a);
            return GNTST_bad_page;
        }
        a->hfn = frame->val;
        a->user = user;
        __atomic_fetch_add(&t->mapped, 1, __ATOMIC_RELAXED);
    }
    *(readonly ? &a->readers : &a->writers) += 1;
    *frame = mk_hfn(a->hfn);
    return GNTST_okay;
}

void grant_release(struct domain *granter, uint32_t ref, bool readonly)
{
    struct grant_table *t = &granter->grants;
    struct grant_active *a;
    bool last;

    spin_lock(&t->lock);
    a = grant_active_of(t, ref);
    *(readonly ? &a->readers : &a->writers) -= 1;
    mark_unused(entry_of(t, ref), a);
    last = !a->readers && !a->writers;
    if (last)
        frame_unpin(mk_hfn(a->hfn));
    spin_unlock(&t->lock);
    if (last) /* with this the granter may be gone */
        __atomic_fetch_sub(&t->mapped, 1, __ATOMIC_RELEASE);
}

int grant_swap(struct domain *d, uint32_t a, uint32_t b)
{
    struct grant_table *t = &d->grants;
    spin_guard(held, &t->lock);
    grant_entry_v1_t saved;

    if (a >= t->nframes * GRANT_PER_FRAME || b >= t->nframes * GRANT_PER_FRAME)
        return GNTST_bad_gntref;
    if (grant_in_use(t, a) || grant_in_use(t, b))
        return GNTST_eagain;
    saved = *entry_of(t, a);
    *entry_of(t, a) = *entry_of(t, b);
    *entry_of(t, b) = saved;
    return GNTST_okay;
}

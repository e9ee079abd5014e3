/* SPDX-License-Identifier: MIT */
/* What the grant files share: the table (grant.c), mappings (grant_map.c), copies (grant_copy.c).
 */
#ifndef BH_DOM_GRANT_PRIVATE_H
#define BH_DOM_GRANT_PRIVATE_H

#include "hyp/dom/dom.h"
#include "mm/frame.h"

#define GRANT_PER_FRAME (PAGE_SIZE / sizeof(grant_entry_v1_t))
#define GRANT_BATCH     64U /* entries of a request done before it is continued */

/* What is known of a reference in use; and of a mapping, by its handle. */
struct grant_active {
    uint64_t hfn;
    uint16_t user;             /* domain number */
    uint16_t readers, writers; /* uses; the frame is pinned while there is one */
    uint16_t reserved;
};
_Static_assert(sizeof(struct grant_active) == 16, "active entry");

struct grant_maptrack {
    struct domain *granter; /* NULL: a free handle; else it is there until grant_release() */
    uint32_t gfn;           /* where; of a free handle: the next one */
    uint16_t ref;
    bool readonly;
};
_Static_assert(sizeof(struct grant_maptrack) == 16, "handle entry");
_Static_assert(GRANT_MAX_FRAMES *GRANT_PER_FRAME <= UINT16_MAX + 1, "references fit");

#define GRANT_ACTIVE_PER_PAGE (PAGE_SIZE / sizeof(struct grant_active))
#define GRANT_ACTIVE_PAGES    (GRANT_MAX_FRAMES * GRANT_PER_FRAME / GRANT_ACTIVE_PER_PAGE)
#define GRANT_TRACK_PER_PAGE  (PAGE_SIZE / sizeof(struct grant_maptrack))
_Static_assert(GRANT_ACTIVE_PAGES * sizeof(void *) <= PAGE_SIZE, "table of pages");

/* What is known of ref, which the table has; NULL: it was never used. */
static inline struct grant_active *grant_active_of(const struct grant_table *t, uint32_t ref)
{
    struct grant_active *page = t->active ? t->active[ref / GRANT_ACTIVE_PER_PAGE] : NULL;

    return page ? &page[ref % GRANT_ACTIVE_PER_PAGE] : NULL;
}

/* The same of a reference that is in use; NULL: it is not. */
static inline struct grant_active *grant_in_use(const struct grant_table *t, uint32_t ref)
{
    struct grant_active *a = grant_active_of(t, ref);

    return a && (a->readers || a->writers) ? a : NULL;
}

/* The mapping of handle, one of nmaptrack. */
static inline struct grant_maptrack *grant_track_of(const struct grant_table *t, uint32_t handle)
{
    return &t->maptrack[handle / GRANT_TRACK_PER_PAGE][handle % GRANT_TRACK_PER_PAGE];
}

/*
 * A use of reference ref of domain granter by domain user: finds the frame, takes one reading or
 * writing use of it and tells the granter so by GTF_reading and GTF_writing. The frame stays pinned
 * until grant_release() ended every use. GNTST_*.
 */
int grant_acquire(struct domain *granter, uint32_t ref, uint16_t user, bool readonly, hfn_t *frame);
void grant_release(struct domain *granter, uint32_t ref, bool readonly);

/* Makes the table n frames long at least: 0, -XEN_EINVAL, -XEN_ENOMEM. */
int grant_grow(struct domain *d, uint32_t n);
/* Exchanges two entries that nobody uses: GNTST_*. */
int grant_swap(struct domain *d, uint32_t a, uint32_t b);

/* Mappings waiting for the flush that lets their frames go. */
struct grant_batch {
    uint32_t n;
    struct {
        struct grant_maptrack was;
        hfn_t ram; /* a frame of the mapper's that was found in the grant's place, or HFN_NONE */
    } released[GRANT_BATCH];
};

/* grant_map.c: GNTST_*. Unmapping needs grant_map_flush() before any return. */
int grant_map(struct domain *d, struct gnttab_map_grant_ref *op);
int grant_unmap(struct domain *d, uint32_t handle, uint64_t host_addr, struct grant_batch *batch);
void grant_map_flush(struct domain *d, struct grant_batch *batch);
void grant_map_free(struct domain *d); /* the handle table */

/* grant_copy.c. Fills in op->status. */
void grant_copy(struct domain *d, struct gnttab_copy *op);

#endif

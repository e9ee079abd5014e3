/* SPDX-License-Identifier: MIT */
/*
 * The frame table: one 16-byte struct frame for every 4 KiB frame of the machine. The type makes
 * the rules: shared frames are never writable through any mapping, and never pinned, table and
 * hypervisor frames are never mapped by a guest.
 */
#ifndef BH_MM_FRAME_H
#define BH_MM_FRAME_H

#include "hyp/lib/addr.h"
#include "hyp/lib/util.h"

enum frame_type {
    FRAME_ABSENT, /* not RAM, or firmware's: never allocated */
    FRAME_FREE,
    FRAME_HYP,     /* hypervisor's own data */
    FRAME_TABLE,   /* p2m page table */
    FRAME_PRIVATE, /* a domain's memory */
    FRAME_SHARED,  /* read-only for everybody */
};

#define DOMID_HYP 0x7fffU /* owner of what no domain owns */

struct frame {
    uint32_t refs; /* 1 for the owner's p2m entry, 1 for each further user; atomic, free at 0 */
    uint16_t owner;
    uint8_t type;  /* enum frame_type */
    uint8_t order; /* of a free block's first frame */
    union {
        struct {
            uint32_t next, prev; /* free list, frame numbers */
        };
        struct {
            uint32_t gfn;  /* where the owner's p2m maps it */
            uint32_t pins; /* references of other parties that stay (grants, areas); atomic */
        };
    };
};
_Static_assert(sizeof(struct frame) == 16, "frame table entry");

struct mem_stats {
    uint64_t total; /* frames of RAM known */
    uint64_t free;  /* free frames, in either zone */
    uint64_t hyp;   /* frames of type HYP and TABLE */
};

/*
 * table must be zeroed and hold max_hfn entries. Until mem_add() every frame is ABSENT.
 * mem_add() gives [first, first + n) to the allocator; mem_reserve() marks frames in use by the
 * hypervisor (image, bundle) before.
 */
void mem_init(struct frame *table, uint64_t max_hfn);
void mem_add(hfn_t first, uint64_t n);
void mem_reserve(hfn_t first, uint64_t n);
struct mem_stats mem_stats(void);

extern struct frame *frame_table;
extern uint64_t frame_count;

/* The entry of f, or NULL when f is beyond the table. */
static inline struct frame *frame_of(hfn_t f)
{
    return f.val < frame_count ? &frame_table[f.val] : NULL;
}

/*
 * A scrubbed block of 1 << order frames (order 0..9) for domain owner: type PRIVATE, refs 1 each.
 * HFN_NONE when there is none. The frames are returned by frame_put(), a whole block faster by
 * frame_put_block(). Scrubbing a large one takes long: frame_take() leaves it to the caller, who
 * scrubs it in pieces by frame_scrub() before anybody else sees it.
 */
hfn_t frame_alloc(unsigned order, uint16_t owner);
hfn_t frame_take(unsigned order, uint16_t owner);
void frame_scrub(hfn_t f, uint64_t n);
void frame_put_block(hfn_t f, unsigned order);

/* Of a block of at least size bytes. */
static inline unsigned order_of(size_t size)
{
    unsigned order = 0;

    while (PAGE_SIZE << order < size)
        order++;
    return order;
}

/*
 * Zeroed hypervisor pages, physically contiguous, 1 << order frames (order 0..9), mapped; NULL when
 * there is none. hyp_alloc_table() is the same with type TABLE, order 0.
 */
void *hyp_alloc(unsigned order);
void *hyp_alloc_table(void);
void hyp_free(void *p, unsigned order);

/*
 * References, counted without a lock: who takes one holds what keeps another, the lock of a p2m
 * that has f for one. So nobody takes one of a frame that is about to be free, and its owner and
 * type do not change meanwhile. frame_get() takes one more on a PRIVATE or SHARED frame owned by
 * owner, false when it is not that; frame_put() drops one and frees the frame with the last.
 * frame_pin() and frame_unpin() are the same and count pins too, on PRIVATE ones only. They are too
 * few to overflow: there is one for a p2m entry, an area, a reference of the owner's grant table, a
 * CPU's copy.
 */
static inline bool __must_check frame_get(hfn_t f, uint16_t owner)
{
    struct frame *p = frame_of(f);

    if (!p || p->owner != owner || (p->type != FRAME_PRIVATE && p->type != FRAME_SHARED))
        return false;
    __atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
    return true;
}

static inline bool __must_check frame_pin(hfn_t f, uint16_t owner)
{
    struct frame *p = frame_of(f);

    if (!p || p->owner != owner || p->type != FRAME_PRIVATE)
        return false;
    __atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&p->pins, 1, __ATOMIC_RELAXED);
    return true;
}

void frame_put(hfn_t f);
void frame_unpin(hfn_t f);

#endif

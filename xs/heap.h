/* SPDX-License-Identifier: MIT */
/*
 * Blocks of memory in one region. Free blocks stand in lists by size and merge with their
 * neighbours; how much is free where is bookkeeping that heap_init() and heap_add() make anew after
 * a crash, so that none of it has to survive one.
 */
#ifndef BH_XS_HEAP_H
#define BH_XS_HEAP_H

#include "hyp/lib/util.h"

#define HEAP_UNIT  16U
#define HEAP_MAX   (0xffffU * HEAP_UNIT) /* the largest block, with its head, in bytes */
#define HEAP_EXACT 64U                   /* lists of one size each, by units */
#define HEAP_BINS  (HEAP_EXACT + 10 * 4)

/* At the start of each block. What is not marked volatile has to survive a crash. */
struct block {
    uint32_t count; /* volatile: who refers to it; in a free block: the one before it in its list */
    uint32_t link;  /* volatile: the next of a list */
    uint16_t units;
    uint16_t below; /* volatile: units of the block before it in memory */
    uint16_t refs;  /* the body begins with as many references */
    uint8_t kind;   /* 0: free */
    uint8_t fresh;  /* volatile */
};

struct heap {
    uint8_t *base;
    uint32_t start, end; /* offsets; block heads end there */
    uint32_t free;       /* bytes */
    uint32_t bins[HEAP_BINS];
    uint64_t filled[2]; /* which bins are */
};

static inline struct block *heap_at(const struct heap *h, uint32_t ref)
{
    return (struct block *)(void *)(h->base + ref);
}

/* A region without any block. base is aligned to HEAP_UNIT, start and end are multiples of it. */
void heap_init(struct heap *h, void *base, uint32_t start, uint32_t end);
/* [at, end) becomes free; below: units of the block before it, 0 for none. Returns the units of the
 * last block made. For building the heap from its start to its end. */
uint16_t heap_add(struct heap *h, uint32_t at, uint32_t end, uint16_t below);
/* A block of so many bytes, head included, of a kind that is not 0; 0: no memory. */
uint32_t heap_alloc(struct heap *h, uint32_t bytes, uint8_t kind);
void heap_free(struct heap *h, uint32_t ref);

#endif

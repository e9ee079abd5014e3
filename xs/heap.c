/* SPDX-License-Identifier: MIT */
#include "xs/heap.h"

#include "hyp/lib/string.h"

#define TRIES 16U /* blocks of about the right size that are looked at first */

/* Lists of one size each, then four for each power of two. */
static unsigned bin_of(uint32_t units)
{
    unsigned log;

    if (units < HEAP_EXACT)
        return units;
    log = 31U - (unsigned)__builtin_clz(units);
    return HEAP_EXACT + (log - 6) * 4 + ((units >> (log - 2)) & 3);
}

static void insert(struct heap *h, uint32_t ref)
{
    struct block *b = heap_at(h, ref);
    unsigned bin = bin_of(b->units);

    b->kind = 0;
    b->count = 0;
    b->link = h->bins[bin];
    if (b->link)
        heap_at(h, b->link)->count = ref;
    h->bins[bin] = ref;
    h->filled[bin / 64] |= BIT(bin % 64);
    h->free += b->units * HEAP_UNIT;
}

static void take(struct heap *h, uint32_t ref)
{
    struct block *b = heap_at(h, ref);
    unsigned bin = bin_of(b->units);

    if (b->link)
        heap_at(h, b->link)->count = b->count;
    if (b->count)
        heap_at(h, b->count)->link = b->link;
    else
        h->bins[bin] = b->link;
    if (!h->bins[bin])
        h->filled[bin / 64] &= ~BIT(bin % 64);
    h->free -= b->units * HEAP_UNIT;
}

void heap_init(struct heap *h, void *base, uint32_t start, uint32_t end)
{
    memset(h, 0, sizeof(*h));
    h->base = base;
    h->start = start;
    h->end = end;
}

static void tell_above(struct heap *h, uint32_t ref)
{
    uint16_t units = heap_at(h, ref)->units;
    uint32_t above = ref + units * HEAP_UNIT;

    if (above < h->end)
        heap_at(h, above)->below = units;
}

uint16_t heap_add(struct heap *h, uint32_t at, uint32_t end, uint16_t below)
{
    while (at < end) {
        struct block *b = heap_at(h, at);
        uint32_t units = MIN((end - at) / HEAP_UNIT, HEAP_MAX / HEAP_UNIT);

        b->units = (uint16_t)units;
        b->below = below;
        below = b->units;
        insert(h, at);
        at += units * HEAP_UNIT;
    }
    return below;
}

/* The first filled bin from this one on; HEAP_BINS: none. */
static unsigned filled_from(const struct heap *h, unsigned bin)
{
    for (unsigned word = bin / 64; word < 2; word++) {
        uint64_t bits = h->filled[word];

        if (word == bin / 64)
            bits &= ~0ULL << (bin % 64);
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return HEAP_BINS;
}

/* The first block of the bin, at that of its first most, that has so many units; 0: none. */
static uint32_t find_in(const struct heap *h, unsigned bin, uint32_t units, uint32_t most)
{
    for (uint32_t ref = h->bins[bin]; ref && most; ref = heap_at(h, ref)->link, most--)
        if (heap_at(h, ref)->units >= units)
            return ref;
    return 0;
}

/*
 * A free block of at least so many units; 0: none. What was freed is used again before a larger
 * block is broken up: or a buffer that comes and goes would leave holes between all that stays.
 */
static uint32_t find(const struct heap *h, uint32_t units)
{
    unsigned bin = bin_of(units), higher;
    uint32_t ref = find_in(h, bin, units, TRIES);

    if (ref)
        return ref;
    higher = filled_from(h, bin + 1);
    return higher < HEAP_BINS ? h->bins[higher] : find_in(h, bin, units, ~0U);
}

uint32_t heap_alloc(struct heap *h, uint32_t bytes, uint8_t kind)
{
    uint32_t units = ROUND_UP(bytes, HEAP_UNIT) / HEAP_UNIT, ref, rest;
    struct block *b;

    if (bytes > HEAP_MAX)
        return 0;
    ref = find(h, units);
    if (!ref)
        return 0;
    take(h, ref);
    b = heap_at(h, ref);
    rest = b->units - units;
    b->units = (uint16_t)units;
    b->kind = kind;
    if (rest) {
        uint32_t above = ref + units * HEAP_UNIT;

        heap_at(h, above)->units = (uint16_t)rest;
        heap_at(h, above)->below = b->units;
        insert(h, above);
        tell_above(h, above);
    }
    return ref;
}

void heap_free(struct heap *h, uint32_t ref)
{
    struct block *b = heap_at(h, ref);
    uint32_t above = ref + b->units * HEAP_UNIT, below = ref - b->below * HEAP_UNIT;

    if (above < h->end && !heap_at(h, above)->kind &&
        b->units + heap_at(h, above)->units <= (int)(HEAP_MAX / HEAP_UNIT)) {
        take(h, above);
        b->units = (uint16_t)(b->units + heap_at(h, above)->units);
    }
    if (b->below && !heap_at(h, below)->kind &&
        b->units + b->below <= (int)(HEAP_MAX / HEAP_UNIT)) {
        take(h, below);
        heap_at(h, below)->units = (uint16_t)(heap_at(h, below)->units + b->units);
        ref = below;
    }
    insert(h, ref);
    tell_above(h, ref);
}

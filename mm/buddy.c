/* SPDX-License-Identifier: MIT */
#include "mm/buddy.h"

#include "hyp/lib/log.h"
#include "mm/arch.h"

#define SPARE_CHUNKS 1 /* free hypervisor chunks kept mapped */

static uint32_t heads[ZONES][ORDER_2M + 1];
static uint32_t whole_chunks; /* free blocks of ORDER_2M in ZONE_HYP */
static uint64_t free_frames;

void buddy_init(void)
{
    for (unsigned z = 0; z < ZONES; z++)
        for (unsigned o = 0; o <= ORDER_2M; o++)
            heads[z][o] = BUDDY_NONE;
    whole_chunks = 0;
    free_frames = 0;
}

/* A free block's zone stands in its owner field. */
static bool is_free_block(uint32_t f, enum zone z, unsigned order)
{
    const struct frame *p = &frame_table[f];

    return f < frame_count && p->type == FRAME_FREE && p->order == order && p->owner == z;
}

static void link_block(enum zone z, uint32_t f, unsigned order)
{
    struct frame *p = &frame_table[f];
    uint32_t next = heads[z][order];

    *p = (struct frame){.owner = (uint16_t)z, .type = FRAME_FREE, .order = (uint8_t)order};
    p->next = next;
    p->prev = BUDDY_NONE;
    if (next != BUDDY_NONE)
        frame_table[next].prev = f;
    heads[z][order] = f;
    whole_chunks += z == ZONE_HYP && order == ORDER_2M;
}

#define ORDER_INSIDE 0xff /* a frame inside a block, or one taken out of the lists */

static void unlink_block(enum zone z, uint32_t f)
{
    struct frame *p = &frame_table[f];

    if (p->prev == BUDDY_NONE)
        heads[z][p->order] = p->next;
    else
        frame_table[p->prev].next = p->next;
    if (p->next != BUDDY_NONE)
        frame_table[p->next].prev = p->prev;
    whole_chunks -= z == ZONE_HYP && p->order == ORDER_2M;
    p->order = ORDER_INSIDE;
}

/* A block of the zone's lists, BUDDY_NONE when they have none that is large enough. */
static uint32_t take_block(enum zone z, unsigned order)
{
    unsigned o = order;
    uint32_t f;

    while (o <= ORDER_2M && heads[z][o] == BUDDY_NONE)
        o++;
    if (o > ORDER_2M)
        return BUDDY_NONE;
    f = heads[z][o];
    unlink_block(z, f);
    while (o > order) {
        o--;
        link_block(z, f + (1U << o), o);
    }
    free_frames -= BIT(order);
    return f;
}

static bool refill_hyp(void)
{
    uint32_t f = take_block(ZONE_GUEST, ORDER_2M);

    if (f == BUDDY_NONE)
        return false;
    arch_chunk_map(mk_hfn(f));
    link_block(ZONE_HYP, f, ORDER_2M);
    free_frames += BIT(ORDER_2M);
    return true;
}

uint32_t buddy_alloc(enum zone z, unsigned order, struct locked held)
{
    uint32_t f = take_block(z, order);

    (void)held;
    if (f == BUDDY_NONE && z == ZONE_HYP && refill_hyp())
        f = take_block(z, order);
    return f;
}

/* Joins the free block with its free buddies; returns the first frame of what came out. */
static uint32_t coalesce(enum zone z, uint32_t f, unsigned *order)
{
    while (*order < ORDER_2M && is_free_block(f ^ (1U << *order), z, *order)) {
        unlink_block(z, f ^ (1U << *order));
        f &= ~(1U << *order);
        ++*order;
    }
    return f;
}

void buddy_free(enum zone z, uint32_t f, unsigned order, struct locked held)
{
    (void)held;
    for (uint32_t i = 0; i < 1U << order; i++)
        frame_table[f + i] = (struct frame){
            .owner = (uint16_t)z,
            .type = FRAME_FREE,
            .order = ORDER_INSIDE,
        };
    free_frames += BIT(order);
    f = coalesce(z, f, &order);
    if (z == ZONE_HYP && order == ORDER_2M && whole_chunks >= SPARE_CHUNKS) {
        arch_chunk_unmap(mk_hfn(f));
        z = ZONE_GUEST;
        for (uint32_t i = 0; i < BIT(ORDER_2M); i++)
            frame_table[f + i].owner = (uint16_t)z;
    }
    link_block(z, f, order);
}

uint64_t buddy_count(void)
{
    return free_frames;
}

/* Frames in the list of an order; ~0 when a link is broken. */
static uint64_t list_frames(enum zone z, unsigned order)
{
    uint64_t n = 0;

    for (uint32_t f = heads[z][order], prev = BUDDY_NONE; f != BUDDY_NONE;) {
        if (!is_free_block(f, z, order) || frame_table[f].prev != prev || n > frame_count)
            return ~0UL;
        n += BIT(order);
        prev = f;
        f = frame_table[f].next;
    }
    return n;
}

bool buddy_is_sound(void)
{
    uint64_t n = 0, part;

    for (unsigned z = 0; z < ZONES; z++)
        for (unsigned o = 0; o <= ORDER_2M; o++) {
            part = list_frames(z, o);
            if (part == ~0UL)
                return false;
            n += part;
        }
    return n == free_frames;
}

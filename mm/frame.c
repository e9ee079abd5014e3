/* SPDX-License-Identifier: MIT */
#include "mm/frame.h"

#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"
#include "mm/buddy.h"

struct frame *frame_table;
uint64_t frame_count;

static struct spinlock lock; /* the frame lock: the table, but for counts, and the free lists */
static struct mem_stats stats;

void mem_init(struct frame *table, uint64_t max_hfn)
{
    frame_table = table;
    frame_count = max_hfn;
    stats = (struct mem_stats){0};
    buddy_init();
}

static bool is_absent_chunk(uint64_t f, uint64_t end)
{
    if (f % BIT(ORDER_2M) || end - f < BIT(ORDER_2M))
        return false;
    for (uint64_t i = 0; i < BIT(ORDER_2M); i++)
        if (frame_table[f + i].type != FRAME_ABSENT)
            return false;
    return true;
}

void mem_add(hfn_t first, uint64_t n)
{
    struct locked held = spin_lock(&lock);

    uint64_t end = MIN(first.val + n, frame_count);

    for (uint64_t f = first.val; f < end;) {
        unsigned order = is_absent_chunk(f, end) ? ORDER_2M : ORDER_4K;

        if (frame_table[f].type == FRAME_ABSENT) {
            stats.total += BIT(order);
            buddy_free(ZONE_GUEST, (uint32_t)f, order, held);
        }
        f += BIT(order);
    }
    spin_unlock(&lock);
}

void mem_reserve(hfn_t first, uint64_t n)
{
    spin_lock(&lock);
    for (uint64_t f = first.val; f < first.val + n && f < frame_count; f++) {
        ASSERT(frame_table[f].type == FRAME_ABSENT);
        frame_table[f] = (struct frame){.refs = 1, .owner = DOMID_HYP, .type = FRAME_HYP};
        stats.total++;
        stats.hyp++;
    }
    spin_unlock(&lock);
}

struct mem_stats mem_stats(void)
{
    struct mem_stats s;

    spin_lock(&lock);
    s = stats;
    s.free = buddy_count();
    spin_unlock(&lock);
    return s;
}

/* The one place where memory loses what its last owner left in it. */
void frame_scrub(hfn_t f, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        void *p = arch_slot_map(hfn_add(f, i));

        memset(p, 0, PAGE_SIZE);
        arch_slot_unmap(p);
    }
}

/* A block with all its frames set to type and owner. */
static hfn_t take(enum zone z, unsigned order, enum frame_type type, uint16_t owner)
{
    struct locked held = spin_lock(&lock);
    uint32_t f = buddy_alloc(z, order, held);

    if (f != BUDDY_NONE) {
        for (uint32_t i = 0; i < BIT(order); i++)
            frame_table[f + i] = (struct frame){.refs = 1, .owner = owner, .type = (uint8_t)type};
        if (z == ZONE_HYP)
            stats.hyp += BIT(order);
    }
    spin_unlock(&lock);
    return f == BUDDY_NONE ? HFN_NONE : mk_hfn(f);
}

hfn_t frame_take(unsigned order, uint16_t owner)
{
    return take(ZONE_GUEST, order, FRAME_PRIVATE, owner);
}

hfn_t frame_alloc(unsigned order, uint16_t owner)
{
    hfn_t f = frame_take(order, owner);

    if (!hfn_eq(f, HFN_NONE))
        frame_scrub(f, BIT(order));
    return f;
}

static void *hyp_take(unsigned order, enum frame_type type)
{
    hfn_t f = take(ZONE_HYP, order, type, DOMID_HYP);

    return hfn_eq(f, HFN_NONE) ? NULL : memset(arch_hfn_to_hva(f), 0, PAGE_SIZE << order);
}

void *hyp_alloc(unsigned order)
{
    return hyp_take(order, FRAME_HYP);
}

void *hyp_alloc_table(void)
{
    return hyp_take(0, FRAME_TABLE);
}

void hyp_free(void *p, unsigned order)
{
    uint32_t f = (uint32_t)arch_hva_to_hfn(p).val;
    struct locked held = spin_lock(&lock);

    for (uint32_t i = 0; i < BIT(order); i++)
        ASSERT(frame_table[f + i].type == FRAME_HYP || frame_table[f + i].type == FRAME_TABLE);
    stats.hyp -= BIT(order);
    buddy_free(ZONE_HYP, f, order, held);
    spin_unlock(&lock);
}

/* Drops one of p's references: was it the last? Then nobody finds p any more. */
static inline bool drop(struct frame *p)
{
    uint32_t before = __atomic_fetch_sub(&p->refs, 1, __ATOMIC_ACQ_REL);

    ASSERT(before);
    return before == 1;
}

static void free_last(struct frame *p, struct locked held)
{
    ASSERT((p->type == FRAME_PRIVATE || p->type == FRAME_SHARED) && !p->pins);
    buddy_free(ZONE_GUEST, (uint32_t)(p - frame_table), 0, held);
}

void frame_put(hfn_t f)
{
    ASSERT(f.val < frame_count);
    if (likely(!drop(&frame_table[f.val])))
        return;
    free_last(&frame_table[f.val], spin_lock(&lock));
    spin_unlock(&lock);
}

/*
 * Nobody but the owner uses any of them, as a rule: then they go back in one piece. A count of one
 * stays: it is ours.
 */
void frame_put_block(hfn_t f, unsigned order)
{
    struct locked held = spin_lock(&lock);
    struct frame *p = &frame_table[f.val];
    uint64_t n = BIT(order);
    bool last = true;

    ASSERT(f.val + n <= frame_count && !(f.val & (n - 1)));
    for (uint64_t i = 0; i < n; i++)
        last = last && __atomic_load_n(&p[i].refs, __ATOMIC_ACQUIRE) == 1;
    if (last)
        buddy_free(ZONE_GUEST, (uint32_t)f.val, order, held);
    for (uint64_t i = 0; !last && i < n; i++)
        if (drop(&p[i]))
            free_last(&p[i], held);
    spin_unlock(&lock);
}

void frame_unpin(hfn_t f)
{
    struct frame *p = frame_of(f);
    uint32_t before = p ? __atomic_fetch_sub(&p->pins, 1, __ATOMIC_RELAXED) : 0;

    ASSERT(before);
    frame_put(f);
}

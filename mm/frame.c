/* SPDX-License-Identifier: MIT */
#include "mm/frame.h"

#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"
#include "mm/buddy.h"

struct frame *frame_table;
uint64_t frame_count;

static struct spinlock lock; /* the frame lock: the table and the free lists */
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

static bool is_domains(const struct frame *p, uint16_t owner)
{
    return p && p->owner == owner && p->refs != UINT32_MAX &&
           (p->type == FRAME_PRIVATE || p->type == FRAME_PINNED || p->type == FRAME_SHARED);
}

bool frame_get(hfn_t f, uint16_t owner)
{
    struct frame *p = frame_of(f);
    bool ok;

    spin_lock(&lock);
    ok = is_domains(p, owner);
    if (ok)
        p->refs++;
    spin_unlock(&lock);
    return ok;
}

static __attribute__((noinline)) void free_last(struct frame *p, struct locked held)
{
    ASSERT(p->type == FRAME_PRIVATE || p->type == FRAME_SHARED);
    buddy_free(ZONE_GUEST, (uint32_t)(p - frame_table), 0, held);
}

static inline void put_locked(struct frame *p, struct locked held)
{
    ASSERT(p->refs);
    if (unlikely(!--p->refs))
        free_last(p, held);
}

void frame_put(hfn_t f)
{
    struct locked held = spin_lock(&lock);

    ASSERT(f.val < frame_count);
    put_locked(&frame_table[f.val], held);
    spin_unlock(&lock);
}

/* Nobody but the owner uses any of them, as a rule: then they go back in one piece. */
void frame_put_block(hfn_t f, unsigned order)
{
    struct locked held = spin_lock(&lock);
    struct frame *p = &frame_table[f.val];
    uint64_t n = BIT(order);
    bool last = true;

    ASSERT(f.val + n <= frame_count && !(f.val & (n - 1)));
    for (uint64_t i = 0; i < n; i++)
        last = last && p[i].refs == 1 && p[i].type == FRAME_PRIVATE;
    if (last)
        buddy_free(ZONE_GUEST, (uint32_t)f.val, order, held);
    for (uint64_t i = 0; !last && i < n; i++)
        put_locked(&p[i], held);
    spin_unlock(&lock);
}

bool frame_pin(hfn_t f, uint16_t owner)
{
    struct frame *p = frame_of(f);
    bool ok;

    spin_lock(&lock);
    ok = is_domains(p, owner) && p->type != FRAME_SHARED;
    if (ok) {
        p->refs++;
        p->pins++;
        p->type = FRAME_PINNED;
    }
    spin_unlock(&lock);
    return ok;
}

void frame_unpin(hfn_t f)
{
    struct locked held = spin_lock(&lock);
    struct frame *p = frame_of(f);

    ASSERT(p && p->type == FRAME_PINNED && p->pins);
    if (!--p->pins)
        p->type = FRAME_PRIVATE;
    put_locked(p, held);
    spin_unlock(&lock);
}

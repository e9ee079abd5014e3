/* SPDX-License-Identifier: MIT */
/*
 * Levels count from 0 (a table of 4 KiB pages) to 3 (the root). A change allocates what it needs
 * first and then cannot fail. Empty tables stay until the domain dies: max_tables bounds them.
 */
#include "mm/p2m.h"

#include <xen/errno.h>
#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"

#define LEVELS     4
#define ENTRIES    512U
#define ADDR_MASK  0x000ffffffffff000UL
#define TYPE_SHIFT 52 /* software bits: ignored by EPT and NPT */
#define TYPE_MASK  0xfUL
#define TABLE_COST 16U /* of going through a table and freeing it, in pages freed */
#define LARGE_COST 64U /* of freeing a large page */
_Static_assert(GFN_BITS <= 8 * sizeof(((struct frame *)0)->gfn), "struct frame holds any gfn");

static unsigned index_at(gfn_t gfn, unsigned level)
{
    return (unsigned)(gfn.val >> (9 * level)) % ENTRIES;
}

static enum p2m_type entry_type(uint64_t e)
{
    return (enum p2m_type)(e >> TYPE_SHIFT & TYPE_MASK);
}

static hfn_t entry_hfn(uint64_t e)
{
    return mk_hfn((e & ADDR_MASK) >> PAGE_SHIFT);
}

/* Only leaves carry a type. */
static bool is_leaf(uint64_t e)
{
    return entry_type(e) != P2M_NONE;
}

static uint64_t *entry_table(uint64_t e)
{
    return arch_hfn_to_hva(entry_hfn(e));
}

static uint64_t table_entry(const struct p2m *p, uint64_t *table)
{
    return arch_hva_to_hfn(table).val << PAGE_SHIFT | p->fmt->present;
}

static uint64_t leaf_entry(const struct p2m *p, hfn_t f, enum p2m_type t, bool large)
{
    uint64_t e = f.val << PAGE_SHIFT | p->fmt->leaf | (uint64_t)t << TYPE_SHIFT;

    if (t != P2M_GRANT_RO)
        e |= p->fmt->writable;
    e |= t == P2M_RAM && !(large && p->code_4k) ? p->fmt->exec : p->fmt->nx;
    return large ? e | p->fmt->large : e;
}

int p2m_init(struct p2m *p, const struct p2m_format *fmt, uint16_t owner)
{
    *p = (struct p2m){.fmt = fmt, .owner = owner, .max_tables = ~0UL, .tables = 1};
    p->root = hyp_alloc_table();
    return p->root ? 0 : -XEN_ENOMEM;
}

/* The entry of level 1 for gfn, or the empty one above it that ends the way. */
static uint64_t *walk_down(struct p2m *p, gfn_t gfn)
{
    uint64_t *table = p->root, *e;

    for (unsigned level = LEVELS - 1; level > 1; level--) {
        e = &table[index_at(gfn, level)];
        if (!*e)
            return e;
        table = entry_table(*e);
    }
    e = &table[index_at(gfn, 1)];
    p->recent[gfn.val / ENTRIES % P2M_RECENT] = (struct p2m_recent){gfn.val / ENTRIES, e};
    return e;
}

/* The entry for gfn at the lowest level there is, which comes back in *level. */
static uint64_t *walk(const struct p2m *p, gfn_t gfn, unsigned *level)
{
    uint64_t *table = p->root;

    for (*level = LEVELS - 1;; --*level) {
        uint64_t *e = &table[index_at(gfn, *level)];

        if (!*level || !*e || is_leaf(*e))
            return e;
        table = entry_table(*e);
    }
}

enum p2m_type p2m_lookup(struct p2m *p, gfn_t gfn, hfn_t *f, unsigned *order)
{
    unsigned level;
    uint64_t e;

    spin_lock(&p->lock);
    e = gfn.val >> GFN_BITS ? 0 : *walk(p, gfn, &level);
    spin_unlock(&p->lock);
    if (!e)
        return P2M_NONE;
    *f = hfn_add(entry_hfn(e), level ? gfn.val % ENTRIES : 0);
    if (order)
        *order = level ? ORDER_2M : ORDER_4K;
    return entry_type(e);
}

static uint64_t *table_pop(uint64_t **chain)
{
    uint64_t *t = *chain;

    *chain = (uint64_t *)t[0];
    t[0] = 0;
    return t;
}

/* n linked zeroed tables (by their first word), or NULL. */
static uint64_t *tables_alloc(struct p2m *p, unsigned n)
{
    uint64_t *chain = NULL;

    if (p->max_tables - p->tables < n)
        return NULL;
    for (unsigned i = 0; i < n; i++) {
        uint64_t *t = hyp_alloc_table();

        if (!t) {
            while (chain)
                hyp_free(table_pop(&chain), 0);
            return NULL;
        }
        t[0] = (uint64_t)chain;
        chain = t;
    }
    p->tables += n;
    return chain;
}

/* Makes tables so that gfn has an entry at level target. *e may be a leaf above it: not changed. */
static int extend(struct p2m *p, gfn_t gfn, unsigned target, uint64_t **out)
{
    unsigned level;
    uint64_t *e = walk(p, gfn, &level), *chain;

    if (level > target && !*e) {
        chain = tables_alloc(p, level - target);
        if (!chain)
            return -XEN_ENOMEM;
        for (; level > target; level--) {
            uint64_t *table = table_pop(&chain);

            WRITE_ONCE(*e, table_entry(p, table));
            e = &table[index_at(gfn, level - 1)];
        }
    }
    *out = e;
    return 0;
}

static void fill(struct p2m *p, uint64_t *table, hfn_t f, enum p2m_type t)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = leaf_entry(p, hfn_add(f, i), t, false);
}

static bool is_empty(const uint64_t *table)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (table[i])
            return false;
    return true;
}

/* A leaf of this level. */
static int map_leaf(struct p2m *p, gfn_t gfn, hfn_t f, enum p2m_type t, unsigned level)
{
    uint64_t *e;
    int rc = extend(p, gfn, level, &e);

    if (rc)
        return rc;
    if (*e)
        return -XEN_EEXIST;
    WRITE_ONCE(*e, leaf_entry(p, f, t, level));
    return 0;
}

static int map_large(struct p2m *p, gfn_t gfn, hfn_t f, enum p2m_type t)
{
    unsigned level;
    uint64_t *table = walk(p, gfn, &level);

    if (level)
        return map_leaf(p, gfn, f, t, 1);
    table -= index_at(gfn, 0);
    if (!is_empty(table)) /* there is a table already: fine when nothing is in it */
        return -XEN_EEXIST;
    fill(p, table, f, t);
    return 0;
}

int p2m_map(struct p2m *p, gfn_t gfn, hfn_t f, unsigned order, enum p2m_type t)
{
    int rc;

    ASSERT(order == ORDER_4K || order == ORDER_2M);
    ASSERT(t != P2M_NONE && !((gfn.val | f.val) & (BIT(order) - 1)));
    if (gfn.val >> GFN_BITS)
        return -XEN_EINVAL;
    spin_lock(&p->lock);
    rc = order ? map_large(p, gfn, f, t) : map_leaf(p, gfn, f, t, 0);
    if (!rc && t == P2M_RAM) {
        p->ram_frames += BIT(order);
        for (uint64_t i = 0; i < BIT(order); i++)
            frame_of(hfn_add(f, i))->gfn = (uint32_t)(gfn.val + i);
    }
    spin_unlock(&p->lock);
    return rc;
}

/* The 4 KiB entry for gfn, whose entry is there; NULL: no memory to split a large one. */
static uint64_t *small_entry(struct p2m *p, gfn_t gfn, uint64_t *e, unsigned level)
{
    uint64_t *table;

    if (!level)
        return e;
    table = tables_alloc(p, 1);
    if (!table)
        return NULL;
    fill(p, table, entry_hfn(*e), entry_type(*e));
    WRITE_ONCE(*e, table_entry(p, table));
    return &table[index_at(gfn, 0)];
}

int p2m_split(struct p2m *p, gfn_t gfn)
{
    unsigned level;
    uint64_t *e;
    spin_guard(held, &p->lock);

    e = walk(p, gfn, &level);
    return !*e || small_entry(p, gfn, e, level) ? 0 : -XEN_ENOMEM;
}

static int unmap_locked(struct p2m *p, gfn_t gfn, hfn_t *f, enum p2m_type *t, bool busy)
{
    unsigned level;
    uint64_t *e = walk(p, gfn, &level);

    if (!*e)
        return -XEN_ENOENT;
    e = small_entry(p, gfn, e, level);
    if (!e)
        return -XEN_ENOMEM;
    if (!busy && entry_type(*e) == P2M_RAM && READ_ONCE(frame_of(entry_hfn(*e))->refs) > 1)
        return -XEN_EBUSY;
    *f = entry_hfn(*e);
    *t = entry_type(*e);
    WRITE_ONCE(*e, 0);
    if (*t == P2M_RAM) {
        p->ram_frames--;
        p->ram_gen++;
    }
    __atomic_add_fetch(&p->gen, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int unmap(struct p2m *p, gfn_t gfn, hfn_t *f, enum p2m_type *t, bool busy)
{
    int rc;

    if (gfn.val >> GFN_BITS)
        return -XEN_ENOENT;
    spin_lock(&p->lock);
    rc = unmap_locked(p, gfn, f, t, busy);
    spin_unlock(&p->lock);
    return rc;
}

int p2m_unmap_noflush(struct p2m *p, gfn_t gfn, hfn_t *f, enum p2m_type *t)
{
    return unmap(p, gfn, f, t, true);
}

int p2m_unmap_idle_noflush(struct p2m *p, gfn_t gfn, hfn_t *f, enum p2m_type *t)
{
    return unmap(p, gfn, f, t, false);
}

/* The frame behind gfn and the type of its entry, HFN_NONE and P2M_NONE when there is none. */
static inline __attribute__((always_inline)) hfn_t find(struct p2m *p, gfn_t gfn, enum p2m_type *t)
{
    const struct p2m_recent *r = &p->recent[gfn.val / ENTRIES % P2M_RECENT];
    uint64_t e = 0;

    *t = P2M_NONE;
    if (likely(r->entry && r->region == gfn.val / ENTRIES))
        e = *r->entry;
    else if (!(gfn.val >> GFN_BITS))
        e = *walk_down(p, gfn);
    if (!e)
        return HFN_NONE;
    if (is_leaf(e))
        e += gfn.val % ENTRIES << PAGE_SHIFT;
    else
        e = entry_table(e)[index_at(gfn, 0)];
    *t = entry_type(e);
    return *t == P2M_NONE ? HFN_NONE : entry_hfn(e);
}

static bool is_shared(hfn_t f)
{
    return frame_of(f)->type == FRAME_SHARED;
}

hfn_t p2m_peek(struct p2m *p, gfn_t gfn, bool write, enum p2m_type *t, struct locked held)
{
    hfn_t f = find(p, gfn, t);

    (void)held;
    if (*t == P2M_NONE || *t == P2M_HYP || (write && (*t == P2M_GRANT_RO || is_shared(f))))
        return HFN_NONE;
    return f;
}

int p2m_get(struct p2m *p, gfn_t gfn, bool write, hfn_t *f)
{
    enum p2m_type t;
    bool found;

    spin_lock(&p->lock);
    *f = find(p, gfn, &t);
    found = t == P2M_RAM && !(write && is_shared(*f)) && frame_get(*f, frame_of(*f)->owner);
    spin_unlock(&p->lock);
    return found ? 0 : -XEN_EFAULT;
}

int p2m_pin(struct p2m *p, gfn_t gfn, hfn_t *f)
{
    enum p2m_type t;
    bool pinned;

    spin_lock(&p->lock);
    *f = find(p, gfn, &t);
    pinned = t == P2M_RAM && frame_pin(*f, p->owner);
    spin_unlock(&p->lock);
    return pinned ? 0 : -XEN_EFAULT;
}

/* Drops what a leaf of this level refers to. */
static unsigned drop_leaf(struct p2m *p, uint64_t e, unsigned level)
{
    unsigned order = level ? ORDER_2M : ORDER_4K;

    if (entry_type(e) != P2M_RAM)
        return 1;
    frame_put_block(entry_hfn(e), order);
    p->ram_frames -= BIT(order);
    return level ? LARGE_COST : 1;
}

/* Empties table, as far as budget goes; true when it is empty. */
/* NOLINTNEXTLINE(misc-no-recursion): once for each of LEVELS */
static bool free_table(struct p2m *p, uint64_t *table, unsigned level, unsigned *budget)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t e = table[i];
        unsigned dropped;

        if (!e)
            continue;
        if (!*budget)
            return false;
        if (is_leaf(e)) {
            dropped = drop_leaf(p, e, level);
            *budget -= MIN(*budget, dropped);
        } else {
            if (!free_table(p, entry_table(e), level - 1, budget))
                return false;
            hyp_free(entry_table(e), 0);
            p->tables--;
            *budget -= MIN(*budget, TABLE_COST);
        }
        table[i] = 0;
    }
    return true;
}

bool p2m_free_slice(struct p2m *p, unsigned budget)
{
    if (!p->root)
        return true;
    memset(p->recent, 0, sizeof(p->recent));
    if (!free_table(p, p->root, LEVELS - 1, &budget))
        return false;
    hyp_free(p->root, 0);
    p->root = NULL;
    p->tables--;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): once for each of LEVELS */
static uint64_t walk_table(const struct p2m *p, const uint64_t *table, unsigned level, gfn_t first,
                           p2m_walk_fn *fn, void *arg)
{
    uint64_t tables = 1;

    for (unsigned i = 0; i < ENTRIES; i++) {
        gfn_t gfn = gfn_add(first, (uint64_t)i << (9 * level));
        uint64_t e = table[i];

        if (e && !is_leaf(e)) {
            ASSERT(level);
            tables += walk_table(p, entry_table(e), level - 1, gfn, fn, arg);
        }
        for (unsigned k = 0; is_leaf(e) && k < (level ? ENTRIES : 1); k++)
            fn(arg, gfn_add(gfn, k), hfn_add(entry_hfn(e), k), entry_type(e), e & p->fmt->writable);
    }
    return tables;
}

uint64_t p2m_walk(const struct p2m *p, p2m_walk_fn *fn, void *arg)
{
    return walk_table(p, p->root, LEVELS - 1, mk_gfn(0), fn, arg);
}

/* SPDX-License-Identifier: MIT */
#include "xs/vault.h"

#include "hyp/lib/string.h"

#define MAGIC     0x544c554156534258ULL /* "XBSVAULT" */
#define VERSION   2U
#define IS_RECORD 0x80U /* in a block's kind */

/* The order of stores is all that a process which is killed leaves behind. */
#define barrier() __atomic_signal_fence(__ATOMIC_SEQ_CST)

static uint32_t *refs_of(struct block *b)
{
    size_t head = b->kind & IS_RECORD ? sizeof(struct record) : sizeof(struct block);

    return (uint32_t *)(void *)((uint8_t *)b + head);
}

static void *live_of(struct record *r)
{
    return r + 1;
}

static void *saved_of(struct record *r)
{
    return (uint8_t *)(r + 1) + r->live;
}

static uint8_t *marks_of(const struct vault *v)
{
    return (uint8_t *)(v->head + 1);
}

/* --- recovery --- */

/* A reference to something that can be a block: its end is inside, its references fit. */
static bool plausible(const struct vault *v, uint32_t ref)
{
    const struct heap *h = &v->heap;
    struct block *b;
    uint32_t bytes, need;

    if (ref % HEAP_UNIT || ref < h->start || ref >= h->end)
        return false;
    b = heap_at(h, ref);
    bytes = b->units * HEAP_UNIT;
    need = (uint32_t)((uint8_t *)refs_of(b) - (uint8_t *)b);
    need += (uint32_t)sizeof(uint32_t) * b->refs;
    if (!bytes || bytes > h->end - ref || need > bytes || !b->kind ||
        (b->kind & ~IS_RECORD) >= VAULT_KINDS)
        return false;
    if (!(b->kind & IS_RECORD))
        return true;
    need = ((struct record *)(void *)b)->live;
    return need <= bytes && need >= 4U * b->refs && need <= (bytes - sizeof(struct record)) / 2;
}

static bool undo(struct vault *v)
{
    uint32_t most = (v->heap.end - v->heap.start) / HEAP_UNIT;

    for (uint32_t ref = v->head->touched; ref; most--) {
        struct record *r;

        if (!most || !plausible(v, ref))
            return false;
        r = vault_at(v, ref);
        if (!(r->block.kind & IS_RECORD))
            return false;
        memcpy(live_of(r), saved_of(r), r->live);
        ref = r->next;
    }
    barrier();
    v->head->touched = 0;
    return true;
}

/* Counts the references to all that can be reached and sets the mark of each. */
static bool mark(struct vault *v)
{
    uint8_t *marks = marks_of(v);
    uint32_t todo = 0, ref = v->head->root;

    memset(marks, 0, v->heap.end / HEAP_UNIT / 8 + 1);
    if (!plausible(v, ref))
        return false;
    marks[ref / HEAP_UNIT / 8] |= (uint8_t)(1U << (ref / HEAP_UNIT % 8));
    heap_at(&v->heap, ref)->count = 1;
    heap_at(&v->heap, ref)->link = 0;
    todo = ref;
    while (todo) {
        struct block *b = heap_at(&v->heap, todo);
        const uint32_t *refs = refs_of(b);

        todo = b->link;
        b->fresh = 0;
        for (unsigned i = 0; i < b->refs; i++) {
            struct block *to = heap_at(&v->heap, refs[i]);
            uint32_t unit = refs[i] / HEAP_UNIT;

            if (!refs[i])
                continue;
            if (!plausible(v, refs[i]))
                return false;
            if (marks[unit / 8] & 1U << unit % 8) {
                to->count++;
                continue;
            }
            marks[unit / 8] |= (uint8_t)(1U << unit % 8);
            to->count = 1;
            to->link = todo;
            todo = refs[i];
        }
    }
    return true;
}

/* The first mark in [unit, end). */
static uint32_t next_mark(const uint8_t *marks, uint32_t unit, uint32_t end)
{
    while (unit < end && !(marks[unit / 8] & 1U << unit % 8))
        unit += unit % 8 == 0 && !marks[unit / 8] ? 8 : 1;
    return MIN(unit, end);
}

/* What is not marked is free. False: two blocks overlap. */
static bool sweep(struct vault *v)
{
    const uint8_t *marks = marks_of(v);
    uint32_t unit = v->heap.start / HEAP_UNIT, end = v->heap.end / HEAP_UNIT;
    uint16_t below = 0;

    while (unit < end) {
        uint32_t next = next_mark(marks, unit, end);
        struct block *b;

        below = heap_add(&v->heap, unit * HEAP_UNIT, next * HEAP_UNIT, below);
        if (next == end)
            return true;
        b = heap_at(&v->heap, next * HEAP_UNIT);
        b->below = below;
        below = b->units;
        unit = next + b->units;
        if (next_mark(marks, next + 1, MIN(unit, end)) < unit)
            return false;
    }
    return true;
}

static void heap_reset(struct vault *v, void *base, uint32_t size)
{
    uint32_t marks = size / HEAP_UNIT / 8 + 1;

    heap_init(&v->heap, base, ROUND_UP((uint32_t)sizeof(*v->head) + marks, HEAP_UNIT),
              ROUND_DOWN(size, HEAP_UNIT));
}

static bool recover(struct vault *v, void *base, uint32_t size)
{
    if (!undo(v) || !mark(v))
        return false;
    heap_reset(v, base, size);
    if (!sweep(v))
        return false;
    v->head->stamp++;
    return true;
}

enum vault_state vault_open(struct vault *v, void *base, uint32_t size, uint64_t layout,
                            const uint64_t key[2])
{
    struct vault_head *head = base;
    enum vault_state state = VAULT_NEW;

    if (size < VAULT_MIN)
        return VAULT_TOO_SMALL;
    v->head = head;
    v->fresh = 0;
    v->refused = false;
    heap_reset(v, base, size);
    if (head->magic == MAGIC) {
        if (head->version == VERSION && head->size == size && head->layout == layout &&
            recover(v, base, size))
            return VAULT_FOUND;
        state = VAULT_DAMAGED;
    }
    head->magic = 0;
    barrier();
    heap_reset(v, base, size);
    heap_add(&v->heap, v->heap.start, v->heap.end, 0);
    *head = (struct vault_head){
        .version = VERSION, .size = size, .layout = layout, .key = {key[0], key[1]}, .stamp = 1};
    return state;
}

/* --- requests --- */

static void *make(struct vault *v, uint8_t kind, uint16_t refs, uint32_t fixed, uint32_t extra)
{
    uint32_t ref;
    struct block *b;

    ref = extra <= HEAP_MAX ? heap_alloc(&v->heap, fixed + extra, kind) : 0;
    if (!ref) {
        v->refused = true;
        return NULL;
    }
    b = heap_at(&v->heap, ref);
    memset(b + 1, 0, fixed - sizeof(*b));
    b->count = 0;
    b->refs = refs;
    b->fresh = 1;
    b->link = v->fresh;
    v->fresh = ref;
    return b;
}

void *vault_new(struct vault *v, uint8_t kind, uint16_t refs, uint32_t fixed, uint32_t extra)
{
    return make(v, kind, refs, fixed, extra);
}

void *vault_new_record(struct vault *v, uint8_t kind, uint16_t refs, uint32_t live, uint32_t fixed,
                       uint32_t extra)
{
    struct record *r = make(v, kind | IS_RECORD, refs, fixed, extra);

    if (!r)
        return NULL;
    r->live = live;
    r->stamp = v->head->stamp;
    return r;
}

void vault_touch(struct vault *v, void *record)
{
    struct record *r = record;

    if (r->stamp == v->head->stamp)
        return;
    memcpy(saved_of(r), live_of(r), r->live);
    r->next = v->head->touched;
    barrier();
    v->head->touched = vault_ref(v, r);
    barrier();
    r->stamp = v->head->stamp;
}

bool vault_clean(const struct vault *v)
{
    return !v->fresh && !v->head->touched;
}

static void count_up(struct vault *v, uint32_t ref)
{
    if (ref)
        heap_at(&v->heap, ref)->count++;
}

/* One reference less; what nobody refers to goes on the list of the dying. */
static void count_down(struct vault *v, uint32_t ref, uint32_t *dying)
{
    struct block *b = heap_at(&v->heap, ref);

    if (!ref || --b->count)
        return;
    b->link = *dying;
    *dying = ref;
}

static void count_changed(struct vault *v, struct record *r, bool up, uint32_t *dying)
{
    const uint32_t *live = live_of(r), *saved = saved_of(r);

    for (unsigned i = 0; i < r->block.refs; i++) {
        if (live[i] == saved[i])
            continue;
        if (up)
            count_up(v, live[i]);
        else
            count_down(v, saved[i], dying);
    }
}

static void bury(struct vault *v, uint32_t dying)
{
    while (dying) {
        struct block *b = heap_at(&v->heap, dying);
        uint32_t ref = dying;

        dying = b->link;
        for (unsigned i = 0; i < b->refs; i++)
            count_down(v, refs_of(b)[i], &dying);
        heap_free(&v->heap, ref);
    }
}

/* Counts go up before any goes down. */
static void settle(struct vault *v, uint32_t touched)
{
    struct record *r;
    struct block *b;
    uint32_t dying = 0;

    for (b = vault_at(v, v->fresh); b; b = vault_at(v, b->link))
        for (unsigned i = 0; i < b->refs; i++)
            count_up(v, refs_of(b)[i]);
    for (r = vault_at(v, touched); r; r = vault_at(v, r->next))
        count_changed(v, r, true, NULL);
    while (v->fresh) {
        uint32_t ref = v->fresh;

        b = heap_at(&v->heap, ref);
        v->fresh = b->link;
        b->fresh = 0;
        if (!b->count) {
            b->link = dying;
            dying = ref;
        }
    }
    for (r = vault_at(v, touched); r; r = vault_at(v, r->next))
        count_changed(v, r, false, &dying);
    bury(v, dying);
}

void vault_commit(struct vault *v)
{
    uint32_t touched = v->head->touched;

    barrier();
    v->head->touched = 0;
    barrier();
    v->head->stamp++;
    v->refused = false;
    settle(v, touched);
}

void vault_abort(struct vault *v)
{
    for (struct record *r = vault_at(v, v->head->touched); r; r = vault_at(v, r->next))
        memcpy(live_of(r), saved_of(r), r->live);
    barrier();
    v->head->touched = 0;
    v->head->stamp++;
    v->refused = false;
    while (v->fresh) {
        uint32_t ref = v->fresh;

        v->fresh = heap_at(&v->heap, ref)->link;
        heap_free(&v->heap, ref);
    }
}

void vault_set_root(struct vault *v, void *record)
{
    ((struct block *)record)->count = 1;
    v->head->root = vault_ref(v, record);
    barrier();
    v->head->magic = MAGIC;
    barrier();
    vault_commit(v);
}

/* SPDX-License-Identifier: MIT */
/*
 * Memory that outlives whoever works in it. The process may be killed at any instruction; who comes
 * next finds the state of the last commit, and nothing of what was under way.
 *
 * The state is a graph of objects, reached from one root. There are two sorts:
 *
 *   an object never changes once it has been committed: who wants another makes another;
 *   a record has live words which change in place. vault_touch(), before the first change of a
 *   request, saves them beside and puts the record on a list, whose head is one word of the vault.
 *
 * Storing 0 to that word is the commit, whatever was changed. A new object becomes part of the
 * state when a record that refers to it is committed. If the word is not 0 when a process starts,
 * the records on the list get back what was saved. References are counted, but the counts, like the
 * free memory, are made anew from the root by vault_open().
 *
 * References are offsets: the vault may be mapped anywhere, at a multiple of 16.
 */
#ifndef BH_XS_VAULT_H
#define BH_XS_VAULT_H

#include "xs/heap.h"

#define VAULT_KINDS 16U
#define VAULT_MIN   65536U

struct record {
    struct block block;
    uint32_t next; /* of the touched ones */
    uint32_t live; /* bytes of its live words, which follow, begin with the references, and have the
                    * saved ones behind them */
    uint64_t stamp; /* volatile: the last request that touched it */
};

struct vault_head {
    uint64_t magic;
    uint32_t version, size;
    uint64_t layout; /* what the embedding program's objects look like */
    uint64_t key[2]; /* of hashes */
    uint32_t root;
    uint32_t touched; /* the list's head: 0 is committed */
    uint64_t stamp;   /* volatile: the number of the request */
};

struct vault {
    struct heap heap;
    struct vault_head *head;
    uint32_t fresh; /* objects made by this request */
    bool refused;   /* the request did not get memory */
};

enum vault_state { VAULT_FOUND, VAULT_NEW, VAULT_DAMAGED, VAULT_TOO_SMALL };

/*
 * Opens the vault that is there, undoing what was not committed. VAULT_NEW, VAULT_DAMAGED: it was
 * none, or one of another layout, or its objects are not sound; it is empty now, with this key, and
 * the caller makes the root.
 */
enum vault_state vault_open(struct vault *v, void *base, uint32_t size, uint64_t layout,
                            const uint64_t key[2]);

static inline void *vault_at(const struct vault *v, uint32_t ref)
{
    return ref ? v->heap.base + ref : NULL;
}

static inline uint32_t vault_ref(const struct vault *v, const void *object)
{
    return object ? (uint32_t)((const uint8_t *)object - v->heap.base) : 0;
}

static inline uint32_t vault_bytes(const void *object)
{
    return ((const struct block *)object)->units * HEAP_UNIT;
}

/* Made by this request: it may still be changed in place. */
static inline bool vault_is_fresh(const void *object)
{
    return ((const struct block *)object)->fresh;
}

/* A new object of fixed bytes, zeroed but for the block head, and extra bytes after them, not
 * zeroed. NULL: no memory. */
void *vault_new(struct vault *v, uint8_t kind, uint16_t refs, uint32_t fixed, uint32_t extra);
/* A new record; fixed counts struct record and the live words twice. */
void *vault_new_record(struct vault *v, uint8_t kind, uint16_t refs, uint32_t live, uint32_t fixed,
                       uint32_t extra);
/* To be called before the live words of a record change. */
void vault_touch(struct vault *v, void *record);
/* True when the request has changed nothing so far. */
bool vault_clean(const struct vault *v);
void vault_commit(struct vault *v);
/* Everything is as it was at the last commit. */
void vault_abort(struct vault *v);
/* The root, once, in an empty vault: a record. Commits. */
void vault_set_root(struct vault *v, void *record);

#endif

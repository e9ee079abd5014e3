/* SPDX-License-Identifier: MIT */
/*
 * What the two processes of bl-xenstored share: a ring for each client, who wants what, and the
 * vault. The parent never looks into the vault, the worker never sees a socket.
 *
 * A slot is free, then open (by the parent: the worker attaches it), then closing (by the parent:
 * the worker detaches it and it is free). A broken one the parent closes. Slots of domains belong
 * to the worker; the parent passes bytes while they are introduced.
 *
 * Each of the two says when it goes to sleep, and looks once more then; so the other one, which
 * looks after it has marked a slot, need not wake who is awake.
 */
#ifndef BH_XS_SHARED_H
#define BH_XS_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <xen/io/xs_wire.h>

#define CLIENTS 4096U /* slots of sockets; those of domains follow */
#define DOMAINS 1024U
#define SLOTS   (CLIENTS + DOMAINS)

enum slot_state { SLOT_FREE, SLOT_OPEN, SLOT_CLOSING, SLOT_BROKEN, SLOT_RESERVED, SLOT_INTRODUCED };

struct slot {
    _Atomic uint32_t state;
    uint32_t domid;
};

#define SLOT_WORDS  (SLOTS / 64)
#define SLOT_GROUPS ((SLOT_WORDS + 63) / 64)

/* Slots, a bit for each, and a bit for each word that may have some. */
struct slot_set {
    _Atomic uint64_t groups[SLOT_GROUPS], words[SLOT_WORDS];
};

struct shared {
    struct slot_set kicked;   /* by the parent: the worker should look */
    struct slot_set notified; /* by the worker: the parent should look */
    _Atomic bool worker_sleeps, parent_sleeps;
    _Atomic uint64_t progress; /* counts what the worker has done */
    struct slot slots[SLOTS];
    _Alignas(4096) struct {
        struct xenstore_domain_interface ring;
        char unused[4096 - sizeof(struct xenstore_domain_interface)];
    } pages[SLOTS];
    _Alignas(4096) char vault[];
};

struct worker_args {
    struct shared *shared;
    uint32_t vault_size;
    uint64_t key[2];
    int wake, tell; /* eventfds: for the worker, for the parent; -1: they are one process */
};

static inline void slots_mark(struct slot_set *set, uint32_t slot)
{
    uint32_t word = slot / 64;

    atomic_fetch_or(&set->words[word], 1ULL << slot % 64);
    atomic_fetch_or(&set->groups[word / 64], 1ULL << word % 64);
}

static inline bool slots_empty(struct slot_set *set)
{
    for (uint32_t group = 0; group < SLOT_GROUPS; group++)
        if (set->groups[group])
            return false;
    return true;
}

/* Empties the set. A group's bit goes before its words are read: none that comes then is lost. */
static inline void slots_take(struct slot_set *set, void (*each)(uint32_t slot))
{
    for (uint32_t group = 0; group < SLOT_GROUPS; group++) {
        uint64_t words = set->groups[group] ? atomic_exchange(&set->groups[group], 0) : 0;

        for (; words; words &= words - 1) {
            uint32_t word = group * 64 + (uint32_t)__builtin_ctzll(words);
            uint64_t bits = atomic_exchange(&set->words[word], 0);

            for (; bits; bits &= bits - 1)
                each(word * 64 + (uint32_t)__builtin_ctzll(bits));
        }
    }
}

/* Opens the store; a turn does what there is to do now, and is true when there may be more. */
void worker_begin(const struct worker_args *given);
bool worker_turn(void);
/* Serves the store until it is killed. Exits with WORKER_HOPELESS when that makes no sense. */
#define WORKER_HOPELESS 3
void worker_run(const struct worker_args *given) __attribute__((noreturn));

#endif

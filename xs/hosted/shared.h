/* SPDX-License-Identifier: MIT */
/*
 * What the two processes of bl-xenstored share: a ring for each client, who wants what, and the
 * vault. The parent never looks into the vault, the worker never sees a socket.
 *
 * A slot is free, then open (by the parent: the worker attaches it), then closing (by the parent:
 * the worker detaches it and it is free). A broken one the parent closes. Slots of domains belong
 * to the worker; the parent passes bytes while they are introduced.
 */
#ifndef BH_XS_SHARED_H
#define BH_XS_SHARED_H

#include <stdatomic.h>
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

struct shared {
    _Atomic uint64_t kicked[SLOTS / 64];   /* by the parent: the worker should look */
    _Atomic uint64_t notified[SLOTS / 64]; /* by the worker: the parent should look */
    _Atomic uint64_t progress;             /* counts what the worker has done */
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
    int wake, tell; /* eventfds: for the worker, for the parent */
};

static inline void shared_mark(_Atomic uint64_t *words, uint32_t slot)
{
    atomic_fetch_or(&words[slot / 64], 1ULL << slot % 64);
}

/* Serves the store until it is killed. Exits with WORKER_HOPELESS when that makes no sense. */
#define WORKER_HOPELESS 3
void worker_run(const struct worker_args *given) __attribute__((noreturn));

#endif

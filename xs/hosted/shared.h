/* SPDX-License-Identifier: MIT */
/*
 * What the two processes of bl-xenstored share. The keeper holds what must not die: this memory and
 * the clients' sockets. The worker is the store, and moves bytes between sockets and rings; it may
 * be killed at any time, and the next one, which has all sockets, goes on where it was.
 *
 * Each client has a slot. The keeper gives a socket to it; the worker says when it is to be closed.
 */
#ifndef BH_XS_SHARED_H
#define BH_XS_SHARED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct mmsghdr */
#endif

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <xen/io/xs_wire.h>

#define CLIENTS 4096U /* slots of sockets; those of domains follow */
#define DOMAINS 1024U
#define SLOTS   (CLIENTS + DOMAINS)

/* Free, open, broken: slots of sockets. Reserved, introduced: those of domains. */
enum slot_state { SLOT_FREE, SLOT_OPEN, SLOT_BROKEN, SLOT_RESERVED, SLOT_INTRODUCED };

struct slot {
    _Atomic uint32_t state;
    uint32_t domid;
    _Atomic bool hung_up; /* by the worker: the keeper closes the socket */
};

/*
 * The system call that moves bytes of a ring, and may be the last that the worker makes. Linux
 * writes to the memory, before it lets the worker die, how many bytes it has moved: so the next one
 * knows as well (recvmmsg(2), sendmmsg(2): msg_len).
 */
struct transfer {
    struct mmsghdr message;
    struct iovec pieces[2];
    XENSTORE_RING_IDX from;
    XENSTORE_RING_IDX *index; /* the ring's, which was from before; NULL: there is no such call */
};

struct shared {
    struct transfer transfer;
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
    int sockets[SLOTS]; /* those that there were when the worker began; 0: none */
    int channel;        /* later ones come here, with the slot's number, from the keeper */
    int hung_up;        /* eventfd: to the keeper */
};

/* Serves the store until it is killed. Exits with WORKER_HOPELESS when that makes no sense. */
#define WORKER_HOPELESS 3
void worker_run(const struct worker_args *given) __attribute__((noreturn));

#endif

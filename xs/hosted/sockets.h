/* SPDX-License-Identifier: MIT */
/* The worker's clients: a socket each, whose bytes it moves to and from the ring of a slot. */
#ifndef BH_XS_SOCKETS_H
#define BH_XS_SOCKETS_H

#include "xs/hosted/shared.h"

/* Before all else, also before the store looks at the rings: ends what the last worker was at. */
void sockets_begin(const struct worker_args *args);
/* A slot's socket; -1: there are too many. */
void sockets_open(uint32_t slot, int fd);
/* The store has changed the slot, or its ring. */
void sockets_notify(uint32_t slot);
/* Takes what clients have sent. Sleeps until there is something, unless told not to. */
void sockets_wait(bool sleep);
/* Gives clients what is in the rings of all slots that have changed. True: there is more to do. */
bool sockets_serve_notified(void);

/* What they want of the store: a ring has changed, or its client has gone. */
void worker_kick(uint32_t slot);
void worker_detach(uint32_t slot);

#endif

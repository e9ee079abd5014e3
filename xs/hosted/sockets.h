/* SPDX-License-Identifier: MIT */
/* The parent's clients: a socket each, whose bytes it moves to and from the ring of a slot. */
#ifndef BH_XS_SOCKETS_H
#define BH_XS_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "xs/hosted/shared.h"

/* domid -1: any number of clients, all of domain 0; else one at a time, who is that domain. */
struct listener {
    int fd;
    int64_t domid;
    const char *path;
};

/* The socket is there and listened on; or the program ends with a message. */
void sockets_listen(struct listener *l);
void sockets_init(struct shared *shared, int epoll, int wake);
/* Epoll says this of a slot's socket; 0: the worker has changed the ring or the slot. */
void sockets_serve(uint32_t slot, uint32_t events);
void sockets_accept(const struct listener *l);
/* All rings that the worker has changed since. */
void sockets_serve_notified(void);
/* There is nothing to do; from now on, until it is awake, the parent is told when there is. */
bool sockets_may_sleep(void);
void sockets_awake(void);
/* Grows whenever the worker has done something. */
uint64_t sockets_progress(void);

#endif

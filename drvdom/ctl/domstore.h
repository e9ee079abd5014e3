/* SPDX-License-Identifier: MIT */
/*
 * Keeps the store's idea of the host's domains: introduces each, writes its entries, and takes away
 * those of who has gone. One request at a time on our own store ring. A new life of ours finds out
 * what is there already, and what has gone meanwhile; one of the store goes on where the last was.
 */
#ifndef BH_CTL_DOMSTORE_H
#define BH_CTL_DOMSTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "hyp/abi/control.h"

/* Our store ring; not called on a host that has no store: every domain is ready at once there. */
struct xenstore_domain_interface;
void domstore_init(struct xenstore_domain_interface *page, uint32_t port);
/* What the hypervisor's list says, at each look at it: begin, each domain, end. */
void domstore_scan_begin(void);
void domstore_scan(const struct bh_domain_info *d);
void domstore_scan_end(void);
/* The store's domain; negative: there is none. */
int domstore_peer(void);
/* Its entries are written. */
bool domstore_ready(uint32_t domid);
/* Somebody wants it to run as soon as it is ready; false: it is, or nothing is known of it. */
bool domstore_want(uint32_t domid);
bool domstore_wanted(uint32_t domid);
/* Takes an answer, makes a request; true: something has moved, and there may be more. Who has become
 * ready meanwhile is started. */
bool domstore_serve(void);

/*
 * Asks the store to serve, or to let go of, another ring of ours: page by grant ref, port. done is
 * called with the answer. False: too many ask at once.
 */
bool domstore_connect(bool connect, uint32_t ref, uint32_t port, void (*done)(void *arg, bool ok),
                      void *arg);

#endif

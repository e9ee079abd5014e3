/* SPDX-License-Identifier: MIT */
/* Between the parts of the bench guest. They run with interrupts off but where they wait. */
#ifndef BH_BENCH_BENCH_H
#define BH_BENCH_BENCH_H

#include "guestdrv/rt/rt.h"

/* Takes port's pending bit away, and the upcall if it has not come yet: was the bit set? */
bool bench_take(uint32_t port);
/* Exits, until the host's log is out: while it is not, each has a part in that. */
void bench_settle(void);

/* grants.c: our table; a page that is filled and granted to domain id. */
void grants_init(void);
void grants_give(uint16_t id);
/*
 * What domain id has granted us is copied from; or mapped and unmapped. Not with our own page: Xen
 * takes it from its place when it is mapped elsewhere.
 */
void grants_copy(uint16_t id, const char *name_64, const char *name_page);
void grants_map(uint16_t id, const char *name);
/* By a byte in the granted page: domain id is no longer needed. Are we? */
void grants_dismiss(uint16_t id);
bool grants_dismissed(void);

/* pair.c: what takes two domains, and the part of the other one. */
void pair_measure(uint16_t partner);
void pair_end(uint16_t partner);
void pair_serve(uint16_t peer);

#endif

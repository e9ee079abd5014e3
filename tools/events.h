/* SPDX-License-Identifier: MIT */
/* Changes of domains, as the host tells them. */
#ifndef BH_TOOLS_EVENTS_H
#define BH_TOOLS_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTS_FOREVER ~0UL

/* Milliseconds of a clock that goes on evenly. */
uint64_t events_now(void);

/* From now on changes are noted: a socket. */
int events_open(void);
/* Waits for the next change, or until deadline (events_now()); false: that has come. */
bool events_wait(int fd, uint64_t deadline);

#endif

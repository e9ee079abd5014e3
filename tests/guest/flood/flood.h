/* SPDX-License-Identifier: MIT */
/* The floods: one round of each. */
#ifndef BH_GUEST_FLOOD_H
#define BH_GUEST_FLOOD_H

#include <stdbool.h>

#include "tests/guest/hostile.h"

struct flood {
    const char *name;
    /* False: there was nothing to be done; others may run first. */
    bool (*round)(struct rng *r);
};

/* floodstore.c, floodconsole.c, floodevents.c; each array ends with an empty name. */
extern const struct flood floods_store[], floods_console[], floods_events[];

void flood_store_init(void);
void flood_console_init(void);
void flood_events_init(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A client's bytes that wait until somebody takes them. The client has credit for as many as there
 * is room for, and gets more as they go.
 */
#ifndef BH_CTL_HELD_H
#define BH_CTL_HELD_H

#include "drvdom/ctl/mux.h"

struct held {
    uint8_t *bytes;
    size_t n, room; /* room: for all */
};

/* n more have come. */
void held_add(struct held *h, const uint8_t *bytes, size_t n);
/* The first n have gone: the client may send as many on c. */
void held_drop(struct held *h, struct channel *c, size_t n);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One direction of a ring of bytes, in a page shared with somebody who may write anything to it at
 * any time. Each of the two indices has one writer; ours is published with release after the bytes
 * are written or read, and never read back.
 */
#ifndef BH_CTL_LANE_H
#define BH_CTL_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lane {
    char *bytes;
    uint32_t size; /* a power of two */
    uint32_t *ours, *theirs;
    uint32_t at;   /* our index */
    uint32_t bad;  /* times theirs was impossible */
    uint32_t kept; /* bytes before it that the other side still takes for unread */
};

/* Gives at most n bytes to the other side; returns how many it had room for. An impossible index
 * counts as no room. */
size_t lane_write(struct lane *l, const void *bytes, size_t n);
/* Takes at most n bytes; returns how many there were. An impossible index skips the rest. */
size_t lane_read(struct lane *l, void *bytes, size_t n);
/* The same in two steps: what was looked at and is not released yet is read by who comes after us.
 */
size_t lane_look(struct lane *l, void *bytes, size_t n);
void lane_release(struct lane *l, uint32_t n);
/* There is something to read. */
bool lane_waits(const struct lane *l);

#endif

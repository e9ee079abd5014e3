/* SPDX-License-Identifier: MIT */
/*
 * The backend's side of a Xen console ring (xen/io/console.h). The frontend may write anything to
 * the shared page at any time: our own indices are private, the other side's are read once and
 * checked.
 *
 *   out_prod, in_cons   written by the frontend
 *   out_cons, in_prod   written by us only, published with release after the bytes
 */
#ifndef BH_CTL_CONRING_H
#define BH_CTL_CONRING_H

#include <stddef.h>
#include <stdint.h>

#include <xen/io/console.h>

struct conring {
    struct xencons_interface *page;
    uint32_t out_cons, in_prod; /* private copies */
    uint32_t bad;               /* times the frontend published an impossible index */
};

void conring_init(struct conring *r, struct xencons_interface *page);
/* Takes at most n bytes the frontend wrote; returns how many. An impossible index skips the rest.
 */
size_t conring_read(struct conring *r, char *buf, size_t n);
/* Gives at most n bytes to the frontend; returns how many it had room for. */
size_t conring_write(struct conring *r, const char *buf, size_t n);

#endif

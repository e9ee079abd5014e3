/* SPDX-License-Identifier: MIT */
/*
 * The client's side of a store ring (xen/io/xs_wire.h). Our own indices are private; the other
 * side's are read once and checked.
 *
 *   req_prod, rsp_cons   written by us only, published with release after the bytes
 *   req_cons, rsp_prod   written by the store
 */
#ifndef BH_CTL_XSRING_H
#define BH_CTL_XSRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

struct xsring {
    struct xenstore_domain_interface *page;
    uint32_t req_prod, rsp_cons; /* private copies */
};

/* Goes on where the page's own indices are. */
void xsring_init(struct xsring *r, struct xenstore_domain_interface *page);
/* Gives at most n bytes to the store; returns how many it had room for. */
size_t xsring_write(struct xsring *r, const void *bytes, size_t n);
/* Takes at most n bytes; returns how many there were. An impossible index counts as none. */
size_t xsring_read(struct xsring *r, void *bytes, size_t n);
/* There is something to read. */
bool xsring_waits(const struct xsring *r);

#endif

/* SPDX-License-Identifier: MIT */
/* The backend's side of a Xen console ring. */
#ifndef BH_CTL_CONRING_H
#define BH_CTL_CONRING_H

#include <stdint.h>

#include <xen/io/console.h>
#include "drvdom/ctl/lane.h"
#include "hyp/lib/util.h"

struct conring {
    struct xencons_interface *page;
    struct lane out, in; /* as the frontend calls them */
};

/* Goes on where the page's own indices are. */
static inline void conring_init(struct conring *r, struct xencons_interface *page)
{
    r->page = page;
    r->out = (struct lane){.bytes = page->out,
                           .size = sizeof(page->out),
                           .ours = &page->out_cons,
                           .theirs = &page->out_prod,
                           .at = READ_ONCE(page->out_cons)};
    r->in = (struct lane){.bytes = page->in,
                          .size = sizeof(page->in),
                          .ours = &page->in_prod,
                          .theirs = &page->in_cons,
                          .at = READ_ONCE(page->in_prod)};
}

#endif

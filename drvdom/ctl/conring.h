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
    r->out = (struct lane){page->out,       sizeof(page->out),         &page->out_cons,
                           &page->out_prod, READ_ONCE(page->out_cons), 0};
    r->in = (struct lane){page->in,       sizeof(page->in),         &page->in_prod,
                          &page->in_cons, READ_ONCE(page->in_prod), 0};
}

#endif

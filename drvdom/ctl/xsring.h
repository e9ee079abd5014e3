/* SPDX-License-Identifier: MIT */
/* The client's side of a store ring. */
#ifndef BH_CTL_XSRING_H
#define BH_CTL_XSRING_H

#include <stdint.h>

#include <xen/io/xs_wire.h>
#include "drvdom/ctl/lane.h"
#include "hyp/lib/util.h"

struct xsring {
    struct xenstore_domain_interface *page;
    struct lane requests, answers;
};

/* Goes on where the page's own indices are. */
static inline void xsring_init(struct xsring *r, struct xenstore_domain_interface *page)
{
    r->page = page;
    r->requests = (struct lane){.bytes = page->req,
                                .size = sizeof(page->req),
                                .ours = &page->req_prod,
                                .theirs = &page->req_cons,
                                .at = READ_ONCE(page->req_prod)};
    r->answers = (struct lane){.bytes = page->rsp,
                               .size = sizeof(page->rsp),
                               .ours = &page->rsp_cons,
                               .theirs = &page->rsp_prod,
                               .at = READ_ONCE(page->rsp_cons)};
}

#endif

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
    r->requests = (struct lane){page->req,       sizeof(page->req),         &page->req_prod,
                                &page->req_cons, READ_ONCE(page->req_prod), 0};
    r->answers = (struct lane){page->rsp,       sizeof(page->rsp),         &page->rsp_cons,
                               &page->rsp_prod, READ_ONCE(page->rsp_cons), 0};
}

#endif

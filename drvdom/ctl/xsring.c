/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/xsring.h"

#include "hyp/lib/util.h"

void xsring_init(struct xsring *r, struct xenstore_domain_interface *page)
{
    *r = (struct xsring){page, READ_ONCE(page->req_prod), READ_ONCE(page->rsp_cons)};
}

size_t xsring_write(struct xsring *r, const void *bytes, size_t n)
{
    uint32_t used = r->req_prod - __atomic_load_n(&r->page->req_cons, __ATOMIC_ACQUIRE);
    const char *from = bytes;

    if (used > XENSTORE_RING_SIZE)
        return 0;
    n = MIN(n, XENSTORE_RING_SIZE - used);
    for (size_t i = 0; i < n; i++)
        r->page->req[MASK_XENSTORE_IDX(r->req_prod + i)] = from[i];
    r->req_prod += (uint32_t)n;
    __atomic_store_n(&r->page->req_prod, r->req_prod, __ATOMIC_RELEASE);
    return n;
}

size_t xsring_read(struct xsring *r, void *bytes, size_t n)
{
    uint32_t have = __atomic_load_n(&r->page->rsp_prod, __ATOMIC_ACQUIRE) - r->rsp_cons;
    char *to = bytes;

    if (have > XENSTORE_RING_SIZE)
        return 0;
    n = MIN(n, have);
    for (size_t i = 0; i < n; i++)
        to[i] = READ_ONCE(r->page->rsp[MASK_XENSTORE_IDX(r->rsp_cons + i)]);
    r->rsp_cons += (uint32_t)n;
    __atomic_store_n(&r->page->rsp_cons, r->rsp_cons, __ATOMIC_RELEASE);
    return n;
}

bool xsring_waits(const struct xsring *r)
{
    return __atomic_load_n(&r->page->rsp_prod, __ATOMIC_ACQUIRE) != r->rsp_cons;
}

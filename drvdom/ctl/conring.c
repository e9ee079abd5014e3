/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/conring.h"

#include "hyp/lib/util.h"

void conring_init(struct conring *r, struct xencons_interface *page)
{
    *r = (struct conring){.page = page, .out_cons = page->out_cons, .in_prod = page->in_prod};
}

size_t conring_read(struct conring *r, char *buf, size_t n)
{
    uint32_t prod = __atomic_load_n(&r->page->out_prod, __ATOMIC_ACQUIRE);
    uint32_t have = prod - r->out_cons;

    if (have > sizeof(r->page->out)) { /* what it wrote is lost by its own doing: start afresh */
        r->bad++;
        r->out_cons = prod;
        have = 0;
    }
    n = MIN(n, have);
    for (size_t i = 0; i < n; i++)
        buf[i] = READ_ONCE(r->page->out[MASK_XENCONS_IDX(r->out_cons + i, r->page->out)]);
    r->out_cons += (uint32_t)n;
    __atomic_store_n(&r->page->out_cons, r->out_cons, __ATOMIC_RELEASE);
    return n;
}

size_t conring_write(struct conring *r, const char *buf, size_t n)
{
    uint32_t used = r->in_prod - __atomic_load_n(&r->page->in_cons, __ATOMIC_ACQUIRE);
    size_t room = sizeof(r->page->in);

    if (used > room) {
        r->bad++;
        return 0;
    }
    n = MIN(n, room - used);
    for (size_t i = 0; i < n; i++)
        r->page->in[MASK_XENCONS_IDX(r->in_prod + i, r->page->in)] = buf[i];
    r->in_prod += (uint32_t)n;
    __atomic_store_n(&r->page->in_prod, r->in_prod, __ATOMIC_RELEASE);
    return n;
}

/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/held.h"

#include "hyp/lib/string.h"
#include "hyp/lib/util.h"

void held_add(struct held *h, const uint8_t *bytes, size_t n)
{
    n = MIN(n, h->room - h->n);
    memcpy(h->bytes + h->n, bytes, n);
    h->n += n;
}

void held_drop(struct held *h, struct channel *c, size_t n)
{
    h->n -= n;
    memmove(h->bytes, h->bytes + n, h->n);
    mux_credit(c, (uint32_t)n);
}

/* SPDX-License-Identifier: MIT */
/* The console's ring: output without an end, and indices that cannot be. */
#include "tests/guest/flood/flood.h"

#include <xen/hvm/params.h>
#include <xen/io/console.h>

static struct xencons_interface *page;
static uint32_t port;

/* Text as much as there is room for, a line of this length after the other. */
static bool fill(uint32_t line)
{
    uint32_t prod = page->out_prod;
    uint32_t room = sizeof(page->out) - (prod - __atomic_load_n(&page->out_cons, __ATOMIC_ACQUIRE));

    for (uint32_t i = 0; i < room; i++, prod++)
        page->out[MASK_XENCONS_IDX(prod, page->out)] = prod % line ? 'x' : '\n';
    __atomic_store_n(&page->out_prod, prod, __ATOMIC_RELEASE);
    rt_notify(port);
    return room;
}

static bool flood_text(struct rng *r)
{
    (void)r;
    return fill(61);
}

static bool flood_lines(struct rng *r)
{
    (void)r;
    return fill(2);
}

static bool flood_jumps(struct rng *r)
{
    WRITE_ONCE(page->out_prod, (uint32_t)rng_next(r));
    WRITE_ONCE(page->in_cons, (uint32_t)rng_next(r));
    rt_notify(port);
    return true;
}

const struct flood floods_console[] = {
    {"text", flood_text},
    {"lines", flood_lines},
    {"jumps", flood_jumps},
    {NULL, NULL},
};

void flood_console_init(void)
{
    port = (uint32_t)rt_param(HVM_PARAM_CONSOLE_EVTCHN);
    page = (void *)(rt_param(HVM_PARAM_CONSOLE_PFN) << 12);
}

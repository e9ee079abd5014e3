/* SPDX-License-Identifier: MIT */
/*
 * Maps the page that the domain of a number (the first on its command line) has granted, keeps it
 * while that is dead, and so for as many lives (the second) under that one number.
 */
#include "tests/guest/holder/holder.h"
#include "tests/guest/probe.h"

#include <xen/grant_table.h>
#include <xen/sched.h>

#define PAUSE 1000000UL /* ns */

static void sleep(uint64_t ns)
{
    struct sched_poll poll = {.timeout = rt_now() + ns};

    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

/* The other domain is dead, and nobody took its number. */
static void wait_for_death(uint16_t other)
{
    uint32_t handle;
    int status;
    void *page;

    while ((page = rt_grant_map(other, HOLDER_REF, &handle, &status))) {
        rt_grant_unmap(page, handle);
        sleep(PAUSE);
    }
    EQUAL(status, GNTST_bad_domain);
}

void probe_main(void)
{
    uint16_t other = (uint16_t)probe_number(0);
    uint64_t lives = probe_number(1), last = 0;

    for (uint64_t n = 0; n < lives; n++) {
        uint32_t handle;
        int status;
        uint64_t *page;

        while (!(page = rt_grant_map(other, HOLDER_REF, &handle, &status)))
            HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0); /* it is found while it is made */
        TRUE(*page > last);                                      /* not an earlier life's */
        last = *page;
        wait_for_death(other);
        sleep(10 * PAUSE);
        wait_for_death(other); /* it waits for us */
        EQUAL(*page, last);
        rt_grant_unmap(page, handle);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Sleeps 7 ms at a time (SCHEDOP_poll with a timeout) until the host's clock stands at TO ms
 * (command line), and says how late it was woken at worst, in microseconds.
 */
#include "tests/guest/probe.h"

#include <xen/sched.h>

#define MS 1000000UL

void probe_main(void)
{
    uint64_t to = probe_number(0) * MS, late, worst = 0, rounds = 0;

    while (rt_now() < to) {
        sched_poll_t p = {.nr_ports = 0, .timeout = rt_now() + 7 * MS};

        EQUAL(HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
        late = rt_now() - p.timeout;
        worst = late > worst ? late : worst;
        rounds++;
    }
    TRUE(rounds > 10);
    rt_print("late %lu\n", worst / 1000);
}

/* SPDX-License-Identifier: MIT */
/*
 * Writes a line every 20 ms, as many as its command line says, for ever without one; then asks for
 * the version, once. Never reads its console.
 */
#include "tests/guest/probe.h"

#include <xen/sched.h>
#include <xen/version.h>

#define PERIOD 20000000UL /* ns */

static uint32_t ticks(void)
{
    uint32_t n = 0;

    for (const char *p = rt_cmdline; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (uint32_t)(*p - '0');
    return n;
}

void probe_main(void)
{
    uint32_t last = ticks();

    for (uint32_t i = 1; !last || i <= last; i++) {
        sched_poll_t sleep = {.nr_ports = 0, .timeout = rt_now() + PERIOD};

        rt_print("tick %u\n", i);
        EQUAL(HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &sleep), 0);
    }
    EQUAL(HYPERCALL2(__HYPERVISOR_xen_version, XENVER_version, 0) >> 16, 4);
}

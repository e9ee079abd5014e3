/* SPDX-License-Identifier: MIT */
/*
 * Works all the time between two moments of the host's clock (command line: "FROM TO", ms) and says
 * how much it got done, and how long it ran and waited meanwhile (VCPUOP_get_runstate_info).
 */
#include "tests/guest/probe.h"

#include <xen/vcpu.h>

#define MS 1000000UL

static void work(void)
{
    for (unsigned i = 0; i < 5000; i++)
        __asm__ volatile("");
}

void probe_main(void)
{
    uint64_t from = probe_number(0) * MS, to = probe_number(1) * MS, units = 0;
    struct vcpu_runstate_info a, b;

    TRUE(rt_now() < from); /* or it was started too late */
    while (rt_now() < from)
        work();
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, &a), 0);
    for (; rt_now() < to; units++)
        work();
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, &b), 0);
    rt_print("units %lu running %lu runnable %lu\n", units,
             (b.time[RUNSTATE_running] - a.time[RUNSTATE_running]) / 1000,
             (b.time[RUNSTATE_runnable] - a.time[RUNSTATE_runnable]) / 1000);
}

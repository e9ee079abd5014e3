/* SPDX-License-Identifier: MIT */
/*
 * Random instructions in ring 0: "seed=N count=N last=N" on the command line. An attempt is a few
 * instructions with random registers, and ends with a trap, whatever they have changed; or with the
 * end of the domain, which is as good: its XML restarts it, and it goes on with other numbers until
 * its domain number is beyond the last one's. The second vCPU watches: it wakes, by an NMI, who
 * loops or halts for ever.
 */
#include "tests/guest/insns/insns.h"

#include <xen/sched.h>
#include <xen/vcpu.h>

#define MS       1000000UL
#define PATIENCE 30 /* looks without progress */

static struct rng rng;
static uint64_t attempts, count, trace, traps[33];

static void report(void)
{
    rt_print("%lu attempts: %lu #UD, %lu #GP, %lu #PF, %lu #DB, %lu #BP, %lu NMI, %lu others\n",
             attempts, traps[6], traps[13], traps[14], traps[1], traps[3], traps[2],
             attempts - traps[6] - traps[13] - traps[14] - traps[1] - traps[3] - traps[2]);
}

/* Bytes of the attempt in the order of memory, for "trace=LIFE". */
static uint64_t swapped(unsigned at)
{
    const uint8_t *p = arena_code + arena_context->rip % 4096 + at;
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void try_one(void) __noreturn;
static void try_one(void)
{
    insngen(&rng, arena_code, arena_context);
    if (rt_domid() == trace)
        rt_print("%lu: at %lx: %016lx %016lx %016lx, rax %lx rcx %lx rdx %lx rflags %lx\n",
                 attempts, arena_context->rip % 4096, swapped(0), swapped(8), swapped(16),
                 arena_context->rax, arena_context->rcx, arena_context->rdx, arena_context->rflags);
    arena_go();
}

void arena_trapped(uint64_t vector)
{
    traps[MIN(vector, 32)]++;
    if (++attempts >= count) {
        report();
        rt_shutdown(SHUTDOWN_reboot);
    }
    try_one();
}

static void watch(void)
{
    uint64_t seen = ~0UL;
    unsigned still = 0;

    for (;;) {
        sched_poll_t sleep = {.timeout = rt_now() + 3 * MS};
        uint64_t now = READ_ONCE(attempts);

        still = now == seen ? still + 1 : 0;
        seen = now;
        if (still == PATIENCE) { /* by INIT, or in a loop that traps */
            rt_print("given up after %lu attempts\n", now);
            rt_shutdown(SHUTDOWN_reboot);
        }
        if (still > 1) {
            HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0);
            HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_up, 0, 0); /* it may have halted for good */
        }
        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &sleep);
    }
}

void probe_main(void)
{
    uint64_t seed = hostile_option("seed", 1);

    if (rt_domid() > hostile_option("last", 0))
        return;
    count = hostile_option("count", 1000);
    trace = hostile_option("trace", 0);
    rt_print("seed=%lu count=%lu, life %u\n", seed, count, rt_domid());
    rng.state = seed * 1000003 + rt_domid();
    EQUAL(hostile_start_vcpu(1, watch), 0);
    arena_init();
    try_one();
}

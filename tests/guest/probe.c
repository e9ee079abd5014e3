/* SPDX-License-Identifier: MIT */
#include "tests/guest/probe.h"

#include <xen/sched.h>

static unsigned failed;
static void *jump[5];
static unsigned vector;

void probe_equal(long got, long want, const char *what, int line)
{
    if (got == want)
        return;
    failed++;
    rt_print("line %d: %s is %ld (0x%lx), not %ld\n", line, what, got, got, want);
}

static void trapped(unsigned v)
{
    vector = v;
    rt_trap_hook = NULL;
    __builtin_longjmp(jump, 1);
}

int probe_trap(void (*fn)(uint64_t arg), uint64_t arg)
{
    if (__builtin_setjmp(jump))
        return (int)vector;
    rt_trap_hook = trapped;
    fn(arg);
    rt_trap_hook = NULL;
    return -1;
}

static uint32_t msr_number;
static uint64_t msr_value;

static void do_rdmsr(uint64_t arg)
{
    uint32_t lo, hi;

    (void)arg;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr_number));
    msr_value = (uint64_t)hi << 32 | lo;
}

static void do_wrmsr(uint64_t arg)
{
    __asm__ volatile("wrmsr" : : "c"(msr_number), "a"((uint32_t)arg), "d"((uint32_t)(arg >> 32)));
}

void probe_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

int probe_rdmsr(uint32_t msr, uint64_t *value)
{
    int trap;

    msr_number = msr;
    msr_value = 0;
    trap = probe_trap(do_rdmsr, 0);
    *value = msr_value;
    return trap;
}

int probe_wrmsr(uint32_t msr, uint64_t value)
{
    msr_number = msr;
    return probe_trap(do_wrmsr, value);
}

uint64_t probe_number(unsigned n)
{
    const char *p = rt_cmdline;
    uint64_t value = 0;

    for (; n && *p; p++)
        n -= *p == ' ';
    for (; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (uint64_t)(*p - '0');
    return value;
}

static void init(void)
{
    probe_main();
    if (failed)
        rt_print("FAIL %u\n", failed);
    else
        rt_print("PASS\n");
    rt_shutdown(SHUTDOWN_poweroff);
}

static void notified(uint32_t port)
{
    (void)port;
}

const struct component component = {COMPONENT_MAGIC, init, notified};

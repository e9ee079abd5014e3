/* SPDX-License-Identifier: MIT */
/*
 * Seconds of the host's time, ten minutes unless a number says otherwise, slept through: the clock
 * that the guest computes from its TSC (by pvclock, and by the frequency that CPUID tells) against
 * the host's (HVMOP_get_time), which never goes back and never differs by more than 100 ppm. So too
 * when the domain names a frequency.
 */
#include "tests/guest/probe.h"

#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>

#define SECOND 1000000000UL
#define TAKES  600 /* seconds */
#define PPM    100

#define MSR_TSC_DEADLINE 0x6e0
#define MSR_TPR          0x808
#define MSR_SVR          0x80f
#define MSR_IRR          0x822 /* of vectors 0x40 to 0x5f */
#define MSR_LVT_TIMER    0x832
#define LVT_DEADLINE     (2U << 17)
#define VECTOR           0x40

static uint64_t tsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

/* Leaf 0x40000003 of Xen's, subleaf 0: the guest's TSC frequency in kHz. */
static uint64_t tsc_khz(void)
{
    uint32_t a = 0x40000003, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c;
}

static uint64_t host(void)
{
    struct xen_hvm_get_time t = {0};

    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_get_time, &t), 0);
    return t.now;
}

static void sleep_until(uint64_t ns)
{
    sched_poll_t p = {.nr_ports = 0, .timeout = ns};

    EQUAL(HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p), 0);
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static bool raised(void)
{
    uint64_t irr = 0;

    EQUAL(probe_rdmsr(MSR_IRR, &irr), -1);
    return irr & 1;
}

static uint64_t armed(void)
{
    uint64_t deadline = ~0UL;

    EQUAL(probe_rdmsr(MSR_TSC_DEADLINE, &deadline), -1);
    return deadline;
}

/* A TSC deadline, a second after the TSC stood at now, neither comes soon nor late: TPR holds it
 * back. */
static void deadline(uint64_t now, uint64_t khz)
{
    uint64_t begin = host();

    EQUAL(probe_wrmsr(MSR_TPR, 0xff), -1);
    EQUAL(probe_wrmsr(MSR_SVR, 0x1ff), -1);
    EQUAL(probe_wrmsr(MSR_LVT_TIMER, LVT_DEADLINE | VECTOR), -1);
    EQUAL(probe_wrmsr(MSR_TSC_DEADLINE, now + khz * 1000), -1);
    sleep_until(begin + SECOND / 2);
    TRUE(!raised());
    EQUAL(armed(), now + khz * 1000);
    while (host() < begin + SECOND * 3 / 2)
        sleep_until(begin + SECOND * 3 / 2);
    TRUE(raised());
    EQUAL(armed(), 0);
}

static void clocks(uint64_t khz, uint64_t seconds)
{
    uint64_t begin = host(), ticks = tsc(), last = 0, end = begin;

    for (uint64_t at = begin + SECOND; at <= begin + seconds * SECOND; at += SECOND) {
        uint64_t before, after;

        sleep_until(at);
        before = rt_now();
        end = host();
        after = rt_now();
        TRUE(before >= at);
        TRUE(last <= before && before <= end && end <= after);
        last = after;
    }
    ticks = tsc() - ticks;
    TRUE(distance(ticks * 1000000 / khz, end - begin) < (end - begin) / 1000000 * PPM);
    deadline(tsc(), khz);
    rt_print("%lu s, TSC of %lu kHz\n", (end - begin) / SECOND, khz);
}

void probe_main(void)
{
    uint64_t khz = tsc_khz();

    TRUE(khz > 1000);
    TRUE(distance(rt_ticks_ns(khz * 1000), SECOND) < SECOND / 1000000);
    clocks(khz, probe_number(0) ? probe_number(0) : TAKES);
}

/* SPDX-License-Identifier: MIT */
/* Timers: order, and what happens when two CPUs use one at once. */
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hyp/x86/cpu.h"
#include "tests/unit/check_main.h"

static void relax(void);
#define cpu_relax relax /* what the other CPU does while this one waits */
#include "hyp/x86/timer.c"

struct cpu cpus[MAX_CPUS];
struct cpu_features features;
uint32_t tsc_khz, ncpus = 2;

#define TICKS 3UL /* of the TSC, a nanosecond */

static struct timer a, b;
static unsigned fired, relaxed;
static uint64_t now;

uint64_t now_ns(void)
{
    return now;
}

uint64_t ns_to_tsc(uint64_t ns)
{
    return ns * TICKS;
}

uint64_t time_median(uint64_t *v, unsigned n)
{
    return v[n / 2];
}

void apic_write(unsigned reg, uint32_t v)
{
    (void)reg;
    (void)v;
}

uint32_t apic_read(unsigned reg)
{
    return reg;
}

void apic_eoi(void)
{
}

void trap_set_handler(uint8_t vector, void (*fn)(uint8_t vector))
{
    (void)vector;
    (void)fn;
}

void log_line(const char *fmt, ...)
{
    (void)fmt;
}

static void on(unsigned id)
{
    cpus[id].self = &cpus[id];
    cpus[id].id = id;
    syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[id]);
}

static void start(void)
{
    for (unsigned i = 0; i < 2; i++) {
        list_init(&cpus[i].timers);
        cpus[i].timer_programmed = NEVER;
    }
    on(0);
}

static void count(struct timer *t)
{
    (void)t;
    fired++;
}

static void set_again(struct timer *t)
{
    fired++;
    timer_set(t, now + 100);
}

START_TEST(in_order)
{
    start();
    timer_init(&a, count);
    timer_init(&b, set_again);
    timer_set(&a, 20);
    timer_set(&b, 10);
    ck_assert_ptr_eq(list_entry(cpus[0].timers.next, struct timer, node), &b);
    timer_run();
    ck_assert_uint_eq(fired, 0);
    now = 30;
    timer_run();
    ck_assert_uint_eq(fired, 2);
    ck_assert_ptr_eq(a.cpu, NULL);
    ck_assert_ptr_eq(b.cpu, &cpus[0]);
    on(1); /* another CPU may take it over */
    timer_set(&b, 50);
    ck_assert_ptr_eq(b.cpu, &cpus[1]);
    ck_assert(list_empty(&cpus[0].timers));
    timer_cancel(&b);
    ck_assert(list_empty(&cpus[1].timers));
}
END_TEST

/* CPU 1 waits for the function on CPU 0, which sets its timer again and ends. */
static void relax(void)
{
    relaxed++;
    on(0);
    timer_set(&a, now + 100);
    running[0] = NULL;
    on(1);
}

static void cancelled_meanwhile(struct timer *t)
{
    on(1);
    timer_cancel(t);
    on(0);
}

/* A periodic timer of a vCPU that is being freed must not be left in a queue. */
START_TEST(cancel_of_one_that_sets_itself)
{
    start();
    timer_init(&a, cancelled_meanwhile);
    timer_set(&a, 10);
    now = 30;
    timer_run();
    ck_assert_uint_eq(relaxed, 1);
    ck_assert_ptr_eq(a.cpu, NULL);
    ck_assert(list_empty(&cpus[0].timers));
}
END_TEST

/* A guest may ask for any time: one that the TSC will never reach does not come at once. */
START_TEST(far_away)
{
    start();
    timer_init(&a, count);
    timer_set(&a, ~0UL / TICKS - 1000000);
    ck_assert_uint_gt(cpus[0].timer_tsc, rdtsc());
    timer_run();
    ck_assert_uint_eq(fired, 0);
    timer_cancel(&a);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, in_order);
    tcase_add_test(tc, far_away);
    tcase_add_test(tc, cancel_of_one_that_sets_itself);
}

int main(void)
{
    return check_main("timer", fill);
}

/* SPDX-License-Identifier: MIT */
/* The scheduler against an ideal one that gives each its share at every moment. */
#include <stdio.h>
#include "hyp/dom/sched.h"
#include "hyp/lib/util.h"
#include "tests/unit/check_main.h"

#define MS    1000000ULL
#define CPUS  4
#define MAX_E 8
#define STEP  (MS / 2)

static struct sched_entity e[MAX_E];
static struct sched_entity *on[CPUS];
static uint64_t now;

static uint64_t ran(const struct sched_entity *s)
{
    uint64_t time[SCHED_STATES], since;

    sched_times((struct sched_entity *)(uintptr_t)s, now, time, &since);
    return time[SCHED_RUNNING];
}

static void reset(uint32_t ncpus)
{
    now = 1000 * MS;
    sched_init(ncpus);
    for (uint32_t i = 0; i < CPUS; i++) {
        uint64_t slice;

        on[i] = i < ncpus ? sched_pick(i, now, &slice) : NULL;
        ck_assert_ptr_null(on[i]);
    }
}

/* As the run loop does it: whoever is poked, or whose slice is over, asks again. */
static void pick(uint32_t cpu, enum sched_why why)
{
    uint64_t slice = 0;
    uint32_t other = SCHED_NO_CPU;

    if (on[cpu]) {
        if (why == SCHED_PREEMPT && !sched_should_yield(on[cpu], now))
            return;
        other = sched_release(on[cpu], why, now);
        on[cpu] = NULL;
    }
    on[cpu] = sched_pick(cpu, now, &slice);
    ck_assert(!on[cpu] || (slice && on[cpu]->state == SCHED_RUNNING));
    if (other != SCHED_NO_CPU && other != cpu)
        pick(other, SCHED_PREEMPT);
}

static void poke(uint32_t cpu)
{
    if (cpu != SCHED_NO_CPU)
        pick(cpu, SCHED_PREEMPT);
}

static void start(unsigned i, uint32_t weight, uint64_t affinity)
{
    sched_entity_init(&e[i], weight, affinity, now);
    poke(sched_on(&e[i], now));
}

/* Nobody waits while a CPU that it may use does nothing. */
static void nobody_waits(unsigned n, uint32_t ncpus)
{
    for (unsigned i = 0; i < n; i++)
        for (uint32_t c = 0; c < ncpus; c++)
            ck_assert_msg(e[i].state != SCHED_READY || on[c] || !(e[i].affinity & BIT(c)),
                          "entity %u waits, CPU %u idles", i, c);
}

static void run(unsigned steps, unsigned n, uint32_t ncpus)
{
    for (unsigned s = 0; s < steps; s++) {
        now += STEP;
        for (uint32_t c = 0; c < ncpus; c++)
            pick(c, SCHED_PREEMPT);
        nobody_waits(n, ncpus);
    }
}

/* Random weights on one CPU: each is at most two slices away from its share, at any time. */
START_TEST(shares)
{
    uint64_t begin, sum = 0;
    unsigned n;

    srand((unsigned)_i + 1);
    n = 2 + (unsigned)rand() % (MAX_E - 1);
    reset(1);
    for (unsigned i = 0; i < n; i++) {
        uint32_t w = 64U << rand() % 5;

        start(i, w, 0);
        sum += w;
    }
    begin = now;
    for (unsigned round = 0; round < 40; round++) {
        run(50 + (unsigned)rand() % 50, n, 1);
        for (unsigned i = 0; i < n; i++) {
            double ideal = (double)(now - begin) * e[i].weight / (double)sum;
            double lag = ideal - (double)ran(&e[i]);

            ck_assert_msg(lag < 2.0 * SCHED_SLICE && lag > -2.0 * SCHED_SLICE,
                          "seed %d: entity %u of weight %u is %f ms away", _i + 1, i, e[i].weight,
                          lag / 1e6);
        }
    }
}
END_TEST

/* Random sleeping, waking, stopping on several CPUs: no CPU idles while somebody waits. */
START_TEST(work_conserving)
{
    uint32_t ncpus;

    srand((unsigned)_i + 77);
    ncpus = 1 + (uint32_t)rand() % CPUS;
    reset(ncpus);
    for (unsigned i = 0; i < MAX_E; i++)
        start(i, 256, rand() % 3 ? 0 : BIT(rand() % ncpus));
    for (unsigned s = 0; s < 2000; s++) {
        unsigned i = (unsigned)rand() % MAX_E, c = (unsigned)rand() % ncpus;

        now += (uint64_t)(rand() % 1000) * 1000;
        switch (rand() % 5) {
        case 0:
            if (on[c]) {
                sched_clear_wake(on[c]);
                pick(c, SCHED_BLOCK);
            }
            break;
        case 1:
            poke(sched_wake(&e[i], now));
            break;
        case 2:
            if (!sched_off(&e[i], now))
                pick(e[i].cpu, SCHED_PREEMPT);
            ck_assert(sched_is_off(&e[i]));
            break;
        case 3:
            poke(sched_on(&e[i], now));
            break;
        default:
            pick(c, on[c] ? SCHED_YIELD : SCHED_PREEMPT);
        }
        nobody_waits(MAX_E, ncpus);
        for (uint32_t k = 0; k < ncpus; k++)
            ck_assert(!on[k] || (on[k]->affinity & BIT(k)));
    }
}
END_TEST

/* One that sleeps and works little runs as soon as it wakes, beside two that always work. */
START_TEST(sleeper_first)
{
    reset(1);
    for (unsigned i = 0; i < 3; i++)
        start(i, 256, 0);
    run(400, 3, 1);
    for (unsigned s = 0; s < 200; s++) {
        while (on[0] != &e[2])
            run(1, 3, 1);
        now += MS / 10;
        sched_clear_wake(&e[2]);
        pick(0, SCHED_BLOCK);
        run(20, 3, 1);
        poke(sched_wake(&e[2], now));
        ck_assert_msg(s < 20 || on[0] == &e[2], "round %u: it waits", s);
    }
}
END_TEST

/* Ten seconds of sleep are no ten seconds of credit. */
START_TEST(no_hoarding)
{
    uint64_t before;

    reset(1);
    start(0, 256, 0);
    start(1, 256, 0);
    run(100, 2, 1);
    while (on[0] != &e[1])
        run(1, 2, 1);
    sched_clear_wake(&e[1]);
    pick(0, SCHED_BLOCK);
    run(20000, 1, 1);
    poke(sched_wake(&e[1], now));
    before = ran(&e[0]);
    run(200, 2, 1); /* 100 ms */
    ck_assert_uint_ge(ran(&e[0]) - before, 30 * MS);
}
END_TEST

/* A wake-up between the last look and the sleep is not lost. */
START_TEST(wake_while_running)
{
    reset(1);
    start(0, 256, 0);
    ck_assert_ptr_eq(on[0], &e[0]);
    sched_clear_wake(&e[0]);
    ck_assert_uint_eq(sched_wake(&e[0], now), SCHED_NO_CPU);
    pick(0, SCHED_BLOCK);
    ck_assert_ptr_eq(on[0], &e[0]);
    sched_clear_wake(&e[0]);
    pick(0, SCHED_BLOCK);
    ck_assert_ptr_null(on[0]);
    ck_assert_int_eq(e[0].state, SCHED_BLOCKED);
    poke(sched_wake(&e[0], now));
    ck_assert_ptr_eq(on[0], &e[0]);
}
END_TEST

START_TEST(off_and_on)
{
    reset(2);
    start(0, 256, 0);
    ck_assert(!sched_off(&e[0], now)); /* it runs */
    ck_assert(!sched_is_off(&e[0]));
    ck_assert(sched_should_yield(&e[0], now));
    pick(e[0].cpu, SCHED_PREEMPT);
    ck_assert(sched_is_off(&e[0]));
    ck_assert_uint_eq(sched_wake(&e[0], now), SCHED_NO_CPU); /* a wake-up does not start it */
    ck_assert(sched_is_off(&e[0]));
    poke(sched_on(&e[0], now));
    ck_assert_int_eq(e[0].state, SCHED_RUNNING);
}
END_TEST

START_TEST(times_add_up)
{
    uint64_t time[SCHED_STATES], since, sum = 0, begin;

    reset(1);
    begin = now;
    start(0, 256, 0);
    start(1, 512, 0);
    run(333, 2, 1);
    sched_times(&e[0], now, time, &since);
    for (unsigned i = 0; i < SCHED_STATES; i++)
        sum += time[i];
    ck_assert_uint_eq(sum, now - begin);
    ck_assert_uint_eq(ran(&e[0]) + ran(&e[1]), now - begin);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, shares, 0, 300);
    tcase_add_loop_test(tc, work_conserving, 0, 300);
    tcase_add_test(tc, sleeper_first);
    tcase_add_test(tc, no_hoarding);
    tcase_add_test(tc, wake_while_running);
    tcase_add_test(tc, off_and_on);
    tcase_add_test(tc, times_add_up);
}

int main(void)
{
    return check_main("sched", fill);
}

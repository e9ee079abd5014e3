/* SPDX-License-Identifier: MIT */
/* The scheduler against an ideal one that gives each its share at every moment. */
#include <stdio.h>
#include <string.h>
#include "hyp/dom/sched.h"
#include "hyp/lib/util.h"
#include "tests/unit/check_main.h"

#define MS    1000000ULL
#define CPUS  4
#define MAX_E 8
#define STEP  (MS / 2)
#define SEEDS 4000 /* random schedules */

/* Check's own assertions write to a pipe each time. */
#define MUST(c, ...)                                                                               \
    do {                                                                                           \
        if (!(c))                                                                                  \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

static struct sched_entity e[MAX_E];
static struct sched_group g[MAX_E];
static uint64_t alarm[CPUS]; /* when an idle CPU asks again */
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
        uint32_t kick;

        on[i] = i < ncpus ? sched_pick(i, now, &alarm[i], &kick) : NULL;
        MUST(!on[i], "somebody runs");
    }
}

/* As the run loop does it: whoever is poked, or whose slice is over, asks again. */
static void pick(uint32_t cpu, enum sched_why why)
{
    uint64_t slice = 0;
    uint32_t other = SCHED_NO_CPU, kick;

    if (on[cpu]) {
        if (why != SCHED_BLOCK && !sched_should_yield(on[cpu], why, now, &slice))
            return;
        other = sched_release(on[cpu], why, now);
        on[cpu] = NULL;
    }
    on[cpu] = sched_pick(cpu, now, &slice, &kick);
    alarm[cpu] = slice == ~0UL ? ~0UL : now + slice;
    MUST(slice && (!on[cpu] || (slice <= SCHED_SLICE && on[cpu]->state == SCHED_RUNNING)),
         "CPU %u: slice %lu", cpu, slice);
    if (kick != SCHED_NO_CPU)
        pick(kick, SCHED_PREEMPT);
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
    sched_group_init(&g[i], weight, 0, now);
    sched_entity_init(&e[i], &g[i], affinity, now);
    poke(sched_on(&e[i], now));
}

static void start_in(unsigned i, unsigned group)
{
    sched_entity_init(&e[i], &g[group], 0, now);
    poke(sched_on(&e[i], now));
}

/* Nobody waits while a CPU that it may use does nothing. */
static void nobody_waits(unsigned n, uint32_t ncpus)
{
    for (unsigned i = 0; i < n; i++)
        for (uint32_t c = 0; c < ncpus; c++)
            MUST(e[i].state != SCHED_READY || on[c] || !(e[i].affinity & BIT(c)),
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
static void shares_of(unsigned seed)
{
    uint64_t begin, sum = 0;
    unsigned n;

    srand(seed);
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
            double ideal = (double)(now - begin) * g[i].weight / (double)sum;
            double lag = ideal - (double)ran(&e[i]);

            MUST(lag < 2.0 * SCHED_SLICE && lag > -2.0 * SCHED_SLICE,
                 "seed %u: entity %u of weight %u is %f ms away", seed, i, g[i].weight, lag / 1e6);
        }
    }
}

START_TEST(shares)
{
    for (unsigned seed = 0; seed < SEEDS; seed++)
        shares_of(seed);
}
END_TEST

/* Random sleeping, waking, stopping on several CPUs: no CPU idles while somebody waits. */
static void work_conserving_with(unsigned seed)
{
    uint32_t ncpus;

    srand(seed);
    ncpus = 1 + (uint32_t)rand() % CPUS;
    reset(ncpus);
    for (unsigned i = 0; i < MAX_E; i++)
        start(i, 256, rand() % 3 ? 0 : BIT(rand() % ncpus));
    for (unsigned s = 0; s < 2000; s++) {
        unsigned i = (unsigned)rand() % MAX_E, c = (unsigned)rand() % ncpus;

        now += (uint64_t)(rand() % 1000) * 1000;
        switch (rand() % 6) {
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
            MUST(sched_is_off(&e[i]), "it is not off");
            break;
        case 3:
            poke(sched_on(&e[i], now));
            break;
        case 4:
            poke(sched_move(&e[i], rand() % 3 ? 1 + rand() % BIT(ncpus) : 0, now));
            break;
        default:
            pick(c, on[c] ? SCHED_YIELD : SCHED_PREEMPT);
        }
        nobody_waits(MAX_E, ncpus);
        for (uint32_t k = 0; k < ncpus; k++)
            MUST(!on[k] || (on[k]->affinity & BIT(k)), "CPU %u runs a stranger", k);
    }
}

START_TEST(work_conserving)
{
    for (unsigned seed = 0; seed < SEEDS; seed++)
        work_conserving_with(seed);
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

/* One of a domain's vCPUs works, the others spin for it and yield: the CPU is the one's. */
START_TEST(spinners_give_way)
{
    reset(1);
    start(0, 256, 0);
    for (unsigned i = 1; i < MAX_E; i++)
        start_in(i, 0);
    for (uint64_t end = now + 1000 * MS; now < end; now += MS / 10)
        if (on[0] != &e[0])
            pick(0, SCHED_YIELD);
        else if (now >= alarm[0])
            pick(0, SCHED_PREEMPT);
    ck_assert_uint_ge(ran(&e[0]), 800 * MS);
}
END_TEST

START_TEST(off_and_on)
{
    uint64_t slice;

    reset(2);
    start(0, 256, 0);
    ck_assert(!sched_off(&e[0], now)); /* it runs */
    ck_assert(!sched_is_off(&e[0]));
    ck_assert(sched_should_yield(&e[0], SCHED_PREEMPT, now, &slice));
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

/* As the run loop does it: an idle CPU asks at its alarm, a busy one at the end of its slice. */
static void run_finely(uint64_t ns, uint32_t ncpus)
{
    for (uint64_t end = now + ns; now < end; now += MS / 10)
        for (uint32_t c = 0; c < ncpus; c++)
            if (now >= alarm[c])
                pick(c, SCHED_PREEMPT);
}

static uint64_t ran_in(unsigned group)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < MAX_E; i++)
        if (e[i].group == &g[group])
            sum += ran(&e[i]);
    return sum;
}

/* A group gets its cap and no more, alone and in company, with one entity and with several. */
START_TEST(caps)
{
    static const uint32_t percents[] = {5, 25, 50, 90, 100, 150, 390};
    uint32_t cap = percents[_i % 7], ncpus = _i < 7 ? 4 : 1, others = _i < 14 ? 0 : 2, expected;
    double got;

    memset(e, 0, sizeof(e));
    reset(ncpus);
    sched_group_init(&g[0], 256, cap, now);
    for (unsigned i = 0; i < 4; i++)
        start_in(i, 0);
    for (unsigned i = 4; i < 4 + others; i++)
        start(i, 256, 0);
    run_finely(3000 * MS, ncpus); /* a hundred periods */
    got = (double)ran_in(0) / (30.0 * MS);
    expected = MIN(cap, 100 * ncpus / (others + 1));
    ck_assert_msg(got > expected - 2.0 && got < expected + 2.0, "cap %u, %u CPUs: %f", cap, ncpus,
                  got);
    for (unsigned i = 4; i < 4 + others; i++)
        ck_assert_uint_ge(ran(&e[i]), (3000 - 30 * expected) * MS / others - 60 * MS);
}
END_TEST

/* A parked entity can be stopped, and its group may end. */
START_TEST(cap_and_off)
{
    reset(1);
    sched_group_init(&g[0], 256, 10, now);
    start_in(0, 0);
    run_finely(10 * MS, 1);
    ck_assert_ptr_null(on[0]);
    ck_assert_int_eq(e[0].state, SCHED_READY);
    ck_assert(sched_off(&e[0], now));
    sched_group_end(&g[0]);
    memset(&g[0], 0xff, sizeof(g[0]));
    run_finely(100 * MS, 1);
    ck_assert_ptr_null(on[0]);
}
END_TEST

/* A weight is the group's, however many of its entities want to run. */
START_TEST(weight_of_group)
{
    double share;

    memset(e, 0, sizeof(e));
    reset(1);
    sched_group_init(&g[0], 256, 0, now);
    for (unsigned i = 0; i < 5; i++)
        start_in(i, 0);
    start(5, 256, 0);
    run_finely(2000 * MS, 1);
    share = (double)ran(&e[5]) / (20.0 * MS);
    ck_assert_msg(share > 47.0 && share < 53.0, "%f %%", share);
}
END_TEST

/* Weights change all the time: from each change on every entity has its new share. */
static void changed_shares(unsigned seed)
{
    srand(seed);
    reset(1);
    for (unsigned i = 0; i < 4; i++)
        start(i, 256, 0);
    for (unsigned round = 0; round < 10; round++) {
        uint64_t before[4], begin = now, sum = 0;
        uint32_t weight[4];

        for (unsigned i = 0; i < 4; i++) {
            before[i] = ran(&e[i]);
            weight[i] = 64U << rand() % 5;
            sched_group_change(&g[i], weight[i], 0, now);
            sum += weight[i];
        }
        run(400 + (unsigned)rand() % 200, 4, 1);
        for (unsigned i = 0; i < 4; i++) {
            double ideal = (double)(now - begin) * weight[i] / (double)sum;
            double lag = ideal - (double)(ran(&e[i]) - before[i]);

            /* who ran last before a change and who runs at its end: a slice each, and their lag */
            MUST(lag < 5.0 * SCHED_SLICE && lag > -5.0 * SCHED_SLICE,
                 "seed %u, round %u: entity %u of weight %u is %f ms away", seed, round, i,
                 weight[i], lag / 1e6);
        }
    }
}

START_TEST(shares_change)
{
    for (unsigned seed = 0; seed < SEEDS / 10; seed++)
        changed_shares(seed);
}
END_TEST

/* A cap rises, falls, goes and comes: what a group gets follows it, from the next period on. */
START_TEST(cap_changes)
{
    static const uint32_t caps[] = {10, 50, 0, 20, 5, 150, 0};
    uint64_t before;
    double got;

    memset(e, 0, sizeof(e));
    reset(2);
    sched_group_init(&g[0], 256, caps[0], now);
    start_in(0, 0);
    start_in(1, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(caps); i++) {
        sched_group_change(&g[0], 256, caps[i], now);
        pick(0, SCHED_PREEMPT);
        run_finely(40 * MS, 2);
        before = ran_in(0);
        run_finely(3000 * MS, 2);
        got = (double)(ran_in(0) - before) / (30.0 * MS);
        ck_assert_msg(got > (caps[i] ? caps[i] : 200) - 3.0 &&
                          got < (caps[i] ? caps[i] : 200) + 3.0,
                      "cap %u: %f", caps[i], got);
    }
    ck_assert_uint_eq(sched_busy(now), ran_in(0));
    sched_worked(5);
    ck_assert_uint_eq(sched_busy(now), ran_in(0) + 5);
}
END_TEST

/* What a group has used of its quota stays used: no change of the cap gives it twice. */
START_TEST(cap_changes_often)
{
    reset(1);
    sched_group_init(&g[0], 256, 10, now);
    start_in(0, 0);
    for (unsigned i = 0; i < 3000; i++) {
        sched_group_change(&g[0], 256 + i % 2, 10, now);
        pick(0, SCHED_PREEMPT);
        run_finely(MS, 1);
    }
    ck_assert_uint_le(ran(&e[0]), 330 * MS);
    ck_assert_uint_ge(ran(&e[0]), 270 * MS);
}
END_TEST

/* Who waits for the next period goes on at once. */
START_TEST(cap_goes)
{
    reset(1);
    sched_group_init(&g[0], 256, 10, now);
    start_in(0, 0);
    run_finely(10 * MS, 1);
    ck_assert_ptr_null(on[0]);
    sched_group_change(&g[0], 256, 5, now);
    pick(0, SCHED_PREEMPT);
    ck_assert_ptr_null(on[0]);
    sched_group_change(&g[0], 256, 50, now);
    pick(0, SCHED_PREEMPT);
    ck_assert_ptr_eq(on[0], &e[0]);
    run_finely(20 * MS, 1);
    ck_assert_ptr_null(on[0]);
    sched_group_change(&g[0], 256, 0, now);
    pick(0, SCHED_PREEMPT);
    ck_assert_ptr_eq(on[0], &e[0]);
}
END_TEST

/* One that runs leaves a CPU that it may no longer use; one that waits goes where it may. */
START_TEST(moved)
{
    reset(2);
    start(0, 256, BIT(0));
    start(1, 256, BIT(0));
    ck_assert_ptr_null(on[1]);
    poke(sched_move(on[0], BIT(1), now));
    ck_assert_ptr_nonnull(on[0]);
    ck_assert_ptr_nonnull(on[1]);
    poke(sched_move(&e[0], BIT(0), now));
    poke(sched_move(&e[1], 0, now));
    nobody_waits(2, 2);
    ck_assert_uint_eq(sched_affinity(&e[0]), BIT(0));
    ck_assert_uint_eq(sched_affinity(&e[1]), 0);
    run(100, 2, 2);
    ck_assert_uint_eq(e[0].cpu, 0);
}
END_TEST

/* Who slept when he was stopped sleeps on, unless somebody has woken him meanwhile. */
START_TEST(stopped_asleep)
{
    reset(1);
    start(0, 256, 0);
    for (unsigned way = 0; way < 4; way++) {
        sched_clear_wake(&e[0]);
        if (way & 1) { /* stopped first, and about to sleep */
            ck_assert(!sched_off(&e[0], now));
            pick(0, SCHED_BLOCK);
        } else {
            pick(0, SCHED_BLOCK);
            ck_assert_int_eq(e[0].state, SCHED_BLOCKED);
            ck_assert(sched_off(&e[0], now));
        }
        ck_assert_int_eq(e[0].state, SCHED_OFF);
        if (way & 2)
            ck_assert_uint_eq(sched_wake(&e[0], now), SCHED_NO_CPU);
        poke(sched_on(&e[0], now));
        ck_assert_int_eq(e[0].state, way & 2 ? SCHED_RUNNING : SCHED_BLOCKED);
        poke(sched_wake(&e[0], now));
        ck_assert_int_eq(e[0].state, SCHED_RUNNING);
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, shares);
    tcase_add_test(tc, work_conserving);
    tcase_add_loop_test(tc, caps, 0, 21);
    tcase_add_test(tc, cap_and_off);
    tcase_add_test(tc, weight_of_group);
    tcase_add_test(tc, sleeper_first);
    tcase_add_test(tc, no_hoarding);
    tcase_add_test(tc, wake_while_running);
    tcase_add_test(tc, spinners_give_way);
    tcase_add_test(tc, off_and_on);
    tcase_add_test(tc, times_add_up);
    tcase_add_test(tc, shares_change);
    tcase_add_test(tc, cap_changes);
    tcase_add_test(tc, cap_changes_often);
    tcase_add_test(tc, cap_goes);
    tcase_add_test(tc, moved);
    tcase_add_test(tc, stopped_asleep);
}

int main(void)
{
    return check_main("sched", fill);
}

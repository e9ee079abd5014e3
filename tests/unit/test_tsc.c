/* SPDX-License-Identifier: MIT */
/* TSCs of guests: the ratios that CPUs take, and clocks made of them beside the host's. */
#include "hyp/x86/machine.h"
#include "hyp/x86/tsc.h"
#include "tests/unit/check_main.h"

#define AMD     8, 32  /* APM vol. 2 15.30.5 */
#define INTEL   16, 48 /* SDM vol. 3 25.6.5 */
#define MINUTES 10

struct cpu_features features;
uint32_t tsc_khz;

START_TEST(ratios)
{
    ck_assert_uint_eq(tsc_ratio(2000000, 2000000, AMD), 0x100000000);
    ck_assert_uint_eq(tsc_ratio(2000000, 1000000, AMD), 0x200000000);
    ck_assert_uint_eq(tsc_ratio(1500000, 1000000, AMD), 0x180000000);
    ck_assert_uint_eq(tsc_ratio(1000000, 3000000, AMD), 0x55555555);
    ck_assert_uint_eq(tsc_ratio(2000000, 3000000, AMD), 0xaaaaaaaa);
    ck_assert_uint_eq(tsc_ratio(2000000, 2000000, INTEL), 0x1000000000000);
    ck_assert_uint_eq(tsc_ratio(2000000, 100000, INTEL), 0x14000000000000);
    ck_assert_uint_eq(tsc_ratio(1000000, 3000000, INTEL), 0x555555555555);
}
END_TEST

START_TEST(ratios_that_do_not_fit)
{
    ck_assert_uint_eq(tsc_ratio(255999, 1000, AMD), 0xffffbe76c8);
    ck_assert_uint_eq(tsc_ratio(256000, 1000, AMD), 0);
    ck_assert_uint_eq(tsc_ratio(65535999, 1000, INTEL), 0xffffffbe76c8b439);
    ck_assert_uint_eq(tsc_ratio(65536000, 1000, INTEL), 0);
}
END_TEST

/* Long division as it stands in books. */
START_TEST(ratios_are_quotients)
{
    for (uint32_t host = 100000; host < 6000000; host += 123457)
        for (uint32_t khz = 100000; khz < 10000000; khz += 98765) {
            ck_assert_uint_eq(tsc_ratio(khz, host, AMD), ((unsigned __int128)khz << 32) / host);
            ck_assert_uint_eq(tsc_ratio(khz, host, INTEL), ((unsigned __int128)khz << 48) / host);
        }
}
END_TEST

static void cpu(uint32_t khz, uint8_t whole, uint8_t fraction)
{
    tsc_khz = khz;
    features.tsc_whole = whole;
    features.tsc_fraction = fraction;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* A guest's TSC and the clock made of it, after minutes of the host's. */
static void runs_well(const struct tsc *t)
{
    uint64_t host = MINUTES * 60000UL * tsc_khz, ticks, ns, host_ns;
    uint32_t mul;
    int8_t shift;

    tsc_scale(tsc_khz, &mul, &shift);
    host_ns = tsc_ns(host, mul, shift);
    ck_assert_uint_lt(distance(host_ns, MINUTES * 60000000000UL), 1000);
    for (uint64_t from = 0; from < 1UL << 56; from = from * 5 + 12345) {
        ticks = tsc_at(t, from + host) - tsc_at(t, from);
        ns = tsc_ns(ticks, t->mul, t->shift);
        ck_assert_uint_lt(distance(ticks, MINUTES * 60000UL * t->khz), ticks / 100000000);
        ck_assert_uint_lt(distance(ns, host_ns), host_ns / 100000000);
    }
}

START_TEST(scaled)
{
    static const uint32_t hosts[] = {100000, 1000000, 2399998, 3700123};
    static const uint32_t guests[] = {100000, 999999, 2000000, 2893202, 10000000};
    struct tsc t;

    for (unsigned h = 0; h < 4; h++)
        for (unsigned g = 0; g < 5; g++) {
            cpu(hosts[h], 8, 32);
            ck_assert(tsc_init(&t, guests[g] * 1000UL));
            ck_assert_uint_eq(t.khz, guests[g]);
            runs_well(&t);
            cpu(hosts[h], 16, 48);
            ck_assert(tsc_init(&t, guests[g] * 1000UL + 999));
            ck_assert_uint_eq(t.khz, guests[g]);
            runs_well(&t);
        }
}
END_TEST

/* It begins at 0, between what was before and what comes after. */
START_TEST(begins_at_zero)
{
    uint64_t before, after;
    struct tsc t;

    for (unsigned named = 0; named < 2; named++) {
        cpu(1000000, 16, 48);
        before = rdtsc();
        ck_assert(tsc_init(&t, named * 2500000000UL));
        after = rdtsc();
        ck_assert_int_le((int64_t)tsc_at(&t, before), 0);
        ck_assert_int_ge((int64_t)tsc_at(&t, after), 0);
    }
}
END_TEST

START_TEST(as_the_host)
{
    struct tsc t;

    for (uint8_t fraction = 0; fraction <= 32; fraction += 32) {
        cpu(2399998, 8, fraction);
        ck_assert(tsc_init(&t, 0));
        ck_assert_uint_eq(t.ratio, 0);
        ck_assert_uint_eq(t.khz, 2399998);
        runs_well(&t);
        ck_assert(tsc_init(&t, 2399998999));
        ck_assert_uint_eq(t.ratio, 0);
    }
}
END_TEST

/* Without scaling: what is within 0.1 % of the host's runs at the host's. */
START_TEST(cannot_be_scaled)
{
    struct tsc t;

    cpu(2000000, 0, 0);
    ck_assert(tsc_init(&t, 2002000000));
    ck_assert_uint_eq(t.khz, 2000000);
    ck_assert_uint_eq(t.ratio, 0);
    runs_well(&t);
    ck_assert(tsc_init(&t, 1998000000));
    ck_assert(!tsc_init(&t, 2002001000));
    ck_assert(!tsc_init(&t, 1997999000));
    ck_assert(!tsc_init(&t, 100000000));
    cpu(30000, 8, 32); /* so far it cannot */
    ck_assert(!tsc_init(&t, 10000000000));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, ratios);
    tcase_add_test(tc, ratios_that_do_not_fit);
    tcase_add_test(tc, ratios_are_quotients);
    tcase_add_test(tc, scaled);
    tcase_add_test(tc, begins_at_zero);
    tcase_add_test(tc, as_the_host);
    tcase_add_test(tc, cannot_be_scaled);
}

int main(void)
{
    return check_main("tsc", fill);
}

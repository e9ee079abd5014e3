/* SPDX-License-Identifier: MIT */
/* What the boot finds out about time, with the clocks that a machine has. */
#include "hyp/x86/acpi.h"
#include "hyp/x86/cpu.h"
#include "tests/unit/check_main.h"

static uint8_t port_in(uint16_t port);
static uint32_t port_in32(uint16_t port);
static struct cpuid cpu_says(uint32_t leaf);
#define inb(port)        port_in(port)
#define inl(port)        port_in32(port)
#define outb(port, v)    port_out(port, v)
#define cpuid(leaf, sub) cpu_says(leaf)
#define rdtsc()          (now += 100)
static uint64_t now; /* in TSC ticks; each look at a clock takes some */
static void port_out(uint16_t port, uint8_t v);
#include "hyp/x86/time.c"

#define KHZ 2000000UL

struct cpu_features features;
struct acpi_info acpi;

static bool pit, cmos_clock;
static uint64_t pit_start;
static uint8_t cmos_index;
static struct cpuid leaves[0x17];

static void port_out(uint16_t port, uint8_t v)
{
    if (port == PIT_CHANNEL2)
        pit_start = now;
    if (port == CMOS_INDEX)
        cmos_index = v;
}

static uint8_t port_in(uint16_t port)
{
    /* 2026-11-30 12:34:56, in binary, 24 hours */
    static const uint8_t clock[] = {56, 0, 34, 0, 12, 0, 0, 30, 11, 26, 0, 6};

    now += 2000;
    if (port == PIT_GATE)
        return pit && now - pit_start > KHZ * 1000 / SAMPLE_HZ ? PIT_OUT : 0;
    ck_assert_uint_eq(port, CMOS_DATA);
    return cmos_clock ? clock[cmos_index] : 0xff;
}

static uint32_t port_in32(uint16_t port)
{
    ck_assert_uint_eq(port, acpi.pm_timer);
    now += 2000;
    return (uint32_t)(now * PM_HZ / (KHZ * 1000)) & PM_MASK;
}

static struct cpuid cpu_says(uint32_t leaf)
{
    return leaves[leaf];
}

static void about(uint64_t khz, uint64_t want)
{
    ck_assert_uint_gt(khz, want - want / 1000);
    ck_assert_uint_lt(khz, want + want / 1000);
}

START_TEST(pm_timer)
{
    acpi.pm_timer = 0x608;
    cmos_clock = true;
    ck_assert(time_init(0));
    about(tsc_khz, KHZ);
    ck_assert_uint_eq((wallclock_boot_ns() + now_ns()) / NS_PER_SECOND, 1796042096);
}
END_TEST

START_TEST(pit_only)
{
    pit = true;
    ck_assert(time_init(0));
    about(tsc_khz, KHZ);
}
END_TEST

/* Neither runs, and port 0x71 answers with ones. */
START_TEST(cpu_tells)
{
    leaves[0].a = 0x16;
    leaves[0x15] = (struct cpuid){.a = 2, .b = 250, .c = 24000000};
    ck_assert(time_init(0));
    ck_assert_uint_eq(tsc_khz, 3000000);
    ck_assert_uint_lt((wallclock_boot_ns() + now_ns()) / NS_PER_SECOND, 2);
}
END_TEST

START_TEST(cpu_tells_no_crystal)
{
    leaves[0].a = 0x16;
    leaves[0x15] = (struct cpuid){.a = 2, .b = 250};
    leaves[0x16].a = 3100;
    ck_assert(time_init(0));
    ck_assert_uint_eq(tsc_khz, 3100000);
}
END_TEST

START_TEST(nothing_tells)
{
    ck_assert(!time_init(0));
    ck_assert_uint_eq(now_ns(), 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, pm_timer);
    tcase_add_test(tc, pit_only);
    tcase_add_test(tc, cpu_tells);
    tcase_add_test(tc, cpu_tells_no_crystal);
    tcase_add_test(tc, nothing_tells);
}

int main(void)
{
    return check_main("time", fill);
}

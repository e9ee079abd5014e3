/* SPDX-License-Identifier: MIT */
/*
 * Time is the TSC, counted from the loader's hand-over. Its frequency is measured against ACPI's PM
 * timer (ACPI 6.4, 4.8.3.3: 3.579545 MHz, 24 bits count), or the PIT's channel 2 (Intel 8254 data
 * sheet). Where the firmware has turned off both CPUID may tell it.
 */
#include "hyp/x86/time.h"

#include "hyp/x86/acpi.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/tsc.h"

#define PM_HZ         3579545UL
#define PM_MASK       0xffffffU
#define PIT_HZ        1193182UL
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_GATE      0x61
#define PIT_OUT       0x20
#define SAMPLES       5 /* the median counts: an emulator may stop for a while in one of them */
#define SAMPLE_HZ     100
#define PM_TRIES      100000
#define PIT_TRIES     10000000
#define CMOS_TRIES    100000
#define MIN_KHZ       1000 /* slower: the ports answer for a clock that is not there */
#define PIT_COUNT     (PIT_HZ / SAMPLE_HZ)
#define CMOS_INDEX    0x70
#define CMOS_DATA     0x71
#define NS_PER_SECOND 1000000000UL

uint32_t tsc_khz, tsc_mul;
int8_t tsc_shift;

static uint64_t tsc_base, wall_base;
static bool ready;

static uint64_t sample_pm(void)
{
    uint32_t from = inl(acpi.pm_timer), ticks, tries = 0;
    uint64_t tsc = rdtsc();

    do {
        ticks = (inl(acpi.pm_timer) - from) & PM_MASK;
        if (++tries == PM_TRIES && !ticks) /* it does not run */
            return 0;
    } while (ticks < PM_HZ / SAMPLE_HZ);
    return (rdtsc() - tsc) * PM_HZ / ticks / 1000;
}

static uint64_t sample_pit(void)
{
    uint32_t tries = 0;
    uint64_t tsc;

    outb(PIT_GATE, (uint8_t)((inb(PIT_GATE) & ~2) | 1)); /* gate on, speaker off */
    outb(PIT_COMMAND, 0xb0);                             /* channel 2, both bytes, mode 0 */
    outb(PIT_CHANNEL2, PIT_COUNT & 0xff);
    outb(PIT_CHANNEL2, PIT_COUNT >> 8);
    tsc = rdtsc();
    while (!(inb(PIT_GATE) & PIT_OUT)) {
        if (++tries == PIT_TRIES)
            return 0;
        cpu_relax();
    }
    return (rdtsc() - tsc) * SAMPLE_HZ / 1000;
}

uint64_t time_median(uint64_t *v, unsigned n)
{
    for (unsigned i = 1; i < n; i++)
        for (unsigned k = i; k && v[k] < v[k - 1]; k--) {
            uint64_t t = v[k];

            v[k] = v[k - 1];
            v[k - 1] = t;
        }
    return v[n / 2];
}

uint64_t tsc_to_ns(uint64_t tsc)
{
    return tsc_ns(tsc - tsc_base, tsc_mul, tsc_shift);
}

uint64_t ns_to_tsc(uint64_t ns)
{
    return ns / 1000000 * tsc_khz + ns % 1000000 * tsc_khz / 1000000;
}

uint64_t now_ns(void)
{
    return ready ? tsc_to_ns(rdtsc()) : 0;
}

static unsigned cmos(uint8_t reg)
{
    outb(CMOS_INDEX, reg);
    return inb(CMOS_DATA);
}

static unsigned from_bcd(unsigned v)
{
    return (v >> 4) * 10 + (v & 15);
}

uint64_t time_seconds(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                      unsigned second)
{
    /* Days of the proleptic Gregorian calendar; the year begins in March. */
    unsigned y = year - (month <= 2), m = (month + 9) % 12;
    uint64_t days = 365UL * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;

    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/* The clock of the PC/AT (MC146818 data sheet): UTC, as servers keep it; read twice until equal. 0:
 * there is none. */
static uint64_t read_cmos(void)
{
    unsigned v[6], again[6], status, tries = 0;

    do {
        static const uint8_t regs[] = {9, 8, 7, 4, 2, 0};

        while (cmos(0x0a) & 0x80) {
            if (++tries == CMOS_TRIES)
                return 0;
            cpu_relax();
        }
        for (unsigned i = 0; i < 6; i++)
            v[i] = cmos(regs[i]);
        for (unsigned i = 0; i < 6; i++)
            again[i] = cmos(regs[i]);
    } while (__builtin_memcmp(v, again, sizeof(v)));
    status = cmos(0x0b);
    for (unsigned i = 0; i < 6 && !(status & 4); i++)
        v[i] = i == 3 ? from_bcd(v[i] & 0x7f) | (v[i] & 0x80) : from_bcd(v[i]);
    if (!(status & 2)) /* 12 hours: top bit is PM */
        v[3] = (v[3] & 0x7f) % 12 + (v[3] & 0x80 ? 12 : 0);
    return time_seconds(2000 + v[0], v[1], v[2], v[3], v[4], v[5]);
}

static uint64_t measured_khz(void)
{
    uint64_t v[SAMPLES];

    for (unsigned i = 0; i < SAMPLES; i++) {
        v[i] = acpi.pm_timer ? sample_pm() : 0;
        if (!v[i])
            v[i] = sample_pit();
        if (v[i] < MIN_KHZ)
            return 0;
    }
    return time_median(v, SAMPLES);
}

/* As the CPU says (SDM vol. 3 19.7.3): the crystal's and a ratio, or the base frequency. */
static uint64_t told_khz(void)
{
    uint32_t max = cpuid(0, 0).a;
    struct cpuid c;

    if (max < 0x15)
        return 0;
    c = cpuid(0x15, 0);
    if (c.a && c.b && c.c)
        return (uint64_t)c.c * c.b / c.a / 1000;
    return max >= 0x16 ? (cpuid(0x16, 0).a & 0xffffUL) * 1000 : 0;
}

bool time_init(uint64_t start)
{
    tsc_khz = (uint32_t)measured_khz();
    if (!tsc_khz)
        tsc_khz = (uint32_t)told_khz();
    if (!tsc_khz)
        return false;
    tsc_scale(tsc_khz, &tsc_mul, &tsc_shift);
    tsc_base = start;
    ready = true;
    wall_base = read_cmos() * NS_PER_SECOND;
    wall_base -= now_ns();
    return true;
}

uint64_t wallclock_boot_ns(void)
{
    return wall_base;
}

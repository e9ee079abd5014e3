/* SPDX-License-Identifier: MIT */
#include "tests/bench/measure.h"

#include <stdarg.h>
#include <xen/version.h>
#include "hyp/lib/format.h"

#define SAMPLES 201
#define WARM_UP 20
#define RESULTS 32

static struct {
    const char *name;
    void (*op)(void); /* NULL: noted */
    uint64_t value;
    long error;
} results[RESULTS];
static unsigned nresults;
static long error;

static uint64_t ticks(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

static void nothing(void)
{
}

static uint64_t median(void (*op)(void))
{
    static uint64_t v[SAMPLES];

    for (unsigned i = 0; i < WARM_UP; i++)
        op();
    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t from = ticks(), t;
        unsigned k = i;

        op();
        t = ticks() - from;
        for (; k && v[k - 1] > t; k--)
            v[k] = v[k - 1];
        v[k] = t;
    }
    return v[SAMPLES / 2];
}

static void keep(const char *name, void (*op)(void), uint64_t value, long e)
{
    if (nresults == RESULTS)
        rt_panic("more than %d results", RESULTS);
    results[nresults].name = name;
    results[nresults].op = op;
    results[nresults].value = value;
    results[nresults++].error = e;
}

void measure(const char *name, void (*op)(void))
{
    uint64_t empty = median(nothing), t;

    error = 0;
    /* With interrupts off an event of before would wait, and each entry look whether it still
     * can't. */
    rt_shared.vcpu_info[0].evtchn_upcall_pending = 0;
    t = median(op);
    keep(name, op, t > empty ? t - empty : 0, error);
}

void measure_note(const char *name, uint64_t value)
{
    keep(name, NULL, value, 0);
}

void measure_forever(void)
{
    for (;;)
        for (unsigned i = 0; i < nresults; i++) {
            HYPERCALL2(__HYPERVISOR_xen_version, XENVER_version, 0); /* settles what has been */
            if (results[i].op)
                results[i].op();
        }
}

void measure_failed(long e)
{
    error = e;
}

/* A line. Xen's console is dom0's only: other domains have its debug console, port 0xE9. */
static void print(const char *fmt, ...)
{
    char text[128];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = MIN(format_v(text, sizeof(text), fmt, ap), (int)sizeof(text) - 1);
    va_end(ap);
    if (!HYPERCALL3(__HYPERVISOR_console_io, CONSOLEIO_write, n, text))
        return;
    for (int i = 0; i < n; i++)
        __asm__ volatile("outb %0, $0xe9" : : "a"(text[i]));
}

void measure_print(void)
{
    unsigned failed = 0;

    for (unsigned i = 0; i < nresults; i++) {
        print("bench %s %lu\n", results[i].name, results[i].value);
        if (!results[i].error)
            continue;
        print("%s: error %ld\n", results[i].name, results[i].error);
        failed++;
    }
    print(failed ? "FAIL\n" : "PASS\n");
}

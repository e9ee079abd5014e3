/* SPDX-License-Identifier: MIT */
#include "hyp/x86/tsc.h"

#include "hyp/lib/util.h"
#include "hyp/x86/machine.h"

#define NS_PER_SECOND 1000000000UL
#define NEAR          1000 /* part of the host's frequency that another may differ from it */

uint64_t tsc_ratio(uint32_t khz, uint32_t host_khz, unsigned whole, unsigned fraction)
{
    uint64_t ratio = khz / host_khz, rest = khz % host_khz;

    if (ratio >> whole)
        return 0;
    for (unsigned bits = 0; bits < fraction; bits += 16) {
        ratio = ratio << 16 | (rest << 16) / host_khz;
        rest = (rest << 16) % host_khz;
    }
    return ratio;
}

void tsc_scale(uint64_t khz, uint32_t *mul, int8_t *shift)
{
    uint64_t hz = khz * 1000;
    int s = 0;

    /* ns a tick = 1e9 / hz = mul / 2^32 * 2^shift, with mul's top bit set. */
    while (hz > NS_PER_SECOND << 1) {
        hz >>= 1;
        s--;
    }
    while (hz <= NS_PER_SECOND) {
        hz <<= 1;
        s++;
    }
    *mul = (uint32_t)((NS_PER_SECOND << 32) / hz);
    *shift = (int8_t)s;
}

uint64_t tsc_ns(uint64_t ticks, uint32_t mul, int8_t shift)
{
    ticks = shift < 0 ? ticks >> -shift : ticks << shift;
    return (uint64_t)(((unsigned __int128)ticks * mul) >> 32);
}

uint64_t tsc_at(const struct tsc *t, uint64_t host)
{
    if (t->ratio)
        host = (uint64_t)((unsigned __int128)host * t->ratio >> features.tsc_fraction);
    return host + t->offset;
}

bool tsc_init(struct tsc *t, uint64_t hz)
{
    uint32_t khz = hz ? (uint32_t)(hz / 1000) : tsc_khz;

    *t = (struct tsc){.khz = khz};
    if (khz != tsc_khz && features.tsc_fraction)
        t->ratio = tsc_ratio(khz, tsc_khz, features.tsc_whole, features.tsc_fraction);
    if (!t->ratio) {
        if (MAX(khz, tsc_khz) - MIN(khz, tsc_khz) > tsc_khz / NEAR)
            return false;
        t->khz = tsc_khz;
    }
    tsc_scale(t->khz, &t->mul, &t->shift);
    t->offset = -tsc_at(t, rdtsc());
    return true;
}

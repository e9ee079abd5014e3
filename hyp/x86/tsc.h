/* SPDX-License-Identifier: MIT */
/*
 * How a domain's TSC counts: as the host's, or at a frequency that its record names, which the CPU
 * makes of the host's TSC (SDM vol. 3 25.6.5, 26.3; APM vol. 2 15.30.5). Arithmetic only.
 */
#ifndef BH_X86_TSC_H
#define BH_X86_TSC_H

#include <stdbool.h>
#include <stdint.h>

struct tsc {
    uint64_t ratio;    /* its ticks in one of the host's, with a binary point; 0: one */
    uint64_t offset;   /* its TSC = the host's TSC * ratio + offset */
    uint32_t khz, mul; /* mul, shift: pvclock's scale, machine.h */
    int8_t shift;
};

/*
 * A TSC of hz Hz, 0: the host's frequency, that stands at 0 now. false: the CPU cannot make it, and
 * it is not the host's (within 0.1 %) either. Needs time_init() and vendor_init().
 */
bool tsc_init(struct tsc *t, uint64_t hz);
/* What it shows when the host's TSC stands at host. */
uint64_t tsc_at(const struct tsc *t, uint64_t host);

/*
 * khz / host_khz with `fraction` bits (a multiple of 16) behind the point; 0: more than `whole`
 * bits before it.
 */
uint64_t tsc_ratio(uint32_t khz, uint32_t host_khz, unsigned whole, unsigned fraction);
/* pvclock's scale for a TSC of khz, and the nanoseconds of so many of its ticks. */
void tsc_scale(uint64_t khz, uint32_t *mul, int8_t *shift);
uint64_t tsc_ns(uint64_t ticks, uint32_t mul, int8_t shift);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Counts of TSC ticks. In an emulator whose TSC advances by one for each instruction they are
 * counts of executed instructions, the guest's and the hypervisor's.
 */
#ifndef BH_BENCH_MEASURE_H
#define BH_BENCH_MEASURE_H

#include "guestdrv/rt/rt.h"

/*
 * The median ticks of op() without those of an empty function, kept under name until
 * measure_print(): text on its way to a serial port would be measured too.
 */
void measure(const char *name, void (*op)(void));

/* A value that was found in another way. */
void measure_note(const char *name, uint64_t value);

/* The operation that is being measured has not done what it should: the verdict will be FAIL. */
void measure_failed(long error);

/* All the operations again and again, for a profile. */
void measure_forever(void) __noreturn;

/* A line "bench NAME VALUE" for each, then the verdict. */
void measure_print(void);

#endif

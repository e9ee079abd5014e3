/* SPDX-License-Identifier: MIT */
/*
 * Debug builds (make DEBUG=1): how long the hypervisor keeps a CPU. A stretch begins when it gets
 * the CPU (an exit, a wake-up, a turn of the run loop) and ends when interrupts can come again. It
 * is counted in TSC ticks, which are instructions in an emulator that counts them.
 */
#ifndef BH_X86_WATCH_H
#define BH_X86_WATCH_H

#include <stdint.h>

#ifdef BH_DEBUG
#define WATCH(call) watch_##call
#else
#define WATCH(call) ((void)0)
#endif

extern uint64_t watch_limit; /* host option watch=N: a stretch of more ticks is told; 0: none is */

void watch_start(void);
/* What this CPU is about to do in its stretch, for domain who; NULL: for none. */
void watch_note(const char *what, uint64_t code, const char *who);
void watch_stop(void);
/* A line about the longest stretch since the host started. */
void watch_report(void);

#endif

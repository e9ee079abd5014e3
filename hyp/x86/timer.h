/* SPDX-License-Identifier: MIT */
/* Set-up of each CPU's timer; what others use of timers stands in machine.h. */
#ifndef BH_X86_TIMER_H
#define BH_X86_TIMER_H

/* This CPU's queue and local APIC timer; the first call measures it. Needs apic_init(), time. */
void timer_init_cpu(void);
/* Runs the timers of this CPU that are due, and programs the hardware for the next. */
void timer_run(void);

#endif

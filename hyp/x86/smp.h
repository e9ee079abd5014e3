/* SPDX-License-Identifier: MIT */
/* The other CPUs: started one after the other by INIT and SIPI (SDM vol. 3 ch. 9.4). */
#ifndef BH_X86_SMP_H
#define BH_X86_SMP_H

#include "hyp/lib/addr.h"

/* The tops of cpu's stacks, made at the first call (trap.h: STACKS of them); NULL: no memory. */
const uint64_t *smp_stacks(uint32_t cpu);

/*
 * Starts every CPU of the MADT through the page at trampoline, below 1 MiB. A CPU that does not
 * come, or that cannot run guests, is a line in the log. They wait in cpu_idle() until
 * smp_release(), and then call loop. Needs the vendor chosen.
 */
void smp_start(hpa_t trampoline, void (*loop)(void));
void smp_release(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Debug builds: what must be true between any two steps of the hypervisor. Every user of a frame is
 * found and counted; tables and counters agree with each other.
 */
#ifndef BH_DOM_INVARIANT_H
#define BH_DOM_INVARIANT_H

#include "hyp/dom/dom.h"

#ifdef BH_DEBUG
#define INVARIANT(call) invariant_##call
#else
#define INVARIANT(call) ((void)0)
#endif

/*
 * NULL, or what is not true; *who is a domain at fault, NULL if none is. Nothing else may run, no
 * hypercall may be half done. After a violation the frame table's counts are of no use any more.
 */
const char *invariant_find(const struct domain **who);

/* Stops the other CPUs, each where it holds nothing, and panics when something is not true. */
void invariant_check(void);
/* Where a CPU stands still for another one's check. */
void invariant_park(void);

#endif

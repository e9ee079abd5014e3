/* SPDX-License-Identifier: MIT */
/*
 * A probe guest: probe_main() checks what the hypervisor does, then the last line on the console is
 * the verdict, "PASS" or "FAIL" with the number of checks that failed, and the guest powers off.
 */
#ifndef BH_GUEST_PROBE_H
#define BH_GUEST_PROBE_H

#include <xen/errno.h>
#include "guestdrv/rt/rt.h"

void probe_main(void);

/* A check that goes on when it fails; the line says what was wanted and what came. */
void probe_equal(long got, long want, const char *what, int line);
#define EQUAL(got, want) probe_equal((long)(got), (long)(want), #got, __LINE__)
#define TRUE(c)          probe_equal(!!(c), 1, #c, __LINE__)

/* The number of the trap that fn(arg) raises, or -1. */
int probe_trap(void (*fn)(uint64_t arg), uint64_t arg);

/* CPUID's EAX, EBX, ECX, EDX of a leaf and subleaf. */
void probe_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]);

/* MSR access; the trap it raises, or -1. */
int probe_rdmsr(uint32_t msr, uint64_t *value);
int probe_wrmsr(uint32_t msr, uint64_t value);

/* Number n (0: the first) of those on the command line; 0 when there is none. */
uint64_t probe_number(unsigned n);

/* An address nothing is mapped at, neither for the guest nor for the hypervisor. */
#define BAD_POINTER 0x7ffffffff000UL

#endif

/* SPDX-License-Identifier: MIT */
/* What hostile guests share: random numbers, options, more vCPUs, gates of their own. */
#ifndef BH_GUEST_HOSTILE_H
#define BH_GUEST_HOSTILE_H

#include "tests/guest/probe.h"

struct rng {
    uint64_t state;
};

uint64_t rng_next(struct rng *r);

/* A number below n, of n's width. */
#define rng_below(r, n) ((__typeof__((n) + 0U))(rng_next(r) % (uint64_t)(n)))

/* The decimal number behind "name=" on the command line, or other. */
uint64_t hostile_option(const char *name, uint64_t other);
bool hostile_on_amd(void);

/*
 * vCPU id (1 or 2) runs fn in 64-bit mode with our tables, interrupts off; fn does not return. One
 * after the other. 0, when an NMI would find its gate there, or an error of VCPUOP_initialise or
 * VCPUOP_up.
 */
long hostile_start_vcpu(uint32_t id, void (*fn)(void));

/* Sets a gate, or takes it away; before hostile_start_vcpu(). */
void hostile_gate(unsigned vector, void (*handler)(void));
void hostile_gate_absent(unsigned vector);
/* Returns from an interrupt at once. */
void hostile_iret(void);

#endif

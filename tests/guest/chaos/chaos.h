/* SPDX-License-Identifier: MIT */
/* The chaos guest's random hypercalls (chaoscall.c) and structures (chaosfill.c). */
#ifndef BH_GUEST_CHAOS_H
#define BH_GUEST_CHAOS_H

#include "tests/guest/hostile.h"

#define VERSIONS    2
#define VICTIMS     1536UL /* frames from here on may be lost: the last 2 MiB of 8 */
#define NVICTIMS    1024UL /* of which the last 512 have no memory at first */
#define GRANT_TABLE 0xf1000000UL
#define GRANTS      2048U

struct call {
    uint64_t nr, args[6];
};

/* One vCPU's means. */
struct attacker {
    struct rng rng;
    unsigned id;
    uint8_t *versions[VERSIONS]; /* two pages each */
    uint32_t used;               /* bytes of them that the call at hand has taken */
    uint64_t window, results;    /* linear addresses: what shows them, and room for results */
    uint64_t lists;              /* linear address of two pages of frame numbers */
};

typedef void fill_fn(struct attacker *a, unsigned cmd, void *p);

uint64_t chaos_gfn(struct rng *r);
uint16_t chaos_domid(struct rng *r);
uint32_t chaos_port(struct rng *r);
/* Where what is written does no harm, not even to other arguments; or nowhere. */
uint64_t chaos_anywhere(struct attacker *a);
uint64_t chaos_bad_pointer(struct rng *r);

/* A random hypercall with what it points to; several: a multicall may be among them. */
void chaos_call(struct attacker *a, struct call *c, bool several);

/* Fill one structure of their families. */
fill_fn chaos_evtchn, chaos_grant, chaos_memory, chaos_vcpu, chaos_sched, chaos_hvm;

#endif

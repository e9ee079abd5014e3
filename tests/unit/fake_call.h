/* SPDX-License-Identifier: MIT */
/* Beside the domains of fake_dom.h: the CPU, its clock, and what hypercalls ask of the rest. */
#ifndef BH_UNIT_FAKE_CALL_H
#define BH_UNIT_FAKE_CALL_H

#include "hyp/x86/vendor.h"
#include "tests/unit/fake_dom.h"

#define FAKE_FREE (4UL << 20) /* what there is for another domain */

extern uint64_t fake_now;
extern struct vcpu_mode fake_mode;   /* of the current vCPU */
extern struct vcpu_state fake_state; /* what set_state() got */
extern bool fake_event;              /* vcpu_has_event() */
extern unsigned fake_blocks, fake_yields, fake_starts, fake_stops, fake_restarts, fake_changes;
extern int fake_shutdown; /* reason, -1: none */
extern char fake_log[8192];

/* In steps: the CPU and its memory; a domain whose first vCPU is up; whether every frame is back.
 */
void fake_call_machine(uint64_t frames);
struct domain *fake_call_domain(uint16_t id, uint32_t nvcpus, const char *name);
bool fake_call_clean(void);

/* Domain 1 with two vCPUs, domain 2 with one; all else as at boot. */
void fake_call_start(void);
/* The domains go, and nothing was forgotten. */
void fake_call_finish(void);
/* As from the guest's kernel, with its continuations. */
long hypercall(struct vcpu *v, uint64_t nr, uint64_t a, uint64_t b, uint64_t c);

extern struct domain *dom1, *dom2;

#endif

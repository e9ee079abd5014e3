/* SPDX-License-Identifier: MIT */
/*
 * The emulated local APIC of a vCPU, always in x2APIC mode (SDM vol. 3 ch. 11.12): every access is
 * an MSR exit. IRR and esr_pending are written by any CPU with atomic bit operations, all else by
 * the CPU that runs the vCPU.
 */
#ifndef BH_X86_VLAPIC_H
#define BH_X86_VLAPIC_H

#include "hyp/x86/apicreg.h"
#include "hyp/x86/machine.h"

struct x86_vcpu;

struct vlapic {
    uint32_t reg[APIC_REGS] __aligned(8); /* by number, but for those that are computed */
    uint64_t icr;
    uint64_t timer_start, timer_period; /* ns; period 0: not running */
    uint64_t tsc_deadline;
    uint32_t esr_pending;
    struct timer timer;
};

void vlapic_reset(struct x86_vcpu *v);
/* MSR 0x800..0x8ff, 0x1b (APIC base), 0x6e0: false: #GP. */
bool vlapic_read(struct x86_vcpu *v, uint32_t msr, uint64_t *value);
bool vlapic_write(struct x86_vcpu *v, uint32_t msr, uint64_t value);
/* A write of the interrupt command register; false: #GP. May set v->retry. */
bool vlapic_icr(struct x86_vcpu *v, uint64_t icr);
/* Any CPU: sets vector pending and notifies the vCPU. */
void vlapic_raise(struct x86_vcpu *v, uint8_t vector);
/* The vector that would be taken now (its priority above the processor's), or -1. */
int vlapic_pending(const struct x86_vcpu *v);
/* The vector that waits for nothing but a lower TPR, or -1. */
int vlapic_behind_tpr(const struct x86_vcpu *v);
/* Takes over what the guest has written to CR8. */
void vlapic_sync(struct x86_vcpu *v);
/* Moves vector from IRR to ISR: it is being delivered. */
void vlapic_accept(struct x86_vcpu *v, uint8_t vector);
void vlapic_timer(struct timer *t); /* the function of vlapic.timer */
uint32_t vlapic_id(const struct x86_vcpu *v); /* x2APIC ID: 2 * vCPU number, as Xen has it */

#endif

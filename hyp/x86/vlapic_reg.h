/* SPDX-License-Identifier: MIT */
/* Registers of the x2APIC, by their distance from MSR 0x800 (SDM vol. 3 table 11-6). */
#ifndef BH_X86_VLAPIC_REG_H
#define BH_X86_VLAPIC_REG_H

#include "hyp/x86/vcpu.h"

#define REG_ID            0x02
#define REG_VERSION       0x03
#define REG_TPR           0x08
#define REG_PPR           0x0a
#define REG_EOI           0x0b
#define REG_LDR           0x0d
#define REG_SVR           0x0f
#define REG_ISR           0x10
#define REG_TMR           0x18
#define REG_IRR           0x20
#define REG_ESR           0x28
#define REG_ICR           0x30
#define REG_LVT_TIMER     0x32
#define REG_LVT_THERMAL   0x33
#define REG_LVT_PMC       0x34
#define REG_LVT_LINT0     0x35
#define REG_LVT_LINT1     0x36
#define REG_LVT_ERROR     0x37
#define REG_TIMER_INITIAL 0x38
#define REG_TIMER_CURRENT 0x39
#define REG_DIVIDE        0x3e
#define REG_SELF_IPI      0x3f

/* A write of the interrupt command register; false: #GP. May set v->retry. */
bool vlapic_icr(struct x86_vcpu *v, uint64_t icr);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Registers of a local APIC by number, the machine's and the emulated ones' (SDM vol. 3 table
 * 11-6): in x2APIC mode MSR 0x800 + number, in xAPIC mode at 16 * number.
 */
#ifndef BH_X86_APICREG_H
#define BH_X86_APICREG_H

#define APIC_ID            0x02
#define APIC_VERSION       0x03
#define APIC_TPR           0x08
#define APIC_PPR           0x0a
#define APIC_EOI           0x0b
#define APIC_LDR           0x0d
#define APIC_SVR           0x0f
#define APIC_ISR           0x10 /* eight, as of TMR and IRR */
#define APIC_TMR           0x18
#define APIC_IRR           0x20
#define APIC_ESR           0x28
#define APIC_ICR           0x30 /* in xAPIC mode the low half; the high one is the next */
#define APIC_LVT_TIMER     0x32
#define APIC_LVT_THERMAL   0x33
#define APIC_LVT_PMC       0x34
#define APIC_LVT_LINT0     0x35
#define APIC_LVT_LINT1     0x36
#define APIC_LVT_ERROR     0x37
#define APIC_TIMER_INITIAL 0x38
#define APIC_TIMER_CURRENT 0x39
#define APIC_DIVIDE        0x3e
#define APIC_SELF_IPI      0x3f
#define APIC_REGS          0x40

#define LVT_MASKED       (1U << 16)
#define LVT_PERIODIC     (1U << 17)
#define LVT_TSC_DEADLINE (2U << 17)

#endif

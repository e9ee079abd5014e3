/* SPDX-License-Identifier: MIT */
/* Bits of control registers and MSRs as guests see them (SDM vol. 3 ch. 2.5; vol. 4). */
#ifndef BH_X86_REGS_H
#define BH_X86_REGS_H

#include "hyp/lib/util.h"

#define CR0_PE      BIT(0)
#define CR0_ET      BIT(4)
#define CR0_WP      BIT(16)
#define CR0_NE      BIT(5)
#define CR0_NW      BIT(29)
#define CR0_CD      BIT(30)
#define CR0_PG      BIT(31)
#define CR4_PSE     BIT(4)
#define CR4_PAE     BIT(5)
#define CR4_MCE     BIT(6)
#define CR4_VMXE    BIT(13)
#define CR4_PCIDE   BIT(17)
#define CR4_OSXSAVE BIT(18)
#define EFER_SCE    BIT(0)
#define EFER_LME    BIT(8)
#define EFER_LMA    BIT(10)
#define EFER_NXE    BIT(11)
#define EFER_SVME   BIT(12)
#define EFER_FFXSR  BIT(14)
#define RFLAGS_1    BIT(1)
#define RFLAGS_TF   BIT(8)
#define RFLAGS_IF   BIT(9)
#define DR6_RESET   0xffff0ff0UL
#define DR6_BS      BIT(14)
#define DR7_RESET   0x400UL
#define PAT_RESET   0x0007040600070406UL
#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))
#define XCR0_PKRU   BIT(9)

#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_UD  6
#define VECTOR_GP  13
#define VECTOR_AC  17
#define VECTOR_MC  18

#define MSR_TSC          0x10
#define MSR_APIC_BASE    0x1b
#define MSR_PAT          0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800
#define MSR_EFER         0xc0000080
#define MSR_STAR         0xc0000081
#define MSR_LSTAR        0xc0000082
#define MSR_CSTAR        0xc0000083
#define MSR_SFMASK       0xc0000084
#define MSR_FS_BASE      0xc0000100
#define MSR_GS_BASE      0xc0000101
#define MSR_KERNEL_GS    0xc0000102
#define MSR_TSC_AUX      0xc0000103
#define MSR_TSC_RATIO    0xc0000104

#endif

/* SPDX-License-Identifier: MIT */
/* The virtual machine control block (APM vol. 2 appendix B) and the codes in it (appendix C). */
#ifndef BH_SVM_VMCB_H
#define BH_SVM_VMCB_H

#include "hyp/x86/vcpu.h"

struct vmcb {
    uint16_t cr_read, cr_write, dr_read, dr_write;
    uint32_t exceptions, intercept1, intercept2, intercept3;
    uint8_t reserved0[36];
    uint16_t pause_threshold, pause_count;
    uint64_t iopm, msrpm, tsc_offset;
    uint32_t asid;
    uint32_t tlb_control;
    uint64_t vintr, shadow, exit_code, exit_info1, exit_info2, exit_int_info, nested;
    uint8_t reserved1[16];
    uint64_t event, ncr3, lbr;
    uint32_t clean, reserved2;
    uint64_t nrip;
    uint8_t nfetched, fetched[15];
    uint8_t reserved3[0x400 - 0xe0];
    struct segment segments[SEGS];
    uint8_t reserved4[43];
    uint8_t cpl;
    uint32_t reserved5;
    uint64_t efer;
    uint8_t reserved6[112];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved7[88];
    uint64_t rsp;
    uint8_t reserved8[24];
    uint64_t rax, star, lstar, cstar, sfmask, kernel_gs, sysenter[3], cr2;
    uint8_t reserved9[32];
    uint64_t pat;
    uint8_t reserved10[PAGE_SIZE - 0x670];
};
_Static_assert(offsetof(struct vmcb, tlb_control) == 0x5c, "VMCB");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "VMCB");
_Static_assert(offsetof(struct vmcb, event) == 0xa8, "VMCB");
_Static_assert(offsetof(struct vmcb, clean) == 0xc0, "VMCB");
_Static_assert(offsetof(struct vmcb, nrip) == 0xc8, "VMCB");
_Static_assert(offsetof(struct vmcb, segments[SEG_TR]) == 0x490, "VMCB");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "VMCB");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "VMCB");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "VMCB");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "VMCB");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "VMCB");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "VMCB");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "VMCB");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "VMCB");
_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "VMCB");

#define VMCB_STATE offsetof(struct vmcb, reserved10) /* bytes: what follows is not used */

/* intercept1 is the bits of exit codes 0x60..0x7f, intercept2 of 0x80.. on. */
#define INTERCEPT(code) (1U << ((code)&31))

#define SVM_EXIT_CR_WRITE  0x10
#define SVM_EXIT_EXCEPTION 0x40
#define SVM_EXIT_INTR      0x60
#define SVM_EXIT_NMI       0x61
#define SVM_EXIT_VINTR     0x64
#define SVM_EXIT_RDPMC     0x6f
#define SVM_EXIT_CPUID     0x72
#define SVM_EXIT_RSM       0x73
#define SVM_EXIT_IRET      0x74
#define SVM_EXIT_INVD      0x76
#define SVM_EXIT_PAUSE     0x77
#define SVM_EXIT_HLT       0x78
#define SVM_EXIT_INVLPGA   0x7a
#define SVM_EXIT_IOIO      0x7b
#define SVM_EXIT_MSR       0x7c
#define SVM_EXIT_SHUTDOWN  0x7f
#define SVM_EXIT_VMRUN     0x80
#define SVM_EXIT_VMMCALL   0x81
#define SVM_EXIT_VMLOAD    0x82
#define SVM_EXIT_VMSAVE    0x83
#define SVM_EXIT_STGI      0x84
#define SVM_EXIT_CLGI      0x85
#define SVM_EXIT_SKINIT    0x86
#define SVM_EXIT_WBINVD    0x89
#define SVM_EXIT_MONITOR   0x8a
#define SVM_EXIT_MWAIT     0x8b
#define SVM_EXIT_MWAIT_ARM 0x8c
#define SVM_EXIT_XSETBV    0x8d
#define SVM_EXIT_RDPRU     0x8e
#define SVM_EXIT_NPF       0x400
#define SVM_EXIT_INVALID   0xffffffffU /* in the low half: Bochs and real CPUs fill the high one */

#define VINTR_IRQ     BIT(8)
#define VINTR_IGN_TPR BIT(20)
#define VINTR_MASKING BIT(24)

#define EVENT_VALID BIT(31)
#define EVENT_ERROR BIT(11)

#define TLB_FLUSH_ALL 1U

/* Clean bits: what the CPU may take from its cache (APM 15.15.3). */
#define CLEAN_INTERCEPTS BIT(0)
#define CLEAN_BITMAPS    BIT(1)
#define CLEAN_ASID       BIT(2)
#define CLEAN_VINTR      BIT(3)
#define CLEAN_NP         BIT(4)
#define CLEAN_CR         BIT(5)
#define CLEAN_DR         BIT(6)
#define CLEAN_DT         BIT(7)
#define CLEAN_SEGMENTS   BIT(8)
#define CLEAN_CR2        BIT(9)
#define CLEAN_ALL        0x7ffU

#endif

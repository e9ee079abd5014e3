/* SPDX-License-Identifier: MIT */
/*
 * Speculation: what the CPU does with guesses that one guest may have trained and another, or the
 * hypervisor, would follow; and buffers that keep what they held. What is done against it is chosen
 * once at boot, from what the CPU says of itself. docs/security.md says what is not covered.
 */
#ifndef BH_X86_SPEC_H
#define BH_X86_SPEC_H

/* Offsets in struct spec, for the world switches. */
#define SPEC_VERW      0
#define SPEC_RSB       1
#define SPEC_IBPB_EXIT 2

#define MSR_PRED_CMD  0x49
#define PRED_CMD_IBPB 1

#ifndef __ASSEMBLER__

#include "hyp/x86/regs.h"
#include "hyp/x86/vcpu.h"

#define MSR_SPEC_CTRL     0x48
#define MSR_ARCH_CAPS     0x10a
#define MSR_FLUSH_CMD     0x10b
#define MSR_DE_CFG        0xc0011029
#define DE_CFG_LFENCE     BIT(1) /* LFENCE waits for all before it */
#define DE_CFG_FP_BACKUP  BIT(9) /* Zen 2: no Zenbleed */
#define MSR_BP_CFG        0xc001102e
#define BP_CFG_REDUCE     BIT(4)
#define SPEC_CTRL_IBRS    BIT(0)
#define SPEC_CTRL_STIBP   BIT(1)
#define SPEC_CTRL_SSBD    BIT(2)
#define SPEC_CTRL_RRSBA_S BIT(6)
#define SPEC_CTRL_PSFD    BIT(7)
#define SPEC_CTRL_BHI_S   BIT(10)
#define PRED_CMD_SBPB     BIT(7)
#define FLUSH_CMD_L1D     BIT(0)
#define EFER_AUTO_IBRS    BIT(21)
#define LEAF7_D_MD_CLEAR  BIT(10)
#define LEAF7_D_IBRS_IBPB BIT(26)
#define LEAF7_D_STIBP     BIT(27)
#define LEAF7_D_L1D_FLUSH BIT(28)
#define LEAF7_D_ARCH_CAPS BIT(29)
#define LEAF7_D_SSBD      BIT(31)
#define LEAF7_2_D_RRSBA   BIT(2)
#define LEAF7_2_D_BHI     BIT(4)
#define EXT8_B_IBPB       BIT(12)
#define EXT8_B_IBRS       BIT(14)
#define EXT8_B_STIBP      BIT(15)
#define EXT8_B_SSBD       BIT(24)
#define EXT8_B_PSFD       BIT(28)
#define EXT8_B_BTC_NO     BIT(29)
#define EXT21_A_LFENCE    BIT(2) /* it does so whatever DE_CFG says */
#define EXT21_A_VERW      BIT(5)
#define EXT21_A_AUTO_IBRS BIT(8)
#define EXT21_A_SBPB      BIT(27)
#define EXT21_A_BRTYPE    BIT(28) /* IBPB forgets the kind of a branch, too */
#define EXT21_A_SRSO_NO   BIT(29)
#define EXT21_A_REDUCE    BIT(31)

/* What the CPU says: CPUID registers, 0 where the leaf or the MSR does not exist. */
struct spec_cpu {
    bool amd; /* AMD or Hygon: 0x80000008 and on count, leaf 7's bits do not */
    bool smt; /* a core has more than one thread */
    uint32_t family, model;
    uint32_t leaf7_b, leaf7_d, leaf7_2_d, ext8_b, ext21_a;
    uint64_t arch_caps;
};

struct spec {
    uint8_t verw;        /* buffers are cleared by VERW before an entry */
    uint8_t rsb;         /* return predictions are overwritten after an exit */
    uint8_t ibpb_exit;   /* all predictions are forgotten after an exit */
    bool reduce;         /* BP_CFG's bit */
    uint64_t de_cfg;     /* DE_CFG's bits that must be set */
    bool ibrs_each;      /* SPEC_CTRL must be written after each exit, not only when it differs */
    bool auto_ibrs;      /* EFER's bit */
    bool ibpb;           /* on this CPU another domain runs than before */
    bool l1d;            /* L1D is flushed before an entry */
    bool code_4k;        /* guests run no code in 2 MiB pages */
    bool has_ctrl;       /* there is MSR_SPEC_CTRL */
    uint64_t host_ctrl;  /* its value in the hypervisor */
    uint64_t guest_ctrl; /* in a guest that never used it */
    uint64_t force_ctrl; /* in every guest */
    uint64_t ctrl_mask, pred_mask; /* what guests may write to SPEC_CTRL, PRED_CMD; 0: no MSR */
    uint64_t guest_caps;           /* IA32_ARCH_CAPABILITIES as guests see it */
    bool has_caps;
};
extern struct spec spec;
extern const uint16_t spec_selector; /* for the world switches, too */

/* Pure: what to do on such a CPU. */
struct spec spec_decide(const struct spec_cpu *c);

/* Boot CPU: decides, and says so in the log. spec_cpu_on(): every CPU, with its own registers. */
void spec_init(void);
void spec_cpu_on(void);

/* This CPU is about to hold v's state. */
void spec_switch(const struct x86_vcpu *v);

/* A guest's access to one of the MSRs above: false: #GP. spec_owns(): it is one. */
bool spec_owns(uint32_t msr);
bool spec_msr_read(const struct x86_vcpu *v, uint32_t msr, uint64_t *value);
bool spec_msr_write(struct x86_vcpu *v, uint32_t msr, uint64_t value);

/* Of v's SPEC_CTRL when it runs. */
static inline uint64_t spec_guest_ctrl(const struct x86_vcpu *v)
{
    return v->spec_used ? v->spec_ctrl | spec.force_ctrl : spec.guest_ctrl;
}

/* Right before and right after the world switch. */
static inline void spec_enter(const struct x86_vcpu *v)
{
    if (spec.has_ctrl && spec_guest_ctrl(v) != spec.host_ctrl)
        wrmsr(MSR_SPEC_CTRL, spec_guest_ctrl(v));
    if (spec.l1d)
        wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
}

static inline void spec_exit(const struct x86_vcpu *v)
{
    if (spec.ibrs_each || (spec.has_ctrl && spec_guest_ctrl(v) != spec.host_ctrl))
        wrmsr(MSR_SPEC_CTRL, spec.host_ctrl);
}

#else

/* clang-format off */
/* Right before a guest runs, if the CPU needs it. Clobbers the flags. */
.macro spec_clear_buffers
    cmpb $0, spec + SPEC_VERW
    je 770f
    verw spec_selector
770:
.endm

/* Right after it ran, if the CPU needs it. Clobbers eax, ecx, edx and the flags. */
.macro spec_forget
    cmpb $0, spec + SPEC_IBPB_EXIT
    je 778f
    mov $MSR_PRED_CMD, %ecx
    mov $PRED_CMD_IBPB, %eax
    xor %edx, %edx
    wrmsr
778:
.endm

/*
 * Right after it ran, if the CPU needs it: thirty-two returns that nobody takes are predicted to
 * stop here. Clobbers reg and the flags.
 */
.macro spec_fill_rsb reg
    cmpb $0, spec + SPEC_RSB
    je 776f
    mov $16, \reg
771:
    call 772f
773:
    pause
    lfence
    jmp 773b
772:
    call 774f
775:
    pause
    lfence
    jmp 775b
774:
    dec \reg
    jnz 771b
    add $(32 * 8), %rsp
    lfence
776:
.endm
/* clang-format on */

#endif
#endif

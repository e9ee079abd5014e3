/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the AMD-V back end. What an older CPU or QEMU lacks (APM vol. 2 ch. 15: next
 * RIP, decode assists, clean bits, flush by ASID) is done without.
 */
#ifndef BH_SVM_SVM_H
#define BH_SVM_SVM_H

#include "hyp/x86/regs.h"
#include "hyp/x86/svm/vmcb.h"
#include "hyp/x86/vendor.h"

/* A page with code that has exited, svminsn.c: where it was; its frame, while ram_gen is gen. */
struct svm_code {
    uint64_t page; /* linear */
    gfn_t gfn;
    uint64_t gen;
    hfn_t frame;
};
#define SVM_CODES 4

#define TSC_RATIO_ONE BIT(32)

/* A vCPU's AMD-V state, two pages. Only the vCPU's CPU, or its creator, touches it. */
struct svm_vcpu {
    struct vmcb vmcb;
    uint64_t hpa;      /* of vmcb */
    struct cpu *cpu;   /* where it last ran: its ASID and the CPU's cache of the VMCB live there */
    uint64_t asid_gen; /* cpu->asid_gen when its ASID was given out; 0: needs a new one */
    bool nmi_blocked;  /* in the NMI handler, IRET is intercepted */
    struct svm_code code[SVM_CODES]; /* by page number */
    uint8_t left[VMCB_STATE];        /* debug builds: vmcb as the last run left it, */
    struct cpu *left_on;             /* on this CPU */
};

/* A CPU's: where VMRUN saves host state, and the part of it that is VMLOAD's. */
struct svm_cpu {
    uint8_t save_area[PAGE_SIZE];
    struct vmcb host;
    uint64_t host_hpa;  /* of host */
    uint64_t tsc_ratio; /* in MSR_TSC_RATIO */
};

struct svm_features {
    bool nrip, clean, pause_filter, pause_threshold, rdtscp;
    uint32_t asids;
};
extern struct svm_features svm_features;
extern uint8_t svm_msrpm[2 * PAGE_SIZE]; /* shared by all vCPUs; two bits an MSR */

static inline struct svm_vcpu *svm_of(const struct x86_vcpu *v)
{
    return v->vendor;
}

/* The fields behind bits of CLEAN_* have changed. */
static inline void vmcb_dirty(struct vmcb *b, uint64_t bits)
{
    b->clean &= ~(uint32_t)bits;
}

/* From now on guests of this CPU, whose s is, have a TSC that counts by ratio (8.32 bits). */
void svm_set_tsc_ratio(struct svm_cpu *s, uint64_t ratio);

void vmcb_vcpu_init(struct x86_vcpu *v);
void vmcb_load(struct x86_vcpu *v);
void vmcb_save(struct x86_vcpu *v);
void vmcb_get_state(struct x86_vcpu *v, struct vcpu_state *s);
/* Also ends shadows and drops an event in flight: as after reset. */
void vmcb_set_state(struct x86_vcpu *v, const struct vcpu_state *s);
void vmcb_get_mode(struct x86_vcpu *v, struct vcpu_mode *m);
void vmcb_set_pat(struct x86_vcpu *v, uint64_t pat);
void vmcb_set_efer(struct x86_vcpu *v, uint64_t efer);

/*
 * Debug builds: clean bits tell the truth. A run leaves the VMCB as it is in the CPU's cache;
 * before the next one, what has changed since has its bit cleared, and the CPU is the same.
 */
#ifdef BH_DEBUG
#define VMCBCHECK(call) vmcbcheck_##call
#else
#define VMCBCHECK(call) ((void)0)
#endif
void vmcbcheck_left(struct svm_vcpu *x);
void vmcbcheck_enter(const struct svm_vcpu *x);

void svmexit_run(struct x86_vcpu *v, struct exit *e);
void svmexit_skip(struct x86_vcpu *v, uint32_t len);
bool svmexit_can_inject(struct x86_vcpu *v, bool nmi);
void svmexit_inject(struct x86_vcpu *v, const struct event *e);
bool svmexit_injecting(struct x86_vcpu *v);
void svmexit_want_window(struct x86_vcpu *v, unsigned above);

/*
 * The length of the instruction that has exited, found by reading it; 0: it is none of those that
 * exit, or it cannot be read. *gpr: the register that a MOV to CR8 reads. svminsn_decode(): of n
 * bytes at p, in 64-bit code or not.
 */
uint32_t svminsn_length(struct x86_vcpu *v, uint8_t *gpr);
bool svminsn_at_hlt(struct x86_vcpu *v); /* the next instruction is HLT */
uint32_t svminsn_decode(const uint8_t *p, unsigned n, bool code64, uint8_t *gpr);

/* svmenter.S: into the guest of the VMCB at physical address guest, with regs, and back. */
void svmenter(struct gprs *regs, uint64_t guest, uint64_t host);

#endif

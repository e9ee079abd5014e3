/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the VT-x back end.
 *
 * What CPUID must hide from guests, because it would not work here: VMX, SMX, MONITOR, the PMU,
 * SGX, PT, WAITPKG, XSAVES, PKU, LA57, CET and every other feature that needs a CR4 bit outside
 * vmstate.c's CR4_GUEST (such a MOV to CR4 gets #GP); RDTSCP and INVPCID exactly when the CPU lacks
 * them. CR8 lives in v->vlapic.reg[APIC_TPR]: every CR8 access exits.
 */
#ifndef BH_VMX_VMX_H
#define BH_VMX_VMX_H

#include "hyp/x86/regs.h"
#include "hyp/x86/vendor.h"
#include "hyp/x86/vmx/vmcs.h"

/* A vCPU's VT-x state, two pages. Only the vCPU's CPU, or its creator, touches it. */
struct vmx_vcpu {
    uint8_t region[PAGE_SIZE]; /* the VMCS itself */
    uint64_t hpa;              /* of region */
    bool launched;             /* VMRESUME, not VMLAUNCH */
    bool preemption;           /* VMCS_PREEMPTION_TIMER holds a deadline */
    uint32_t proc;             /* VMCS_PROC as last written */
    struct cpu *cpu;           /* where it was last loaded: VPID and EPT entries live there */
    uint64_t vpid_gen;         /* cpu->asid_gen when its VPID was given out; 0: needs a new one */
    uint64_t cr2;              /* while not loaded */
};

/* Control values with which every VMCS starts; found by vmx_probe(), the same on all CPUs. */
enum vmx_ctl { VMX_PIN, VMX_PROC, VMX_PROC2, VMX_EXIT, VMX_ENTRY, VMX_NCTL };
extern uint32_t vmx_ctl[VMX_NCTL];
extern uint32_t vmx_revision;
extern unsigned vmx_preemption_shift;

/* One bit per MSR, set: exits (SDM 25.6.9). Shared by all vCPUs. */
extern uint8_t vmx_msr_bitmap[PAGE_SIZE];

static inline struct vmx_vcpu *vmx_of(const struct x86_vcpu *v)
{
    return v->vendor;
}

/* The current VMCS. An unknown field is a bug of ours: panic. */
uint64_t vmcs_read(uint32_t field);
void vmcs_write(uint32_t field, uint64_t value);

void vmcs_vcpu_init(struct x86_vcpu *v);
void vmcs_load(struct x86_vcpu *v);
void vmcs_save(struct x86_vcpu *v);
/* Makes v's VMCS current for a moment when it is loaded nowhere; release undoes that. */
bool vmcs_grab(const struct x86_vcpu *v);
void vmcs_release(const struct x86_vcpu *v, bool grabbed);

void vmstate_get(struct x86_vcpu *v, struct vcpu_state *s);
void vmstate_get_mode(struct x86_vcpu *v, struct vcpu_mode *m);
/* Also ends interrupt shadows and drops an event in flight: as after reset. */
void vmstate_set(struct x86_vcpu *v, const struct vcpu_state *s);
/* MOV to CR0 by the guest: false: #GP(0), and nothing has changed. */
bool vmstate_write_cr0(struct x86_vcpu *v, uint64_t value);
void vmstate_set_efer(struct x86_vcpu *v, uint64_t efer);

void vmexit_run(struct x86_vcpu *v, struct exit *e);
void vmexit_skip(struct x86_vcpu *v, uint32_t len);
bool vmexit_can_inject(struct x86_vcpu *v, bool nmi);
void vmexit_inject(struct x86_vcpu *v, const struct event *e);
bool vmexit_injecting(struct x86_vcpu *v);
void vmexit_want_window(struct x86_vcpu *v, unsigned above);

/*
 * vmenter.S: loads regs (all but rsp), enters the guest, and stores them at its exit. True when the
 * CPU refused to enter (VMfail): VMCS_INSN_ERROR then says why.
 */
bool vmenter(struct gprs *regs, bool launched);
extern const char vmenter_exit[]; /* VMCS_HOST_RIP */

/* Invalidation (SDM 31.3): of one EPT (type 1) or all (2); of all VPIDs (2). */
static inline void vmx_invept(uint64_t type, uint64_t eptp)
{
    uint64_t desc[2] = {eptp, 0};

    __asm__ volatile("invept %0, %1" : : "m"(desc), "r"(type) : "cc", "memory");
}
static inline void vmx_invvpid_all(void)
{
    uint64_t desc[2] = {0, 0};

    __asm__ volatile("invvpid %0, %1" : : "m"(desc), "r"(2UL) : "cc", "memory");
}

#endif

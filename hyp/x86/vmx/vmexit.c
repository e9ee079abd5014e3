/* SPDX-License-Identifier: MIT */
/* Entry, exit and event injection (SDM vol. 3 ch. 27 and 28). */
#include "hyp/x86/vmx/vmx.h"

#include "hyp/x86/flush.h"
#include "hyp/x86/spec.h"
#include "hyp/x86/trap.h"
#include "hyp/x86/watch.h"

#define CR_MOV_TO     0
#define VPID_LAST     0xffffU
#define PENDING_BS    BIT(14) /* a single-step trap is due */
#define QUAL_DEBUG    (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(13) | DR6_BS) /* bits of DR6 */
#define DR6_HITS      0xfUL
#define DR7_GD        BIT(13)
#define TYPE_ICEBP    5
#define QUAL_NMI_IRET BIT(12)

/* Exits that need nothing but a name. 0 (EXIT_NONE) elsewhere: vmexit_decode() looks closer. */
static const uint8_t vmexit_plain[] = {
    [REASON_INTERRUPT] = EXIT_INTERRUPT,
    [REASON_TRIPLE] = EXIT_TRIPLE,
    [REASON_INTR_WINDOW] = EXIT_WINDOW,
    [REASON_NMI_WINDOW] = EXIT_WINDOW,
    [REASON_CPUID] = EXIT_CPUID,
    [REASON_GETSEC] = EXIT_UNDEFINED,
    [REASON_HLT] = EXIT_HLT,
    [REASON_RSM] = EXIT_UNDEFINED,
    [REASON_VMCALL] = EXIT_HYPERCALL,
    [REASON_VMCLEAR... REASON_VMXON] = EXIT_UNDEFINED,
    [REASON_RDMSR] = EXIT_RDMSR,
    [REASON_WRMSR] = EXIT_WRMSR,
    [REASON_MWAIT] = EXIT_UNDEFINED,
    [REASON_MONITOR] = EXIT_UNDEFINED,
    [REASON_PAUSE] = EXIT_PAUSE,
    [REASON_INVEPT] = EXIT_UNDEFINED,
    [REASON_PREEMPTION] = EXIT_INTERRUPT,
    [REASON_INVVPID] = EXIT_UNDEFINED,
    [REASON_XSETBV] = EXIT_XSETBV,
    [REASON_VMFUNC] = EXIT_UNDEFINED,
    [REASON_ENCLS] = EXIT_UNDEFINED,
};

void vmexit_skip(struct x86_vcpu *v, uint32_t len)
{
    uint64_t rip = vmcs_read(VMCS_GUEST_RIP) + len;

    (void)v;
    if (!(vmcs_read(VMCS_GUEST_AR + 2 * SEG_CS) & BIT(13)))
        rip = (uint32_t)rip;
    vmcs_write(VMCS_GUEST_RIP, rip);
    vmcs_write(VMCS_GUEST_SHADOW, vmcs_read(VMCS_GUEST_SHADOW) & ~(SHADOW_STI | SHADOW_MOVSS));
    if (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF)
        vmcs_write(VMCS_GUEST_PENDING_DEBUG, vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_BS);
}

bool vmexit_injecting(struct x86_vcpu *v)
{
    (void)v;
    return vmcs_read(VMCS_ENTRY_EVENT) & EVENT_VALID;
}

bool vmexit_can_inject(struct x86_vcpu *v, bool nmi)
{
    uint64_t shadow = vmcs_read(VMCS_GUEST_SHADOW);

    if (vmexit_injecting(v) || shadow & (SHADOW_STI | SHADOW_MOVSS))
        return false;
    return nmi ? !(shadow & SHADOW_NMI) : vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF;
}

void vmexit_inject(struct x86_vcpu *v, const struct event *e)
{
    uint32_t event = e->vector | (uint32_t)e->type << 8 | EVENT_VALID;

    (void)v;
    if (e->has_error && vmcs_read(VMCS_GUEST_CR0) & CR0_PE) { /* real mode pushes none */
        event |= EVENT_ERROR;
        vmcs_write(VMCS_ENTRY_ERROR, e->error);
    }
    vmcs_write(VMCS_ENTRY_EVENT, event);
}

static void vmexit_set_proc(struct vmx_vcpu *x, uint32_t proc)
{
    if (proc == x->proc)
        return;
    x->proc = proc;
    vmcs_write(VMCS_PROC, proc);
}

/*
 * One window at a time, the NMI's first: an interrupt window may be open while NMIs are blocked,
 * and would exit for ever. With STI's shadow some CPUs inject no NMI, and IF is set: then the
 * interrupt window is the one that opens next.
 */
void vmexit_want_window(struct x86_vcpu *v, unsigned above)
{
    struct vmx_vcpu *x = vmx_of(v);
    bool on = above > v->vlapic.reg[APIC_TPR] >> 4; /* else the CR8 write that changes it exits */
    uint32_t proc = x->proc & ~(PROC_INTR_WINDOW | PROC_NMI_WINDOW);

    if (on && v->nmi_pending && !(vmcs_read(VMCS_GUEST_SHADOW) & SHADOW_STI))
        proc |= PROC_NMI_WINDOW;
    else if (on)
        proc |= PROC_INTR_WINDOW;
    vmexit_set_proc(x, proc);
}

/* VMfail: the control block is wrong (SDM vol. 3 ch. 31.4). */
static void vmexit_refused(struct exit *e)
{
    uint64_t code = vmcs_read(VMCS_INSN_ERROR);

    exit_failed(e,
                code == 7   ? "VM entry: invalid control fields"
                : code == 8 ? "VM entry: invalid host state"
                            : "VM entry refused",
                code, vmcs_read(VMCS_GUEST_RIP));
}

/* An exit in the middle of delivering an event: deliver it again at the next entry (SDM 28.2.4). */
static void vmexit_requeue(uint64_t reason)
{
    uint32_t event = (uint32_t)vmcs_read(VMCS_VECTORING);
    uint64_t shadow = vmcs_read(VMCS_GUEST_SHADOW);

    if (!(event & EVENT_VALID)) {
        /* An IRET that faulted has unblocked NMIs too soon. */
        if ((reason == REASON_EPT && vmcs_read(VMCS_QUALIFICATION) & QUAL_NMI_IRET) ||
            (reason == REASON_EXCEPTION && vmcs_read(VMCS_EXIT_EVENT) & EVENT_IRET))
            vmcs_write(VMCS_GUEST_SHADOW, shadow | SHADOW_NMI);
        return;
    }
    if ((event & EVENT_TYPE) == EVENT_NMI)
        vmcs_write(VMCS_GUEST_SHADOW, shadow & ~SHADOW_NMI);
    if (event & EVENT_ERROR)
        vmcs_write(VMCS_ENTRY_ERROR, vmcs_read(VMCS_VECTORING_ERROR));
    if (EVENT_TYPE_NR(event) >= 4) /* INT n, ICEBP, INT3 and INTO return behind themselves */
        vmcs_write(VMCS_ENTRY_INSN_LEN, vmcs_read(VMCS_INSN_LEN));
    vmcs_write(VMCS_ENTRY_EVENT, event & ~EVENT_IRET);
}

/*
 * The exit has kept DR6 and DR7 as they were (SDM 28.1): it is done here what delivery does. Entry
 * demands that a single-step trap is due when TF is set in an interrupt shadow (SDM 27.3.1.5).
 */
static void vmexit_debug(struct x86_vcpu *v, const struct exit *e, uint64_t event)
{
    uint64_t dr6, hits = vmcs_read(VMCS_QUALIFICATION) & QUAL_DEBUG;

    if (EVENT_TYPE_NR(event) == TYPE_ICEBP) {
        vmexit_skip(v, e->insn_len);
    } else {
        __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
        __asm__ volatile("mov %0, %%dr6" : : "r"((dr6 & ~DR6_HITS) | hits));
        vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~DR7_GD);
        if (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_TF &&
            vmcs_read(VMCS_GUEST_SHADOW) & (SHADOW_STI | SHADOW_MOVSS))
            vmcs_write(VMCS_GUEST_PENDING_DEBUG, vmcs_read(VMCS_GUEST_PENDING_DEBUG) | PENDING_BS);
    }
    vcpu_inject(v, VECTOR_DB, false, 0);
}

/*
 * NMI or machine check of the host: its handler runs now, as if it had come a moment later. And the
 * two that a guest could raise for ever while they are delivered, with no interrupt between.
 */
static void vmexit_exception(struct x86_vcpu *v, struct exit *e)
{
    uint64_t event = vmcs_read(VMCS_EXIT_EVENT);
    uint8_t vector = event & EVENT_VECTOR;

    if ((event & EVENT_TYPE) == EVENT_NMI) {
        trap_again(VECTOR_NMI);
        e->reason = EXIT_NMI;
    } else if (vector == VECTOR_DB) {
        vmexit_debug(v, e, event);
    } else if (vector == VECTOR_AC) {
        vcpu_inject(v, VECTOR_AC, true, 0);
    } else {
        trap_again(VECTOR_MC);
    }
}

/* Qualification: SDM vol. 3 table 28-3. */
static void vmexit_cr(struct x86_vcpu *v, struct exit *e)
{
    uint64_t q = vmcs_read(VMCS_QUALIFICATION);
    unsigned cr = q & 15, access = q >> 4 & 3, reg = q >> 8 & 15;

    if (cr == 8) {
        e->reason = EXIT_CR8;
        e->cr8.write = access == CR_MOV_TO;
        e->cr8.gpr = (uint8_t)reg;
    } else if (cr == 0 && access == CR_MOV_TO && vmstate_write_cr0(v, *gpr(&v->regs, reg))) {
        vmexit_skip(v, e->insn_len);
    } else {
        vcpu_inject(v, VECTOR_GP, true, 0); /* CR4: the write touches a bit that we do not offer */
    }
}

/* Qualification: SDM vol. 3 table 28-5. */
static void vmexit_io(struct exit *e)
{
    uint64_t q = vmcs_read(VMCS_QUALIFICATION);

    e->reason = EXIT_IO;
    e->io.port = (uint16_t)(q >> 16);
    e->io.size = (uint8_t)((q & 7) + 1);
    e->io.in = q & BIT(3);
    e->io.string = q & BIT(4);
}

/* Qualification: SDM vol. 3 table 28-7. */
static void vmexit_ept(struct exit *e)
{
    uint64_t q = vmcs_read(VMCS_QUALIFICATION);

    e->reason = EXIT_P2M;
    e->p2m.gpa = mk_gpa(vmcs_read(VMCS_GUEST_PHYSICAL));
    e->p2m.write = q & BIT(1);
    e->p2m.fetch = q & BIT(2);
}

static void vmexit_decode(struct x86_vcpu *v, struct exit *e, uint64_t reason)
{
    if (reason < ARRAY_SIZE(vmexit_plain) && vmexit_plain[reason]) {
        e->reason = vmexit_plain[reason];
        return;
    }
    switch (reason) {
    case REASON_EXCEPTION:
        vmexit_exception(v, e);
        break;
    case REASON_INIT: /* signals of the real machine, none of the guest's business */
    case REASON_SIPI:
        break;
    case REASON_CR:
        vmexit_cr(v, e);
        break;
    case REASON_IO:
        vmexit_io(e);
        break;
    case REASON_EPT:
        vmexit_ept(e);
        break;
    case REASON_INVD: /* all guest memory is write-back and coherent: nothing to flush */
    case REASON_WBINVD:
        vmexit_skip(v, e->insn_len);
        break;
    case REASON_RDPMC:
        vcpu_inject(v, VECTOR_GP, true, 0);
        break;
    case REASON_EPT_MISCONFIG:
        exit_failed(e, "EPT misconfiguration", reason, vmcs_read(VMCS_GUEST_PHYSICAL));
        break;
    case REASON_ENTRY_MC | REASON_ENTRY_FAILED:
        trap_again(VECTOR_MC);
        break;
    case REASON_ENTRY_STATE | REASON_ENTRY_FAILED:
        exit_failed(e, "VM entry: invalid guest state", reason, vmcs_read(VMCS_QUALIFICATION));
        break;
    case REASON_TASK_SWITCH:
        exit_failed(e, "task switch", reason, vmcs_read(VMCS_QUALIFICATION));
        break;
    default:
        exit_failed(e, "unexpected VM exit", reason, vmcs_read(VMCS_QUALIFICATION));
    }
}

/* A VPID of this CPU for x, new when x has none here or its translations must go. */
static void vmexit_assign_vpid(struct vmx_vcpu *x, struct cpu *c)
{
    if (x->vpid_gen == c->asid_gen)
        return;
    if (c->asid_next > VPID_LAST) {
        vmx_invvpid_all();
        c->asid_gen++;
        c->asid_next = 1;
    }
    x->vpid_gen = c->asid_gen;
    vmcs_write(VMCS_VPID, c->asid_next++);
}

/*
 * A guest that has interrupts off leaves at this CPU's next timer by the preemption timer, too:
 * Bochs never delivers the interrupt when IF is 0 on both sides of the entry. It counts TSC ticks
 * by 2^n (SDM vol. 3 26.5.1, appendix A.6).
 */
static void vmexit_arm_preemption(struct vmx_vcpu *x, const struct cpu *c)
{
    bool wanted = !(vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF);
    uint64_t now, deadline, ticks = UINT32_MAX;

    if (!(vmx_ctl[VMX_PIN] & PIN_PREEMPTION) || (!wanted && !x->preemption))
        return;
    if (wanted) {
        now = rdtsc();
        deadline = READ_ONCE(c->timer_tsc);
        ticks = deadline <= now ? 0 : MIN((deadline - now) >> vmx_preemption_shift, ticks);
    }
    x->preemption = wanted;
    vmcs_write(VMCS_PREEMPTION_TIMER, ticks);
}

void vmexit_run(struct x86_vcpu *v, struct exit *e)
{
    struct vmx_vcpu *x = vmx_of(v);
    struct cpu *c = this_cpu();
    uint64_t reason;
    bool refused;

    e->reason = EXIT_NONE;
    vmexit_assign_vpid(x, c);
    vmcs_write(VMCS_GUEST_RSP, v->regs.rsp);
    vmexit_arm_preemption(x, c);
    if (flush_enter(c, v))
        vmx_invept(1, vmcs_read(VMCS_EPTP));
    WATCH(stop());
    spec_enter(v);
    refused = vmenter(&v->regs, x->launched);
    spec_exit(v);
    WATCH(start());
    flush_leave(c);
    if (unlikely(refused)) {
        vmexit_refused(e);
        return;
    }
    reason = vmcs_read(VMCS_REASON);
    if (likely(!(reason & REASON_ENTRY_FAILED))) {
        x->launched = true;
        v->regs.rsp = vmcs_read(VMCS_GUEST_RSP);
        e->insn_len = (uint32_t)vmcs_read(VMCS_INSN_LEN);
        vmexit_requeue(reason);
    }
    vmexit_set_proc(x, x->proc & ~(PROC_INTR_WINDOW | PROC_NMI_WINDOW));
    vmexit_decode(v, e, reason);
}

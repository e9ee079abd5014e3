/* SPDX-License-Identifier: MIT */
/* Entry, exit and event injection (APM vol. 2 ch. 15.6, 15.20, 15.21). */
#include "hyp/x86/svm/svm.h"

#include "hyp/x86/flush.h"
#include "hyp/x86/spec.h"
#include "hyp/x86/trap.h"
#include "hyp/x86/watch.h"

#define SHADOW_INTERRUPT BIT(0)
#define EVENT_TYPE(e)    ((e) >> 8 & 7)
#define TYPE_NMI         2
#define TYPE_EXCEPTION   3
#define TYPE_SOFT        4
#define WRITES_CR8       (1U << 8)
#define SVM_EXIT_CR8     (SVM_EXIT_CR_WRITE + 8)
#define NPF_WRITE        BIT(1)
#define NPF_FETCH        BIT(4)
#define IOIO_IN          BIT(0)
#define IOIO_STRING      BIT(2)
#define MSR_MCG_STATUS   0x17a
#define MCG_STATUS_MCIP  BIT(2)

/* Codes from 0x60 on that need nothing but a name; 0 (EXIT_NONE) elsewhere. */
#define PLAIN_FIRST 0x60
static const uint8_t plain[] = {
    [SVM_EXIT_INTR - PLAIN_FIRST] = EXIT_INTERRUPT,
    [SVM_EXIT_NMI - PLAIN_FIRST] = EXIT_NMI,
    [SVM_EXIT_CPUID - PLAIN_FIRST] = EXIT_CPUID,
    [SVM_EXIT_RSM - PLAIN_FIRST] = EXIT_UNDEFINED,
    [SVM_EXIT_PAUSE - PLAIN_FIRST] = EXIT_PAUSE,
    [SVM_EXIT_HLT - PLAIN_FIRST] = EXIT_HLT,
    [SVM_EXIT_INVLPGA - PLAIN_FIRST] = EXIT_UNDEFINED,
    [SVM_EXIT_SHUTDOWN - PLAIN_FIRST] = EXIT_TRIPLE,
    [SVM_EXIT_VMRUN - PLAIN_FIRST] = EXIT_UNDEFINED,
    [SVM_EXIT_VMMCALL - PLAIN_FIRST] = EXIT_HYPERCALL,
    [SVM_EXIT_VMLOAD - PLAIN_FIRST... SVM_EXIT_SKINIT - PLAIN_FIRST] = EXIT_UNDEFINED,
    [SVM_EXIT_MONITOR - PLAIN_FIRST... SVM_EXIT_MWAIT_ARM - PLAIN_FIRST] = EXIT_UNDEFINED,
    [SVM_EXIT_XSETBV - PLAIN_FIRST] = EXIT_XSETBV,
    [SVM_EXIT_RDPRU - PLAIN_FIRST] = EXIT_UNDEFINED,
};

void svmexit_skip(struct x86_vcpu *v, uint32_t len)
{
    struct vmcb *b = &svm_of(v)->vmcb;

    b->rip += len;
    if (!(b->efer & EFER_LMA && b->segments[SEG_CS].attr & SEGMENT_L))
        b->rip = (uint32_t)b->rip;
    b->shadow &= ~SHADOW_INTERRUPT;
    if (b->rflags & RFLAGS_TF && !v->exception_pending) {
        b->dr6 |= DR6_BS;
        vmcb_dirty(b, CLEAN_DR);
        vcpu_inject(v, VECTOR_DB, false, 0);
    }
}

bool svmexit_injecting(struct x86_vcpu *v)
{
    return svm_of(v)->vmcb.event & EVENT_VALID;
}

bool svmexit_can_inject(struct x86_vcpu *v, bool nmi)
{
    const struct svm_vcpu *x = svm_of(v);

    if (svmexit_injecting(v) || x->vmcb.shadow & SHADOW_INTERRUPT)
        return false;
    return nmi ? !x->nmi_blocked : x->vmcb.rflags & RFLAGS_IF;
}

void svmexit_inject(struct x86_vcpu *v, const struct event *e)
{
    struct svm_vcpu *x = svm_of(v);
    uint64_t event = e->vector | (uint64_t)e->type << 8 | EVENT_VALID;

    if (e->has_error && x->vmcb.cr0 & CR0_PE) /* real mode pushes none */
        event |= EVENT_ERROR | (uint64_t)e->error << 32;
    x->vmcb.event = event;
    if (e->type != TYPE_NMI)
        return;
    x->nmi_blocked = true;
    x->vmcb.intercept1 |= INTERCEPT(SVM_EXIT_IRET);
    vmcb_dirty(&x->vmcb, CLEAN_INTERCEPTS);
}

/*
 * QEMU's VMRUN forgets the interrupt shadow, and an interrupt that comes between STI and HLT would
 * leave the guest asleep. A HLT there ends at once, as something waits for the shadow's end: so it
 * is passed here.
 */
static void pass_halt(struct x86_vcpu *v)
{
    const struct vmcb *b = &svm_of(v)->vmcb;

    if (b->shadow & SHADOW_INTERRUPT && b->rflags & RFLAGS_IF && svminsn_at_hlt(v))
        svmexit_skip(v, 1);
}

/*
 * A virtual interrupt that is never taken: its intercept says that the guest could. Unless CR8
 * holds back what waits: V_INTR_PRIO would do, but QEMU takes an equal priority for a higher one.
 * So writes to CR8 exit while anything waits; QEMU aborts at one that does not while V_IRQ is set.
 * An NMI waits for IRET, which exits as long as NMIs are blocked.
 */
void svmexit_want_window(struct x86_vcpu *v, unsigned above)
{
    struct vmcb *b = &svm_of(v)->vmcb;
    bool window = above > (b->vintr & 15);
    uint64_t vintr = (b->vintr & ~VINTR_IRQ) | (window ? VINTR_IRQ | VINTR_IGN_TPR : 0);
    uint16_t cr_write = above ? WRITES_CR8 : 0;

    if (window)
        pass_halt(v);
    if (vintr == b->vintr && cr_write == b->cr_write)
        return;
    b->vintr = vintr;
    b->cr_write = cr_write;
    b->intercept1 &= ~INTERCEPT(SVM_EXIT_VINTR);
    if (window)
        b->intercept1 |= INTERCEPT(SVM_EXIT_VINTR);
    vmcb_dirty(b, CLEAN_VINTR | CLEAN_INTERCEPTS);
}

/*
 * An exit in the middle of delivering an event: deliver it again at the next entry. INT n, INT3 and
 * INTO are executed again instead: RIP still points to them.
 */
static void requeue(struct svm_vcpu *x)
{
    uint64_t event = x->vmcb.exit_int_info;
    uint8_t vector = (uint8_t)event;

    x->vmcb.event = 0;
    if (!(event & EVENT_VALID) || EVENT_TYPE(event) == TYPE_SOFT)
        return;
    if (EVENT_TYPE(event) == TYPE_EXCEPTION && (vector == 3 || vector == 4))
        return;
    x->vmcb.event = event;
}

/* Faults that a guest could raise for ever while they are delivered; the rest is its own. */
static void exception(struct x86_vcpu *v, uint8_t vector, uint64_t error)
{
    if (vector == VECTOR_MC)
        trap_again(VECTOR_MC);
    else
        vcpu_inject(v, vector, vector == VECTOR_AC, (uint32_t)error);
}

/* EXITINFO of I/O: APM 15.10.2. */
static void io(struct vmcb *b, struct exit *e)
{
    uint64_t info = b->exit_info1;

    e->reason = EXIT_IO;
    e->io.port = (uint16_t)(info >> 16);
    e->io.size = (uint8_t)(info >> 4 & 7);
    e->io.in = info & IOIO_IN;
    e->io.string = info & IOIO_STRING;
    e->insn_len = (uint32_t)(b->exit_info2 - b->rip);
}

static void npf(struct vmcb *b, struct exit *e)
{
    e->reason = EXIT_P2M;
    e->p2m.gpa = mk_gpa(b->exit_info2);
    e->p2m.write = b->exit_info1 & NPF_WRITE;
    e->p2m.fetch = b->exit_info1 & NPF_FETCH;
}

static void iret(struct svm_vcpu *x)
{
    x->nmi_blocked = false;
    x->vmcb.intercept1 &= ~INTERCEPT(SVM_EXIT_IRET);
    vmcb_dirty(&x->vmcb, CLEAN_INTERCEPTS);
}

/*
 * What follows an instruction that has exited. It is read where the CPU does not tell, or the
 * register of a MOV to CR8 is wanted: only decode assists would tell which.
 */
static bool set_length(struct x86_vcpu *v, struct exit *e, bool gpr)
{
    struct vmcb *b = &svm_of(v)->vmcb;

    e->insn_len = !gpr && svm_features.nrip && b->nrip > b->rip ? (uint32_t)(b->nrip - b->rip)
                                                                : svminsn_length(v, &e->cr8.gpr);
    if (!e->insn_len)
        exit_failed(e, "cannot read the instruction that exited", b->exit_code, b->rip);
    return e->insn_len;
}

/* Of the host; it shuts down a guest that has CR4.MCE clear (APM vol. 2 9.3.3). */
static bool in_machine_check(void)
{
    uint64_t status;

    return features.mca && rdmsr_safe(MSR_MCG_STATUS, &status) && status & MCG_STATUS_MCIP;
}

static void decode(struct x86_vcpu *v, struct exit *e, uint64_t code)
{
    struct vmcb *b = &svm_of(v)->vmcb;

    if (code == SVM_EXIT_SHUTDOWN && in_machine_check())
        code = SVM_EXIT_EXCEPTION + VECTOR_MC;

    if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32) {
        exception(v, (uint8_t)(code - SVM_EXIT_EXCEPTION), b->exit_info1);
        return;
    }
    if (code >= PLAIN_FIRST && code - PLAIN_FIRST < ARRAY_SIZE(plain) &&
        plain[code - PLAIN_FIRST]) {
        e->reason = plain[code - PLAIN_FIRST];
        if (e->reason >= EXIT_HYPERCALL && e->reason <= EXIT_XSETBV && e->reason != EXIT_PAUSE)
            set_length(v, e, false);
        return;
    }
    switch (code) {
    case SVM_EXIT_VINTR:
        e->reason = EXIT_WINDOW;
        svmexit_want_window(v, 0);
        break;
    case SVM_EXIT_CR8:
        e->reason = EXIT_CR8;
        e->cr8.write = true;
        set_length(v, e, true);
        break;
    case SVM_EXIT_IRET:
        iret(svm_of(v));
        break;
    case SVM_EXIT_MSR:
        e->reason = b->exit_info1 & 1 ? EXIT_WRMSR : EXIT_RDMSR;
        set_length(v, e, false);
        break;
    case SVM_EXIT_IOIO:
        io(b, e);
        break;
    case SVM_EXIT_NPF:
        npf(b, e);
        break;
    case SVM_EXIT_INVD: /* all guest memory is write-back and coherent: nothing to flush */
    case SVM_EXIT_WBINVD:
        if (set_length(v, e, false))
            svmexit_skip(v, e->insn_len);
        break;
    case SVM_EXIT_RDPMC:
        vcpu_inject(v, VECTOR_GP, true, 0);
        break;
    default:
        exit_failed(e, "unexpected #VMEXIT", code, b->exit_info1);
    }
}

/* An ASID of this CPU for x, new when x has none here or its translations must go. */
static void assign_asid(struct svm_vcpu *x, struct cpu *c)
{
    x->vmcb.tlb_control = 0;
    if (x->asid_gen == c->asid_gen)
        return;
    if (c->asid_next >= svm_features.asids) {
        c->asid_gen++;
        c->asid_next = 1;
        x->vmcb.tlb_control = TLB_FLUSH_ALL;
    }
    x->asid_gen = c->asid_gen;
    x->vmcb.asid = c->asid_next++;
    vmcb_dirty(&x->vmcb, CLEAN_ASID);
}

void svmexit_run(struct x86_vcpu *v, struct exit *e)
{
    struct svm_vcpu *x = svm_of(v);
    struct cpu *c = this_cpu();
    struct vmcb *b = &x->vmcb;

    e->reason = EXIT_NONE;
    e->insn_len = 0;
    b->rax = v->regs.rax;
    b->rsp = v->regs.rsp;
    if (flush_enter(c, v))
        x->asid_gen = 0;
    assign_asid(x, c);
    VMCBCHECK(enter(x));
    WATCH(stop());
    spec_enter(v);
    svmenter(&v->regs, x->hpa, ((struct svm_cpu *)c->vendor)->host_hpa);
    spec_exit(v);
    WATCH(start());
    flush_leave(c);
    VMCBCHECK(left(x));
    v->regs.rax = b->rax;
    v->regs.rsp = b->rsp;
    b->clean = svm_features.clean ? CLEAN_ALL : 0;
    if (unlikely((uint32_t)b->exit_code == SVM_EXIT_INVALID)) {
        exit_failed(e, "VMRUN: invalid guest state", b->exit_code, b->exit_info1);
        return;
    }
    requeue(x);
    decode(v, e, b->exit_code);
}

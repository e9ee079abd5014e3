/* SPDX-License-Identifier: MIT */
/* The VMCB of a vCPU: made, loaded onto a CPU, taken off it again (APM vol. 2 ch. 15.5). */
#include "hyp/x86/svm/svm.h"

#include "hyp/lib/string.h"

#define PAUSE_COUNT     3000
#define PAUSE_THRESHOLD 128

static void set_intercepts(struct vmcb *b)
{
    b->exceptions = BIT(VECTOR_MC) | BIT(VECTOR_AC) | BIT(VECTOR_DB);
    b->intercept1 = INTERCEPT(SVM_EXIT_INTR) | INTERCEPT(SVM_EXIT_NMI) | INTERCEPT(SVM_EXIT_RDPMC) |
                    INTERCEPT(SVM_EXIT_CPUID) | INTERCEPT(SVM_EXIT_RSM) | INTERCEPT(SVM_EXIT_INVD) |
                    INTERCEPT(SVM_EXIT_HLT) | INTERCEPT(SVM_EXIT_INVLPGA) |
                    INTERCEPT(SVM_EXIT_IOIO) | INTERCEPT(SVM_EXIT_MSR) |
                    INTERCEPT(SVM_EXIT_SHUTDOWN);
    if (svm_features.pause_filter)
        b->intercept1 |= INTERCEPT(SVM_EXIT_PAUSE);
    b->intercept2 =
        INTERCEPT(SVM_EXIT_VMRUN) | INTERCEPT(SVM_EXIT_VMMCALL) | INTERCEPT(SVM_EXIT_VMLOAD) |
        INTERCEPT(SVM_EXIT_VMSAVE) | INTERCEPT(SVM_EXIT_STGI) | INTERCEPT(SVM_EXIT_CLGI) |
        INTERCEPT(SVM_EXIT_SKINIT) | INTERCEPT(SVM_EXIT_WBINVD) | INTERCEPT(SVM_EXIT_MONITOR) |
        INTERCEPT(SVM_EXIT_MWAIT) | INTERCEPT(SVM_EXIT_MWAIT_ARM) | INTERCEPT(SVM_EXIT_XSETBV) |
        INTERCEPT(SVM_EXIT_RDPRU);
}

void vmcb_vcpu_init(struct x86_vcpu *v)
{
    struct svm_vcpu *x = svm_of(v);
    struct vmcb *b = &x->vmcb;

    _Static_assert(sizeof(*x) <= PAGE_SIZE << VENDOR_ORDER, "allocated so");
    x->hpa = hva_to_hpa(b).val;
    set_intercepts(b);
    b->iopm = hva_to_hpa(v->dom->io_bitmap).val;
    b->msrpm = hva_to_hpa(svm_msrpm).val;
    b->vintr = VINTR_MASKING;
    b->nested = 1;
    b->ncr3 = hva_to_hpa(v->dom->p2m.root).val;
    b->pat = v->pat;
    if (svm_features.pause_filter)
        b->pause_count = PAUSE_COUNT;
    if (svm_features.pause_threshold)
        b->pause_threshold = PAUSE_THRESHOLD;
    b->dr6 = DR6_RESET;
}

void vmcb_load(struct x86_vcpu *v)
{
    struct svm_vcpu *x = svm_of(v);
    struct cpu *c = this_cpu();
    struct svm_cpu *s = c->vendor;
    uint64_t ratio = v->dom->tsc.ratio ? v->dom->tsc.ratio : TSC_RATIO_ONE;

    if (x->cpu != c) {
        x->cpu = c;
        x->asid_gen = 0;
        x->vmcb.clean = 0;
    }
    x->vmcb.tsc_offset = v->dom->tsc.offset;
    if (features.tsc_fraction && s->tsc_ratio != ratio)
        svm_set_tsc_ratio(s, ratio);
    if (svm_features.rdtscp)
        wrmsr(MSR_TSC_AUX, v->tsc_aux);
}

void vmcb_save(struct x86_vcpu *v)
{
    if (svm_features.rdtscp)
        v->tsc_aux = rdmsr(MSR_TSC_AUX);
}

void vmcb_get_state(struct x86_vcpu *v, struct vcpu_state *s)
{
    const struct vmcb *b = &svm_of(v)->vmcb;

    *s = (struct vcpu_state){
        .rip = b->rip,
        .rsp = v->regs.rsp,
        .rflags = b->rflags,
        .cr0 = b->cr0,
        .cr2 = b->cr2,
        .cr3 = b->cr3,
        .cr4 = b->cr4,
        .efer = b->efer & ~EFER_SVME,
        .dr7 = b->dr7,
    };
    memcpy(s->segments, b->segments, sizeof(s->segments));
}

void vmcb_set_state(struct x86_vcpu *v, const struct vcpu_state *s)
{
    struct svm_vcpu *x = svm_of(v);
    struct vmcb *b = &x->vmcb;
    uint64_t efer = s->efer & ~EFER_LMA;

    if (efer & EFER_LME && s->cr0 & CR0_PG)
        efer |= EFER_LMA;
    b->rip = s->rip;
    b->rsp = v->regs.rsp = s->rsp;
    b->rflags = s->rflags | RFLAGS_1;
    b->cr0 = s->cr0 | CR0_ET;
    b->cr2 = s->cr2;
    b->cr3 = s->cr3;
    b->cr4 = s->cr4;
    b->efer = efer | EFER_SVME;
    b->dr6 = DR6_RESET;
    b->dr7 = s->dr7;
    b->vintr &= ~15UL; /* V_TPR */
    memcpy(b->segments, s->segments, sizeof(b->segments));
    b->cpl = s->cr0 & CR0_PE ? s->ss.attr >> 5 & 3 : 0;
    b->shadow = 0;
    b->event = 0;
    x->nmi_blocked = false;
    x->asid_gen = 0;
    b->clean = 0;
}

void vmcb_get_mode(struct x86_vcpu *v, struct vcpu_mode *m)
{
    const struct vmcb *b = &svm_of(v)->vmcb;

    m->cr0 = b->cr0;
    m->cr3 = b->cr3;
    m->cr4 = b->cr4;
    m->efer = b->efer & ~EFER_SVME;
    m->rflags = b->rflags;
    m->cpl = b->cpl;
    m->code64 = b->efer & EFER_LMA && b->segments[SEG_CS].attr & SEGMENT_L;
}

void vmcb_set_pat(struct x86_vcpu *v, uint64_t pat)
{
    svm_of(v)->vmcb.pat = pat;
    vmcb_dirty(&svm_of(v)->vmcb, CLEAN_NP);
}

void vmcb_set_efer(struct x86_vcpu *v, uint64_t efer)
{
    struct svm_vcpu *x = svm_of(v);

    x->vmcb.efer = efer | EFER_SVME;
    vmcb_dirty(&x->vmcb, CLEAN_CR);
    x->asid_gen = 0;
}

/* SPDX-License-Identifier: MIT */
/* AMD-V on one CPU: can it do what we need, on; and the vendor table. */
#include "hyp/x86/svm/svm.h"

#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define CPUID_SVM       0x8000000a
#define MSR_VM_CR       0xc0010114
#define VM_CR_SVMDIS    BIT(4)
#define MSR_VM_HSAVE_PA 0xc0010117
#define SVM_CPU_ORDER   2 /* of struct svm_cpu */
_Static_assert(sizeof(struct svm_cpu) <= PAGE_SIZE << SVM_CPU_ORDER, "allocated so");

struct svm_features svm_features;
uint8_t svm_msrpm[2 * PAGE_SIZE] __aligned(PAGE_SIZE);

static const struct p2m_format svm_p2m_format = {
    .present = 7, /* present, writable, user: NPT walks as user (APM 15.25.5) */
    .leaf = BIT(0) | BIT(2),
    .writable = BIT(1),
    .nx = BIT(63),
    .large = BIT(7),
};

/* Two bits, read and write, for each MSR of three ranges of 8192 (APM 15.11). */
static void msr_pass(uint32_t msr)
{
    uint32_t n = (msr & 0x1fff) + (msr >= 0xc0000000 ? 0x2000 : 0);

    svm_msrpm[n / 4] &= (uint8_t) ~(3U << n % 4 * 2);
}

/* What a guest reaches itself is in the part of the VMCB that VMLOAD and VMSAVE switch. */
static void fill_msrpm(void)
{
    static const uint32_t pass[] = {0x174,     0x175,      0x176,       MSR_STAR,    MSR_LSTAR,
                                    MSR_CSTAR, MSR_SFMASK, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS};

    memset(svm_msrpm, 0xff, sizeof(svm_msrpm));
    for (unsigned i = 0; i < ARRAY_SIZE(pass); i++)
        msr_pass(pass[i]);
    if (svm_features.rdtscp)
        msr_pass(MSR_TSC_AUX);
}

static const char *probe(void)
{
    struct cpuid svm;
    uint64_t vm_cr;

    if (cpuid(0x80000000, 0).a < CPUID_SVM || !(cpuid(0x80000001, 0).c & BIT(2)))
        return "AMD-V";
    if (rdmsr_safe(MSR_VM_CR, &vm_cr) && vm_cr & VM_CR_SVMDIS)
        return "AMD-V (disabled by the firmware)";
    svm = cpuid(CPUID_SVM, 0);
    if (!(svm.d & BIT(0)))
        return "NPT";
    if (svm.b < 2)
        return "ASIDs";
    svm_features = (struct svm_features){
        .nrip = svm.d & BIT(3),
        .clean = svm.d & BIT(5),
        .pause_filter = svm.d & BIT(10),
        .pause_threshold = svm.d & BIT(12),
        .rdtscp = cpuid(0x80000001, 0).d & BIT(27),
        .asids = svm.b,
    };
    if (svm.d & BIT(4)) {
        features.tsc_whole = 8;
        features.tsc_fraction = 32;
    }
    fill_msrpm();
    return NULL;
}

void svm_set_tsc_ratio(struct svm_cpu *s, uint64_t ratio)
{
    s->tsc_ratio = ratio;
    wrmsr(MSR_TSC_RATIO, ratio);
}

static const char *cpu_on(struct cpu *c)
{
    struct svm_cpu *s = c->vendor;

    if (!s)
        s = hyp_alloc(SVM_CPU_ORDER);
    if (!s)
        return "no memory for the host save area";
    c->vendor = s;
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
    wrmsr(MSR_VM_HSAVE_PA, hva_to_hpa(s->save_area).val);
    if (features.tsc_fraction)
        svm_set_tsc_ratio(s, TSC_RATIO_ONE);
    s->host_hpa = hva_to_hpa(&s->host).val;
    __asm__ volatile("vmsave %%rax" : : "a"(s->host_hpa) : "memory");
    c->asid_gen = 1;
    c->asid_next = 1;
    return NULL;
}

static const char *used(void)
{
    static char text[48];

    format(text, sizeof(text), "%s%s%s", svm_features.nrip ? ", next RIP" : "",
           svm_features.clean ? ", clean bits" : "",
           svm_features.pause_filter ? ", PAUSE filter" : "");
    return text;
}

/* V_TPR is what MOV to CR8 writes (APM 15.21.1): the upper half of the TPR. */
static uint8_t get_tpr(struct x86_vcpu *v)
{
    return (uint8_t)(svm_of(v)->vmcb.vintr & 15);
}

static void set_tpr(struct x86_vcpu *v, uint8_t tpr)
{
    struct vmcb *b = &svm_of(v)->vmcb;

    b->vintr = (b->vintr & ~15UL) | (tpr & 15);
    vmcb_dirty(b, CLEAN_VINTR);
}

const struct vendor svm_vendor = {
    .name = "AMD-V",
    .probe = probe,
    .cpu_on = cpu_on,
    .used = used,
    .p2m_format = &svm_p2m_format,
    .hypercall_insn = {0x0f, 0x01, 0xd9},
    .vcpu_init = vmcb_vcpu_init,
    .load = vmcb_load,
    .save = vmcb_save,
    .run = svmexit_run,
    .get_state = vmcb_get_state,
    .set_state = vmcb_set_state,
    .get_mode = vmcb_get_mode,
    .skip = svmexit_skip,
    .can_inject = svmexit_can_inject,
    .inject = svmexit_inject,
    .injecting = svmexit_injecting,
    .want_window = svmexit_want_window,
    .get_tpr = get_tpr,
    .set_tpr = set_tpr,
    .set_pat = vmcb_set_pat,
    .efer_bits = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR,
    .set_efer = vmcb_set_efer,
};

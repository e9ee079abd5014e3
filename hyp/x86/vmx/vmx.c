/* SPDX-License-Identifier: MIT */
/* VT-x on one CPU: can it do what we need, on; and the vendor table. */
#include "hyp/x86/vmx/vmx.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define BASIC_TRUE_CTLS BIT(55)
#define BASIC_MEM_WB(b) (((b) >> 50 & 0xf) == 6)
#define FC_LOCK         BIT(0)
#define FC_VMX          BIT(2)
#define CAP_EPT         (BIT(6) | BIT(14) | BIT(16))  /* four levels, write-back, 2 MiB pages */
#define CAP_INVEPT      (BIT(20) | BIT(25) | BIT(26)) /* one context, all contexts */
#define CAP_INVVPID     (BIT(32) | BIT(42))           /* all contexts */

uint32_t vmx_ctl[VMX_NCTL];
uint32_t vmx_revision;
unsigned vmx_preemption_shift;
uint8_t vmx_msr_bitmap[PAGE_SIZE] __aligned(PAGE_SIZE);

static const struct p2m_format vmx_p2m_format = {
    .present = 7,
    .leaf = BIT(0) | 6 << 3 | BIT(6), /* write-back, whatever the guest's PAT says: no device */
    .writable = BIT(1),
    .exec = BIT(2),
    .large = BIT(7),
};

static const struct {
    enum vmx_ctl ctl;
    uint32_t bits;
    const char *name;
} vmx_needs[] = {
    {VMX_PIN, PIN_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMI, "virtual NMIs"},
    {VMX_PROC,
     PROC_TSC_OFFSET | PROC_HLT | PROC_MWAIT | PROC_RDPMC | PROC_CR8_LOAD | PROC_CR8_STORE |
         PROC_IO_BITMAP | PROC_MSR_BITMAP | PROC_MONITOR | PROC_SECONDARY,
     "processor-based controls"},
    {VMX_PROC2, PROC2_EPT, "EPT"},
    {VMX_PROC2, PROC2_VPID, "VPID"},
    {VMX_PROC2, PROC2_UNRESTRICTED, "unrestricted guest"},
    {VMX_PROC2, PROC2_WBINVD, "WBINVD exiting"},
    {VMX_EXIT, EXIT_CTL_DEBUG | EXIT_CTL_HOST64 | EXIT_CTL_PAT | EXIT_CTL_EFER, "exit controls"},
    {VMX_ENTRY, ENTRY_CTL_DEBUG | ENTRY_CTL_PAT | ENTRY_CTL_EFER, "entry controls"},
};

/* Used when the CPU has them. */
static const uint32_t vmx_wants[VMX_NCTL] = {
    [VMX_PIN] = PIN_PREEMPTION,
    [VMX_PROC2] = PROC2_RDTSCP | PROC2_INVPCID | PROC2_PAUSE_LOOP | PROC2_ENCLS,
};

static const uint32_t vmx_ctl_msr[VMX_NCTL] = {
    [VMX_PIN] = MSR_VMX_TRUE_PIN,   [VMX_PROC] = MSR_VMX_TRUE_PROC,   [VMX_PROC2] = MSR_VMX_PROC2,
    [VMX_EXIT] = MSR_VMX_TRUE_EXIT, [VMX_ENTRY] = MSR_VMX_TRUE_ENTRY,
};

/* Chooses the control values: low half of a capability MSR: must be 1; high half: may be 1. */
static const char *vmx_choose_controls(void)
{
    uint64_t cap[VMX_NCTL];

    for (unsigned i = 0; i < VMX_NCTL; i++) {
        cap[i] = rdmsr(vmx_ctl_msr[i]);
        vmx_ctl[i] = (uint32_t)cap[i] | (vmx_wants[i] & (uint32_t)(cap[i] >> 32));
        if (i == VMX_PROC2 && cap[i] >> 32 & PROC2_TSC_SCALING) {
            features.tsc_whole = 16;
            features.tsc_fraction = 48;
        }
        if (i == VMX_PROC && !(cap[i] >> 32 & PROC_SECONDARY))
            return "secondary controls (EPT)";
    }
    for (unsigned i = 0; i < ARRAY_SIZE(vmx_needs); i++) {
        enum vmx_ctl c = vmx_needs[i].ctl;

        if (vmx_needs[i].bits & ~(uint32_t)(cap[c] >> 32))
            return vmx_needs[i].name;
        vmx_ctl[c] |= vmx_needs[i].bits;
    }
    return NULL;
}

static void vmx_msr_pass(uint32_t msr)
{
    uint32_t n = (msr & 0x1fff) + (msr >= 0xc0000000 ? 0x2000 : 0);
    uint8_t bit = (uint8_t)(1U << (n % 8));

    vmx_msr_bitmap[n / 8] &= (uint8_t)~bit;         /* reads */
    vmx_msr_bitmap[0x800 + n / 8] &= (uint8_t)~bit; /* writes */
}

/* The MSRs a guest reaches itself: each is in the VMCS or switched by vmcs_load(). */
static void vmx_fill_msr_bitmap(void)
{
    static const uint32_t pass[] = {0x174,     0x175,      0x176,       MSR_STAR,    MSR_LSTAR,
                                    MSR_CSTAR, MSR_SFMASK, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS};

    memset(vmx_msr_bitmap, 0xff, sizeof(vmx_msr_bitmap));
    for (unsigned i = 0; i < ARRAY_SIZE(pass); i++)
        vmx_msr_pass(pass[i]);
    if (vmx_ctl[VMX_PROC2] & PROC2_RDTSCP)
        vmx_msr_pass(MSR_TSC_AUX);
    vmx_msr_bitmap[0x400 + (MSR_EFER & 0x1fff) / 8] &= (uint8_t) ~(1U << MSR_EFER % 8); /* reads */
}

static const char *vmx_probe(void)
{
    uint64_t basic, cap;
    const char *missing;

    if (!(cpuid(1, 0).c & BIT(5)))
        return "VT-x";
    if ((rdmsr(MSR_FEATURE_CONTROL) & (FC_LOCK | FC_VMX)) == FC_LOCK)
        return "VT-x (disabled by the firmware)";
    basic = rdmsr(MSR_VMX_BASIC);
    if (!(basic & BASIC_TRUE_CTLS) || !BASIC_MEM_WB(basic))
        return "VT-x true controls";
    missing = vmx_choose_controls();
    if (missing)
        return missing;
    cap = rdmsr(MSR_VMX_EPT_VPID);
    if (~cap & CAP_EPT)
        return "four-level write-back EPT with 2 MiB pages";
    if (~cap & CAP_INVEPT)
        return "INVEPT";
    if (~cap & CAP_INVVPID)
        return "INVVPID";
    vmx_revision = (uint32_t)basic & 0x7fffffff;
    vmx_preemption_shift = rdmsr(MSR_VMX_MISC) & 31;
    vmx_fill_msr_bitmap();
    return NULL;
}

static const char *vmx_cpu_on(struct cpu *c)
{
    uint64_t region, fc = rdmsr(MSR_FEATURE_CONTROL);
    bool failed;

    if (!(fc & FC_LOCK))
        wrmsr(MSR_FEATURE_CONTROL, fc | FC_LOCK | FC_VMX);
    else if (!(fc & FC_VMX))
        return "VT-x disabled by the firmware";
    if (!c->vendor)
        c->vendor = hyp_alloc(0);
    if (!c->vendor)
        return "no memory for the VMXON region";
    *(uint32_t *)c->vendor = vmx_revision;
    region = hva_to_hpa(c->vendor).val;

    WRITE_CR(0, (READ_CR(0) | rdmsr(MSR_VMX_CR0_FIXED0)) & rdmsr(MSR_VMX_CR0_FIXED1));
    WRITE_CR(4, (READ_CR(4) | CR4_VMXE | rdmsr(MSR_VMX_CR4_FIXED0)) & rdmsr(MSR_VMX_CR4_FIXED1));
    __asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region) : "memory");
    if (failed)
        return "VMXON failed";
    vmx_invept(2, 0);
    vmx_invvpid_all();
    c->asid_gen = 1;
    c->asid_next = 1;
    return NULL;
}

static uint8_t vmx_get_tpr(struct x86_vcpu *v)
{
    return (uint8_t)(v->vlapic.reg[APIC_TPR] >> 4);
}

/* CR8 accesses exit, so nothing keeps a copy. */
static void vmx_set_tpr(struct x86_vcpu *v, uint8_t tpr)
{
    (void)v;
    (void)tpr;
}

static void vmx_set_pat(struct x86_vcpu *v, uint64_t pat)
{
    (void)v;
    vmcs_write(VMCS_GUEST_PAT, pat);
}

static const char *vmx_used(void)
{
    static char text[48];

    format(text, sizeof(text), "%s%s",
           vmx_ctl[VMX_PIN] & PIN_PREEMPTION ? ", preemption timer" : "",
           vmx_ctl[VMX_PROC2] & PROC2_PAUSE_LOOP ? ", PAUSE-loop exits" : "");
    return text;
}

const struct vendor vmx_vendor = {
    .name = "VT-x",
    .probe = vmx_probe,
    .cpu_on = vmx_cpu_on,
    .used = vmx_used,
    .p2m_format = &vmx_p2m_format,
    .hypercall_insn = {0x0f, 0x01, 0xc1},
    .vcpu_init = vmcs_vcpu_init,
    .load = vmcs_load,
    .save = vmcs_save,
    .run = vmexit_run,
    .get_state = vmstate_get,
    .set_state = vmstate_set,
    .get_mode = vmstate_get_mode,
    .skip = vmexit_skip,
    .can_inject = vmexit_can_inject,
    .inject = vmexit_inject,
    .injecting = vmexit_injecting,
    .want_window = vmexit_want_window,
    .get_tpr = vmx_get_tpr,
    .set_tpr = vmx_set_tpr,
    .set_pat = vmx_set_pat,
    .efer_bits = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE,
    .set_efer = vmstate_set_efer,
};

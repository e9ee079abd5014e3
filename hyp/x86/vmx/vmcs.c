/* SPDX-License-Identifier: MIT */
/* The VMCS of a vCPU: made, loaded onto a CPU, taken off it again (SDM vol. 3 ch. 25). */
#include "hyp/x86/vmx/vmx.h"
#include <stdint.h>
#include "hyp/lib/log.h"

#define PLE_GAP      128  /* cycles between two PAUSEs of one loop */
#define PLE_WINDOW   4096 /* cycles a guest may spin */

uint64_t vmcs_read(uint32_t field)
{
    uint64_t value;
    bool failed;

    __asm__ volatile("vmread %2, %1" : "=@ccbe"(failed), "=r"(value) : "r"((uint64_t)field));
    if (unlikely(failed))
        panic("VMREAD of field 0x%x failed", field);
    return value;
}

void vmcs_write(uint32_t field, uint64_t value)
{
    bool failed;

    __asm__ volatile("vmwrite %1, %2" : "=@ccbe"(failed) : "r"(value), "r"((uint64_t)field));
    if (unlikely(failed))
        panic("VMWRITE of 0x%lx to field 0x%x failed", value, field);
}

static void vmcs_make_current(const struct vmx_vcpu *x)
{
    bool failed;

    __asm__ volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(x->hpa) : "memory");
    ASSERT(!failed);
}

/* Writes the VMCS back to memory: after this any CPU may load it, and the next entry launches. */
static void vmcs_clear(struct vmx_vcpu *x)
{
    bool failed;

    __asm__ volatile("vmclear %1" : "=@ccbe"(failed) : "m"(x->hpa) : "memory");
    ASSERT(!failed);
    x->launched = false;
}

bool vmcs_grab(const struct x86_vcpu *v)
{
    if (this_cpu()->loaded == v)
        return false;
    vmcs_make_current(vmx_of(v));
    return true;
}

void vmcs_release(const struct x86_vcpu *v, bool grabbed)
{
    const struct x86_vcpu *mine = this_cpu()->loaded;

    if (!grabbed)
        return;
    vmcs_clear(vmx_of(v));
    if (mine)
        vmcs_make_current(vmx_of(mine));
}

/* Whatever the CPU takes these for when nothing was written, SDM vol. 3 25.11.3. */
static void vmcs_write_zeroes(void)
{
    static const uint16_t fields[] = {
        0x0c00, 0x0c06, 0x0c08, 0x0c0a, /* host's ES, DS, FS, GS */
        0x4006, 0x4008,                 /* page faults' mask and match */
        0x400a,                         /* CR3 targets */
        0x400e, 0x4010, 0x4014,         /* MSRs stored and loaded */
        0x482a, 0x6824, 0x6826,         /* guest's SYSENTER */
        0x4c00, 0x6c10, 0x6c12,         /* host's */
        0x6c06,                         /* host's FS base */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
        vmcs_write(fields[i], 0);
}

/* What does not depend on the CPU nor change while the vCPU lives. */
void vmcs_vcpu_init(struct x86_vcpu *v)
{
    struct vmx_vcpu *x = vmx_of(v);
    uint64_t io = hva_to_hpa(v->dom->io_bitmap).val, ratio = v->dom->tsc.ratio;
    bool grabbed;

    _Static_assert(sizeof(*x) <= PAGE_SIZE << VENDOR_ORDER, "allocated so");
    x->hpa = hva_to_hpa(x->region).val;
    x->proc = vmx_ctl[VMX_PROC];
    *(uint32_t *)x->region = vmx_revision;
    vmcs_clear(x);
    grabbed = vmcs_grab(v);
    vmcs_write_zeroes();
    vmcs_write(VMCS_PIN, vmx_ctl[VMX_PIN]);
    vmcs_write(VMCS_PROC, x->proc);
    vmcs_write(VMCS_PROC2, vmx_ctl[VMX_PROC2] | (ratio ? PROC2_TSC_SCALING : 0));
    if (ratio)
        vmcs_write(VMCS_TSC_MULTIPLIER, ratio);
    vmcs_write(VMCS_EXIT, vmx_ctl[VMX_EXIT]);
    vmcs_write(VMCS_EXCEPTIONS, BIT(VECTOR_MC) | BIT(VECTOR_AC) | BIT(VECTOR_DB));
    vmcs_write(VMCS_IO_BITMAP_A, io);
    vmcs_write(VMCS_IO_BITMAP_B, io + PAGE_SIZE);
    vmcs_write(VMCS_MSR_BITMAP, hva_to_hpa(vmx_msr_bitmap).val);
    vmcs_write(VMCS_EPTP, hva_to_hpa(v->dom->p2m.root).val | 3 << 3 | 6); /* 4 levels, WB */
    if (vmx_ctl[VMX_PROC2] & PROC2_PAUSE_LOOP) {
        vmcs_write(VMCS_PLE_GAP, PLE_GAP);
        vmcs_write(VMCS_PLE_WINDOW, PLE_WINDOW);
    }
    if (vmx_ctl[VMX_PIN] & PIN_PREEMPTION)
        vmcs_write(VMCS_PREEMPTION_TIMER, UINT32_MAX);
    if (vmx_ctl[VMX_PROC2] & PROC2_ENCLS)
        vmcs_write(VMCS_ENCLS_BITMAP, ~0UL);
    vmcs_write(VMCS_LINK, ~0UL);
    vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
    vmcs_write(VMCS_GUEST_PAT, v->pat);
    vmcs_write(VMCS_HOST_CS_SEL, SEL_CODE);
    vmcs_write(VMCS_HOST_SS_SEL, SEL_DATA);
    vmcs_write(VMCS_HOST_TR_SEL, SEL_TSS);
    vmcs_write(VMCS_HOST_RIP, (uint64_t)vmenter_exit);
    vmcs_release(v, grabbed);
}

/* The base of the task state segment, from its 16-byte descriptor (SDM vol. 3 fig. 8-4). */
static uint64_t vmcs_tss_base(uint64_t gdt)
{
    const uint64_t *d = (const uint64_t *)(gdt + SEL_TSS);

    return (d[0] >> 16 & 0xffffff) | (d[0] >> 32 & 0xff000000) | d[1] << 32;
}

/* Everything the exit restores of this CPU but RSP. */
static void vmcs_write_host(void)
{
    struct table_register gdt, idt;

    __asm__("sgdt %0" : "=m"(gdt));
    __asm__("sidt %0" : "=m"(idt));
    vmcs_write(VMCS_HOST_CR0, READ_CR(0));
    vmcs_write(VMCS_HOST_CR3, READ_CR(3));
    vmcs_write(VMCS_HOST_CR4, READ_CR(4));
    vmcs_write(VMCS_HOST_EFER, rdmsr(MSR_EFER));
    vmcs_write(VMCS_HOST_PAT, rdmsr(MSR_PAT));
    vmcs_write(VMCS_HOST_GS_BASE, rdmsr(MSR_GS_BASE));
    vmcs_write(VMCS_HOST_TR_BASE, vmcs_tss_base(gdt.base));
    vmcs_write(VMCS_HOST_GDT_BASE, gdt.base);
    vmcs_write(VMCS_HOST_IDT_BASE, idt.base);
}

void vmcs_load(struct x86_vcpu *v)
{
    struct vmx_vcpu *x = vmx_of(v);
    struct cpu *c = this_cpu();

    vmcs_make_current(x);
    if (x->cpu != c) {
        x->cpu = c;
        x->vpid_gen = 0;
        v->seen_gen = ~0UL; /* this CPU may hold old EPT entries: flush before the entry */
    }
    vmcs_write_host();
    vmcs_write(VMCS_TSC_OFFSET, v->dom->tsc.offset);
    WRITE_CR(2, x->cr2);
    wrmsr(MSR_STAR, v->star);
    wrmsr(MSR_LSTAR, v->lstar);
    wrmsr(MSR_CSTAR, v->cstar);
    wrmsr(MSR_SFMASK, v->sfmask);
    wrmsr(MSR_KERNEL_GS, v->kernel_gs);
    if (vmx_ctl[VMX_PROC2] & PROC2_RDTSCP)
        wrmsr(MSR_TSC_AUX, v->tsc_aux);
}

void vmcs_save(struct x86_vcpu *v)
{
    struct vmx_vcpu *x = vmx_of(v);

    ASSERT(this_cpu()->loaded == v);
    vmcs_clear(x);
    x->cr2 = READ_CR(2);
    v->star = rdmsr(MSR_STAR);
    v->lstar = rdmsr(MSR_LSTAR);
    v->cstar = rdmsr(MSR_CSTAR);
    v->sfmask = rdmsr(MSR_SFMASK);
    v->kernel_gs = rdmsr(MSR_KERNEL_GS);
    if (vmx_ctl[VMX_PROC2] & PROC2_RDTSCP)
        v->tsc_aux = rdmsr(MSR_TSC_AUX);
}

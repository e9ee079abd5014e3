/* SPDX-License-Identifier: MIT */
/*
 * MSRs of guests. What the control block does not keep and this file does not know gets #GP and a
 * line in the log; CPUID offers nothing that would need more.
 */
#include <stdint.h>

#include <xen/xen.h>
#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/copy.h"
#include "hyp/x86/guest.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/spec.h"
#include "hyp/x86/vendor.h"

#define HYPERCALL_SLOT  32 /* bytes of each entry of the hypercall page */
#define HYPERCALL_SLOTS (PAGE_SIZE / HYPERCALL_SLOT)

/* MSRs that read as a constant; writes change nothing. */
static const struct {
    uint32_t msr;
    uint64_t value;
} fixed[] = {
    {0x17, 0},                   /* IA32_PLATFORM_ID */
    {0x8b, 0},                   /* IA32_BIOS_SIGN_ID: no microcode to report */
    {0x1a0, BIT(0) | 3UL << 11}, /* IA32_MISC_ENABLE: fast strings; no BTS, no PEBS */
    {0x1d9, 0},                  /* IA32_DEBUGCTL */
    {0xc0010010, 0},             /* SYSCFG */
    {0xc0010015, BIT(24)},       /* HWCR: the TSC runs at P0 frequency */
    {0xc001001f, 0},             /* NB_CFG */
    {0xc0011029, BIT(1)},        /* DE_CFG: LFENCE is dispatch serializing */
};

static bool read_fixed(uint32_t msr, uint64_t *value)
{
    for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++)
        if (fixed[i].msr == msr) {
            *value = fixed[i].value;
            return true;
        }
    return false;
}

static bool is_apic(uint32_t msr)
{
    return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
           (msr >= MSR_X2APIC && msr < MSR_X2APIC + 0x100);
}

static void refused(struct x86_vcpu *v, const char *what, uint32_t msr)
{
    log_limited(&v->msr_refusals, "%s: vCPU %u: %s of MSR 0x%x: #GP", v->dom->name, v->id, what,
                msr);
}

/* Eight memory types, each 0, 1, 4, 5, 6 or 7 (SDM vol. 3 table 12-10). */
static bool valid_pat(uint64_t pat)
{
    for (unsigned i = 0; i < 8; i++, pat >>= 8)
        if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
            return false;
    return true;
}

/* APM vol. 2 3.1.7; LMA is the CPU's to change. */
static bool write_efer(struct x86_vcpu *v, uint64_t value)
{
    const struct vcpu_mode *m = vcpu_mode(v);

    if (value & ~vendor->efer_bits || ((m->efer ^ value) & EFER_LME && m->cr0 & CR0_PG))
        return false;
    vendor->set_efer(v, (value & ~EFER_LMA) | (m->efer & EFER_LMA));
    return true;
}

/* One page of calls: mov $n, %eax; VMCALL or VMMCALL; ret. IRET has no meaning here. */
static bool write_hypercall_page(struct x86_vcpu *v, uint64_t value)
{
    uint8_t slot[HYPERCALL_SLOT];

    if (value % PAGE_SIZE) /* the low bits number the page: there is one */
        return false;
    for (uint32_t i = 0; i < HYPERCALL_SLOTS; i++) {
        memset(slot, 0xcc, sizeof(slot));
        slot[0] = 0xb8;
        memcpy(slot + 1, &i, 4);
        memcpy(slot + 5, vendor->hypercall_insn, 3);
        slot[8] = 0xc3;
        if (i == __HYPERVISOR_iret) {
            slot[0] = 0x0f;
            slot[1] = 0x0b;
        }
        if (copy_to_gpa(v->dom, mk_gpa(value + (uint64_t)i * HYPERCALL_SLOT), slot, sizeof(slot)))
            return false;
    }
    return true;
}

bool msr_guest_read(struct x86_vcpu *v)
{
    uint32_t msr = (uint32_t)v->regs.rcx;
    uint64_t value = 0;
    bool known = true;

    if (is_apic(msr))
        known = vlapic_read(v, msr, &value);
    else if (msr == MSR_TSC)
        value = tsc_at(&v->dom->tsc, rdtsc());
    else if (msr == MSR_PAT)
        value = v->pat;
    else if (spec_owns(msr))
        known = spec_msr_read(v, msr, &value);
    else if (msr == MSR_EFER)
        value = vcpu_mode(v)->efer;
    else
        known = read_fixed(msr, &value);
    if (!known) {
        refused(v, "read", msr);
        return false;
    }
    v->regs.rax = (uint32_t)value;
    v->regs.rdx = value >> 32;
    return true;
}

bool msr_guest_write(struct x86_vcpu *v)
{
    uint32_t msr = (uint32_t)v->regs.rcx;
    uint64_t value = (uint32_t)v->regs.rax | v->regs.rdx << 32, ignored;
    bool done;

    if (is_apic(msr)) {
        done = vlapic_write(v, msr, value);
    } else if (msr == MSR_XEN_HYPERCALL) {
        done = write_hypercall_page(v, value);
    } else if (spec_owns(msr)) {
        done = spec_msr_write(v, msr, value);
    } else if (msr == MSR_PAT) {
        done = valid_pat(value);
        if (done) {
            v->pat = value;
            vendor->set_pat(v, value);
        }
    } else if (msr == MSR_EFER) {
        done = write_efer(v, value);
    } else {
        done = read_fixed(msr, &ignored);
    }
    if (!done)
        refused(v, "write", msr);
    return done;
}

/* SPDX-License-Identifier: MIT */
/* A guest's registers as the VMCS keeps them, and the CR0 and EFER transitions between modes. */
#include "hyp/x86/vmx/vmx.h"
#include "hyp/x86/copy.h"

/*
 * CR0 bits the guest does not own: PG, because long mode follows it; NE, which VMX fixes at 1; CD
 * and NW, which would reach the real caches. Every CR4 bit but those of CR4_GUEST is ours and 0 for
 * the guest (VMXE and the host's MCE: 1 in truth).
 */
#define CR0_MASK  (CR0_PG | CR0_NE | CR0_CD | CR0_NW)
#define CR4_GUEST 0x370fbfUL /* VME..UMIP without MCE, LA57 (12) to SMXE (14); FSGSBASE..SMAP */

#define AR_UNUSABLE   BIT(16)
#define AR_PRESENT    BIT(7)
#define AR_CODE_DATA  BIT(4)
#define AR_ACCESSED   BIT(0)
#define AR_TSS_BUSY   0xbUL
#define PDPTE_PRESENT BIT(0)
#define PDPTE_MBZ     0x1e6UL /* with PRESENT; and all bits beyond the physical address */

static bool vmstate_long64(void)
{
    return vmcs_read(VMCS_GUEST_EFER) & EFER_LMA && vmcs_read(VMCS_GUEST_AR + 2 * SEG_CS) & BIT(13);
}

static uint64_t vmstate_cr(uint32_t guest, uint32_t mask, uint32_t shadow)
{
    uint64_t m = vmcs_read(mask);

    return (vmcs_read(guest) & ~m) | (vmcs_read(shadow) & m);
}

/*
 * VMX packs a segment's flags AVL L D G into bits 12..15, struct segment into 8..11; not present
 * here means unusable there.
 */
static void vmstate_get_seg(unsigned i, struct segment *s)
{
    uint64_t ar = vmcs_read(VMCS_GUEST_AR + 2 * i);

    s->sel = (uint16_t)vmcs_read(VMCS_GUEST_SEL + 2 * i);
    s->attr = (uint16_t)((ar & 0xff) | (ar >> 4 & 0xf00));
    if (ar & AR_UNUSABLE)
        s->attr &= (uint16_t)~AR_PRESENT;
    s->limit = (uint32_t)vmcs_read(VMCS_GUEST_LIMIT + 2 * i);
    s->base = vmcs_read(VMCS_GUEST_BASE + 2 * i);
}

static void vmstate_set_seg(unsigned i, const struct segment *s)
{
    uint64_t ar = (s->attr & 0xffU) | (uint64_t)(s->attr & 0xf00) << 4;

    /* The checks of SDM 27.3.1.2 demand a busy task and accessed segments. */
    if (i == VMCS_TR)
        ar = (ar & ~0x1fUL) | AR_PRESENT | AR_TSS_BUSY;
    else if (!(ar & AR_PRESENT))
        ar |= AR_UNUSABLE;
    else if (ar & AR_CODE_DATA)
        ar |= AR_ACCESSED;
    vmcs_write(VMCS_GUEST_SEL + 2 * i, s->sel);
    vmcs_write(VMCS_GUEST_AR + 2 * i, ar);
    vmcs_write(VMCS_GUEST_LIMIT + 2 * i, s->limit);
    vmcs_write(VMCS_GUEST_BASE + 2 * i, s->base);
}

/* With PAE paging outside long mode the entry takes the four PDPTEs from the VMCS (SDM 27.3.2.4).
 */
static bool vmstate_load_pdptes(const struct x86_vcpu *v, uint64_t cr0, uint64_t cr4, uint64_t efer,
                                uint64_t cr3)
{
    uint64_t mbz = PDPTE_MBZ | ~(BIT(features.phys_bits) - 1);
    uint64_t pdpte[4];

    if (!(cr0 & CR0_PG) || !(cr4 & CR4_PAE) || efer & EFER_LMA)
        return true;
    if (copy_from_gpa(v->dom, pdpte, mk_gpa(cr3 & 0xffffffe0), sizeof(pdpte)))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (pdpte[i] & PDPTE_PRESENT && pdpte[i] & mbz)
            return false;
    for (unsigned i = 0; i < 4; i++)
        vmcs_write(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
    return true;
}

/* CR0 and what hangs on it: EFER.LMA, the entry's mode, a long-mode task segment. */
static void vmstate_commit_cr0(struct x86_vcpu *v, uint64_t cr0, uint64_t efer)
{
    uint64_t entry = vmx_ctl[VMX_ENTRY];
    uint64_t tr = vmcs_read(VMCS_GUEST_AR + 2 * VMCS_TR);

    if (efer & EFER_LMA) {
        entry |= ENTRY_CTL_IA32E;
        vmcs_write(VMCS_GUEST_AR + 2 * VMCS_TR, (tr & ~0xfUL) | AR_TSS_BUSY);
    }
    vmcs_write(VMCS_ENTRY, entry);
    vmcs_write(VMCS_GUEST_EFER, efer);
    vmcs_write(VMCS_CR0_MASK, CR0_MASK);
    vmcs_write(VMCS_CR0_SHADOW, cr0 | CR0_ET);
    vmcs_write(VMCS_GUEST_CR0, (cr0 & ~(CR0_CD | CR0_NW)) | CR0_NE | CR0_ET);
    vmx_of(v)->vpid_gen = 0; /* no translation of the old mode survives */
}

void vmstate_get(struct x86_vcpu *v, struct vcpu_state *s)
{
    bool grabbed = vmcs_grab(v);

    s->rip = vmcs_read(VMCS_GUEST_RIP);
    s->rsp = grabbed ? vmcs_read(VMCS_GUEST_RSP) : v->regs.rsp;
    s->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
    s->cr0 = vmstate_cr(VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW);
    s->cr2 = grabbed ? vmx_of(v)->cr2 : READ_CR(2);
    s->cr3 = vmcs_read(VMCS_GUEST_CR3);
    s->cr4 = vmstate_cr(VMCS_GUEST_CR4, VMCS_CR4_MASK, VMCS_CR4_SHADOW);
    s->efer = vmcs_read(VMCS_GUEST_EFER);
    s->dr7 = vmcs_read(VMCS_GUEST_DR7);
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        vmstate_get_seg(i, &s->segments[i]);
    vmstate_get_seg(VMCS_LDT, &s->ldt);
    vmstate_get_seg(VMCS_TR, &s->tr);
    s->gdt = (struct segment){.limit = (uint32_t)vmcs_read(VMCS_GUEST_GDT_LIMIT),
                              .base = vmcs_read(VMCS_GUEST_GDT_BASE)};
    s->idt = (struct segment){.limit = (uint32_t)vmcs_read(VMCS_GUEST_IDT_LIMIT),
                              .base = vmcs_read(VMCS_GUEST_IDT_BASE)};
    vmcs_release(v, grabbed);
}

void vmstate_get_mode(struct x86_vcpu *v, struct vcpu_mode *m)
{
    (void)v;
    m->cr0 = vmstate_cr(VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW);
    m->cr3 = vmcs_read(VMCS_GUEST_CR3);
    m->cr4 = vmstate_cr(VMCS_GUEST_CR4, VMCS_CR4_MASK, VMCS_CR4_SHADOW);
    m->efer = vmcs_read(VMCS_GUEST_EFER);
    m->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
    m->cpl = vmcs_read(VMCS_GUEST_AR + 2 * SEG_SS) >> 5 & 3;
    m->code64 = vmstate_long64();
}

void vmstate_set(struct x86_vcpu *v, const struct vcpu_state *s)
{
    bool grabbed = vmcs_grab(v);
    uint64_t efer = s->efer & ~EFER_LMA;

    if (efer & EFER_LME && s->cr0 & CR0_PG)
        efer |= EFER_LMA;
    for (unsigned i = SEG_ES; i <= SEG_GS; i++)
        vmstate_set_seg(i, &s->segments[i]);
    vmstate_set_seg(VMCS_LDT, &s->ldt);
    vmstate_set_seg(VMCS_TR, &s->tr);
    vmcs_write(VMCS_GUEST_GDT_LIMIT, s->gdt.limit);
    vmcs_write(VMCS_GUEST_GDT_BASE, s->gdt.base);
    vmcs_write(VMCS_GUEST_IDT_LIMIT, s->idt.limit);
    vmcs_write(VMCS_GUEST_IDT_BASE, s->idt.base);
    vmcs_write(VMCS_GUEST_CR3, s->cr3);
    vmcs_write(VMCS_CR4_MASK, ~CR4_GUEST);
    vmcs_write(VMCS_CR4_SHADOW, s->cr4 & CR4_GUEST);
    vmcs_write(VMCS_GUEST_CR4, (s->cr4 & CR4_GUEST) | CR4_VMXE | (READ_CR(4) & CR4_MCE));
    vmstate_commit_cr0(v, s->cr0, efer);
    if (!vmstate_load_pdptes(v, s->cr0, s->cr4, efer, s->cr3))
        for (unsigned i = 0; i < 4; i++)
            vmcs_write(VMCS_GUEST_PDPTE0 + 2 * i, 0);
    vmcs_write(VMCS_GUEST_DR7, s->dr7);
    vmcs_write(VMCS_GUEST_RSP, s->rsp);
    v->regs.rsp = s->rsp;
    vmcs_write(VMCS_GUEST_RIP, s->rip);
    vmcs_write(VMCS_GUEST_RFLAGS, s->rflags | RFLAGS_1);
    vmcs_write(VMCS_GUEST_SHADOW, 0);
    vmcs_write(VMCS_GUEST_ACTIVITY, 0);
    vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
    vmcs_write(VMCS_ENTRY_EVENT, 0);
    if (grabbed)
        vmx_of(v)->cr2 = s->cr2;
    else
        WRITE_CR(2, s->cr2);
    vmcs_release(v, grabbed);
}

/* SDM vol. 2 "MOV--Move to/from Control Registers" and vol. 3 ch. 10.8.5. */
bool vmstate_write_cr0(struct x86_vcpu *v, uint64_t value)
{
    uint64_t old = vmstate_cr(VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW);
    uint64_t efer = vmcs_read(VMCS_GUEST_EFER), cr4 = vmcs_read(VMCS_GUEST_CR4);
    bool long64 = vmstate_long64();

    if (!long64)
        value = (uint32_t)value;
    if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) ||
        (value & CR0_NW && !(value & CR0_CD)))
        return false;
    if (!(value & CR0_PG)) {
        if (long64 || (old & CR0_PG && cr4 & CR4_PCIDE))
            return false;
        efer &= ~EFER_LMA;
    } else if (!(old & CR0_PG) && efer & EFER_LME) {
        if (!(cr4 & CR4_PAE) || vmcs_read(VMCS_GUEST_AR + 2 * SEG_CS) & BIT(13))
            return false;
        efer |= EFER_LMA;
    }
    if (!vmstate_load_pdptes(v, value, cr4, efer, vmcs_read(VMCS_GUEST_CR3)))
        return false;
    vmstate_commit_cr0(v, value, efer);
    return true;
}

void vmstate_set_efer(struct x86_vcpu *v, uint64_t efer)
{
    if ((vmcs_read(VMCS_GUEST_EFER) ^ efer) & EFER_NXE)
        vmx_of(v)->vpid_gen = 0;
    vmcs_write(VMCS_GUEST_EFER, efer);
}

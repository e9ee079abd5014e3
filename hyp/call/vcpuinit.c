/* SPDX-License-Identifier: MIT */
/*
 * VCPUOP_initialise (xen/hvm/hvm_vcpu.h): the registers that a vCPU starts with. What is accepted
 * here a CPU accepts too, but for what depends on the guest's memory.
 */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include <xen/hvm/hvm_vcpu.h>
#include "hyp/x86/regs.h"
#include "hyp/x86/vendor.h"

/* Attributes of a segment as in struct segment. */
#define TYPE_MASK     0xfU
#define TYPE_CODE     0x8U
#define TYPE_WRITE    0x2U /* data: writable; code: readable */
#define TYPE_ACCESSED 0x1U
#define TYPE_TSS_BUSY 0xbU
#define ATTR_S        0x10U
#define ATTR_P        0x80U
#define ATTR_D        0x400U
#define ATTR_G        0x800U
#define DPL(attr)     ((attr) >> 5 & 3U)

#define RFLAGS_VALID 0x3d7fd5UL /* without VM */
#define RFLAGS_VM    BIT(17)
#define EFER_VALID   (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define CR0_VALID    0xe005003fUL
#define CR4_VALID    0x370fffUL /* VME to UMIP, FSGSBASE to SMAP: without LA57, VMXE, SMXE */
#define CR4_SMEP     BIT(20)
#define CR4_SMAP     BIT(21)

enum which { CS, SS, DATA, TR };

/* A present segment counts as accessed, a task as busy. NULL or what is wrong. */
static const char *check_segment(struct segment *s, enum which which)
{
    unsigned type;

    if (s->attr >> 12)
        return "segment: reserved bits";
    if (!s->attr)
        return which == DATA ? NULL : "segment: cs, ss or tr is null";
    if (!(s->attr & ATTR_P))
        return "segment: not present";
    s->attr |= which == TR ? 2 : TYPE_ACCESSED;
    type = s->attr & TYPE_MASK;
    if (which == TR)
        return s->attr & ATTR_S || type != TYPE_TSS_BUSY ? "tr: not a 32-bit task" : NULL;
    if (!(s->attr & ATTR_S))
        return "segment: of the system";
    if (which == CS && !(type & TYPE_CODE))
        return "cs: not code";
    if (which == SS && (type & TYPE_CODE || !(type & TYPE_WRITE)))
        return "ss: not writable";
    if (which == DATA && type & TYPE_CODE && !(type & TYPE_WRITE))
        return "ds or es: not readable";
    return NULL;
}

static const char *check_segments(struct vcpu_state *s)
{
    uint64_t limit = s->cs.limit;
    const char *bad = check_segment(&s->cs, CS);

    bad = bad ? bad : check_segment(&s->ss, SS);
    bad = bad ? bad : check_segment(&s->ds, DATA);
    bad = bad ? bad : check_segment(&s->es, DATA);
    bad = bad ? bad : check_segment(&s->tr, TR);
    if (bad)
        return bad;
    if (s->cs.attr & ATTR_G)
        limit = (uint32_t)(limit << 12) | 0xfffU;
    if (s->rip > limit)
        return "eip: beyond cs";
    if (DPL(s->ss.attr) != DPL(s->cs.attr) || DPL(s->ds.attr) > DPL(s->cs.attr) ||
        DPL(s->es.attr) > DPL(s->cs.attr))
        return "segment: privilege levels differ";
    if (s->cs.attr & SEGMENT_L && s->cs.attr & ATTR_D)
        return "cs: both 64-bit and 32-bit";
    return NULL;
}

static uint64_t cr4_valid(void)
{
    uint64_t valid = CR4_VALID;

    valid &= features.smep ? ~0UL : ~CR4_SMEP;
    valid &= features.smap ? ~0UL : ~CR4_SMAP;
    valid &= features.pcid ? ~0UL : ~CR4_PCIDE;
    return features.xsave ? valid : valid & ~CR4_OSXSAVE;
}

static const char *check_control(const struct vcpu_state *s)
{
    bool paging = s->cr0 & CR0_PG, lme = s->efer & EFER_LME;

    if (s->cr0 & ~CR0_VALID || (paging && !(s->cr0 & CR0_PE)) ||
        (s->cr0 & CR0_NW && !(s->cr0 & CR0_CD)))
        return "cr0";
    if (s->cr3 >> features.phys_bits)
        return "cr3";
    if (s->cr4 & ~cr4_valid() || (s->cr4 & CR4_PCIDE && !(lme && paging)) ||
        (lme && paging && !(s->cr4 & CR4_PAE)))
        return "cr4";
    if (s->efer & ~EFER_VALID || (s->efer & EFER_LMA && !lme))
        return "efer";
    return s->rflags & RFLAGS_VM ? "flags: virtual-8086 mode" : NULL;
}

/* What both forms have. */
static void read_registers(const struct vcpu_hvm_x86_64 *r, struct vcpu_state *s, struct gprs *g)
{
    *g = (struct gprs){.rax = r->rax,
                       .rcx = r->rcx,
                       .rdx = r->rdx,
                       .rbx = r->rbx,
                       .rbp = r->rbp,
                       .rsi = r->rsi,
                       .rdi = r->rdi};
    s->rip = r->rip;
    s->rsp = r->rsp;
    s->rflags = r->rflags;
    s->cr0 = r->cr0;
    s->cr3 = r->cr3;
    s->cr4 = r->cr4;
    s->efer = r->efer;
}

static const char *read_32(const struct vcpu_hvm_x86_32 *r, struct vcpu_state *s, struct gprs *g)
{
    const struct vcpu_hvm_x86_64 wide = {r->eax, r->ecx, r->edx, r->ebx, r->esp,
                                         r->ebp, r->esi, r->edi, r->eip, r->eflags,
                                         r->cr0, r->cr3, r->cr4, r->efer};

    if (r->pad1 || r->pad2[0] || r->pad2[1] || r->pad2[2])
        return "padding";
    read_registers(&wide, s, g);
    s->cs = (struct segment){0, r->cs_ar, r->cs_limit, r->cs_base};
    s->ds = (struct segment){0, r->ds_ar, r->ds_limit, r->ds_base};
    s->es = (struct segment){0, r->es_ar, r->es_limit, r->es_base};
    s->ss = (struct segment){0, r->ss_ar, r->ss_limit, r->ss_base};
    s->tr = (struct segment){0, r->tr_ar, r->tr_limit, r->tr_base};
    return check_segments(s);
}

static const char *read_64(const struct vcpu_hvm_x86_64 *r, struct vcpu_state *s, struct gprs *g)
{
    const struct segment flat = {.attr = 0xc93, .limit = ~0U};

    if ((uint64_t)((int64_t)(r->rip << 16) >> 16) != r->rip)
        return "rip: not canonical";
    if (!(r->cr0 & CR0_PG) || !(r->cr4 & CR4_PAE) || !(r->efer & EFER_LME))
        return "control registers: not of 64-bit mode";
    read_registers(r, s, g);
    s->cs = (struct segment){.attr = 0xa9b, .limit = ~0U};
    s->ds = s->es = s->ss = flat;
    s->tr = (struct segment){.attr = 0x8b, .limit = 0x67};
    return NULL;
}

static const char *read_context(const struct vcpu_hvm_context *c, struct vcpu_state *s,
                                struct gprs *g)
{
    const char *bad = "mode";

    if (c->pad)
        return "padding";
    if (c->mode == VCPU_HVM_MODE_32B)
        bad = read_32(&c->cpu_regs.x86_32, s, g);
    else if (c->mode == VCPU_HVM_MODE_64B)
        bad = read_64(&c->cpu_regs.x86_64, s, g);
    return bad ? bad : check_control(s);
}

long vcpuinit(struct vcpu *v, struct vcpu *target, gva_t arg)
{
    struct vcpu_hvm_context context;
    struct vcpu_state s;
    const char *bad;
    struct gprs g;

    if (copy_from_guest(&v->arch, &context, arg, sizeof(context)))
        return vcpu_refuse(v, -XEN_EFAULT, "vcpu_op initialise", "bad address");
    spin_guard(held, &v->dom->lock);
    if (target->initialised)
        return vcpu_refuse(v, -XEN_EEXIST, "vcpu_op initialise", "has registers already");
    /* It has never run: all that is not given is as after reset. */
    vendor->get_state(&target->arch, &s);
    bad = read_context(&context, &s, &g);
    if (bad)
        return vcpu_refuse(v, -XEN_EINVAL, "vcpu_op initialise", bad);
    s.rflags = (s.rflags & RFLAGS_VALID) | RFLAGS_1;
    target->arch.regs = g;
    target->arch.wait_sipi = false;
    vendor->set_state(&target->arch, &s);
    target->initialised = true;
    return 0;
}

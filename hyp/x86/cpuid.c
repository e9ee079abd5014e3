/* SPDX-License-Identifier: MIT */
/*
 * What guests see of the CPU: a list of what works in a guest, cut down to what this CPU has. A
 * feature that nobody has thought about is not offered. Leaves from 0x40000000 on are Xen's
 * (xen/arch-x86/cpuid.h).
 */
#include <stdint.h>

#include <xen/arch-x86/cpuid.h>
#include "hyp/x86/guest.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/spec.h"
#include "hyp/x86/vendor.h"

#define XEN_VERSION (4U << 16 | 17)

/* Leaf 1. Not: MONITOR, VMX, SMX, EST, PDCM, DCA; MCE, MCA, MTRR, PSN, DS, ACPI, HTT. */
#define LEAF1_C                                                                                    \
    (BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | BIT(22) |        \
     BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30))
#define LEAF1_C_X2APIC     BIT(21)
#define LEAF1_C_DEADLINE   BIT(24)
#define LEAF1_C_OSXSAVE    BIT(27)
#define LEAF1_C_HYPERVISOR BIT(31)
#define LEAF1_D                                                                                    \
    (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(9) | BIT(11) |    \
     BIT(13) | BIT(15) | BIT(16) | BIT(17) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26))
/* Leaf 7. FSGSBASE, BMI, AVX2, SMEP, ERMS, INVPCID, RDSEED, ADX, SMAP, CLFLUSHOPT, AVX512, ... */
#define LEAF7_B                                                                                    \
    (BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(16) | BIT(17) | BIT(18) | \
     BIT(19) | BIT(20) | BIT(21) | BIT(23) | BIT(24) | BIT(28) | BIT(29) | BIT(30) | BIT(31))
#define LEAF7_C (BIT(1) | BIT(2) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14))
#define LEAF7_D (BIT(2) | BIT(3) | BIT(4) | BIT(8) | LEAF7_D_SPEC)
#define LEAF7_D_SPEC                                                                               \
    (LEAF7_D_MD_CLEAR | LEAF7_D_IBRS_IBPB | LEAF7_D_STIBP | LEAF7_D_ARCH_CAPS | LEAF7_D_SSBD)
#define LEAF7_C_AVX512 (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14))
#define LEAF7_D_AVX512 (BIT(2) | BIT(3) | BIT(8))
#define LEAF7_B_AVX512 (BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31))
#define LEAFD1_XSAVEC  BIT(1)
#define LEAFD1_A       (BIT(0) | BIT(1) | BIT(2)) /* XSAVEOPT, XSAVEC, XGETBV with 1; not XSAVES */
/* 0x80000001. Not: SVM, SKINIT, IBS, OSVW, WDT, TOPOEXT, PERF*, MWAITX. */
#define EXT1_C (BIT(0) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(11) | BIT(16) | BIT(21))
#define EXT1_D                                                                                     \
    (LEAF1_D | BIT(11) | BIT(20) | BIT(22) | BIT(25) | BIT(26) | BIT(27) | BIT(29) | BIT(30) |     \
     BIT(31))
#define EXT7_D_INVARIANT BIT(8)
/* CLZERO, XRSTOR saves error pointers always; IBPB, IBRS, STIBP, SSBD, what is not needed. */
#define EXT8_B                                                                                     \
    (BIT(0) | BIT(2) | BIT(12) | BIT(14) | BIT(15) | BIT(16) | BIT(17) | BIT(18) | BIT(19) |       \
     BIT(24) | BIT(26) | BIT(28) | BIT(29) | BIT(30))
/* LFENCE serializes, VERW clears, null selectors clear; SBPB, IBPB of all types, no SRSO (at all,
 * or between a kernel and its programs). */
#define EXT21_A         (BIT(2) | BIT(5) | BIT(6) | BIT(27) | BIT(28) | BIT(29) | BIT(30))
#define GUEST_PHYS_BITS 48U
#define MAX_BASIC       0xdU
#define MAX_EXTENDED    0x80000021U

/* IDs are even: two a core, one of which does not exist. */
static void topology(struct x86_vcpu *v, uint32_t sub, struct cpuid *r)
{
    *r = (struct cpuid){.c = sub & 0xff, .d = vlapic_id(v)};
    if (sub == 0) {
        r->a = r->b = 1;
        r->c |= 1U << 8;
    } else if (sub == 1) {
        r->a = 7;
        r->b = v->dom->nvcpus;
        r->c |= 2U << 8;
    }
}

/* Sizes that depend on XCR0 are those of the guest's, which this CPU holds. XSAVEC is offered where
 * its size is what SDM vol. 1 13.4.3 says: Bochs 2.7 gives none, and it does not find again what
 * XSAVEC has stored when some components are not in use. */
static void xstate(uint32_t sub, struct cpuid *r)
{
    if (!features.xsave || (sub >= 2 && (sub > 62 || !(features.xcr0 >> sub & 1))))
        *r = (struct cpuid){.a = 0};
    else if (sub == 0)
        *r = (struct cpuid){(uint32_t)features.xcr0, r->b, features.xsave_size,
                            (uint32_t)(features.xcr0 >> 32)};
    else if (sub == 1 && r->b == cpu_xsave_size(read_xcr0(), true))
        *r = (struct cpuid){.a = r->a & (uint32_t)LEAFD1_A, .b = r->b};
    else if (sub == 1)
        *r = (struct cpuid){.a = r->a & (uint32_t)(LEAFD1_A & ~LEAFD1_XSAVEC)};
}

static void basic(struct x86_vcpu *v, uint32_t leaf, uint32_t sub, struct cpuid *r)
{
    switch (leaf) {
    case 0:
        r->a = MIN(r->a, MAX_BASIC);
        break;
    case 1:
        r->b = (r->b & 0xff00) | v->dom->nvcpus << 16 | vlapic_id(v) << 24;
        r->c = (r->c & (uint32_t)LEAF1_C) |
               (uint32_t)(LEAF1_C_X2APIC | LEAF1_C_DEADLINE | LEAF1_C_HYPERVISOR);
        r->c &= features.xsave ? ~0U : ~(uint32_t)BIT(26);
        if (vcpu_mode(v)->cr4 & CR4_OSXSAVE)
            r->c |= (uint32_t)LEAF1_C_OSXSAVE;
        r->d &= (uint32_t)LEAF1_D;
        break;
    case 2: /* caches: as they are; leaf 4 without its processor counts */
        break;
    case 4:
        r->a &= 0x3fff;
        break;
    case 6:
        *r = (struct cpuid){.a = 4}; /* the local APIC timer never stops */
        break;
    case 7:
        r->a = 0;
        r->b &= (uint32_t)LEAF7_B;
        r->c &= (uint32_t)LEAF7_C;
        r->d &= (uint32_t)LEAF7_D;
        if ((features.xcr0 & XCR0_AVX512) != XCR0_AVX512) {
            r->b &= ~(uint32_t)LEAF7_B_AVX512;
            r->c &= ~(uint32_t)LEAF7_C_AVX512;
            r->d &= ~(uint32_t)LEAF7_D_AVX512;
        }
        if (sub)
            *r = (struct cpuid){.a = 0};
        break;
    case 0xb:
        topology(v, sub, r);
        break;
    case 0xd:
        xstate(sub, r);
        break;
    default:
        *r = (struct cpuid){.a = 0};
    }
}

static void extended(struct x86_vcpu *v, uint32_t leaf, struct cpuid *r)
{
    switch (leaf) {
    case 0x80000000:
        r->a = MIN(r->a, MAX_EXTENDED);
        break;
    case 0x80000001:
        r->c &= (uint32_t)EXT1_C;
        r->d &= (uint32_t)EXT1_D;
        break;
    case 0x80000007:
        *r = (struct cpuid){.d = r->d & (uint32_t)EXT7_D_INVARIANT};
        break;
    case 0x80000008:
        r->a = MIN(r->a & 0xff, GUEST_PHYS_BITS) | (r->a & 0xff00);
        *r = (struct cpuid){r->a, r->b & (uint32_t)EXT8_B, v->dom->nvcpus - 1, 0};
        break;
    case 0x80000021:
        *r = (struct cpuid){.a = r->a & (uint32_t)EXT21_A};
        break;
    default: /* the CPU's name and its caches stay */
        if (leaf > 0x80000008)
            *r = (struct cpuid){.a = 0};
    }
}

static void xen_time(struct x86_vcpu *v, uint32_t sub, struct cpuid *r)
{
    const struct tsc *t = &v->dom->tsc;

    if (sub == 0)
        *r = (struct cpuid){.b = 2, .c = t->khz, .d = 0}; /* the TSC is never emulated */
    else if (sub == 1)
        *r = (struct cpuid){(uint32_t)t->offset, (uint32_t)(t->offset >> 32), t->mul,
                            (uint32_t)t->shift};
    else if (sub == 2)
        r->a = tsc_khz;
}

static struct cpuid xen(struct x86_vcpu *v, uint32_t leaf, uint32_t sub)
{
    struct cpuid r = {0};

    switch (leaf - XEN_CPUID_FIRST_LEAF) {
    case 0:
        r = (struct cpuid){XEN_CPUID_FIRST_LEAF + 4, XEN_CPUID_SIGNATURE_EBX,
                           XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
        break;
    case 1:
        r.a = XEN_VERSION;
        break;
    case 2:
        r.a = 1; /* one page, written through this MSR */
        r.b = MSR_XEN_HYPERCALL;
        break;
    case 3:
        xen_time(v, sub, &r);
        break;
    case 4: /* no upcall by local APIC vector: it works, but the callback vector needs no EOI */
        r.a = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT;
        r.b = v->id;
        r.c = v->dom->domid;
        break;
    }
    return r;
}

void cpuid_guest(struct x86_vcpu *v)
{
    uint32_t leaf = (uint32_t)v->regs.rax, sub = (uint32_t)v->regs.rcx;
    struct cpuid r;

    if (leaf >= XEN_CPUID_FIRST_LEAF && leaf < XEN_CPUID_FIRST_LEAF + 0x100) {
        r = xen(v, leaf, sub);
    } else {
        r = cpuid(leaf, sub);
        if (leaf < 0x40000000)
            basic(v, leaf, sub, &r);
        else if (leaf >= 0x80000000)
            extended(v, leaf, &r);
        else
            r = (struct cpuid){.a = 0};
    }
    v->regs.rax = r.a;
    v->regs.rbx = r.b;
    v->regs.rcx = r.c;
    v->regs.rdx = r.d;
}

/* SPDX-License-Identifier: MIT */
/* What a CPU can do, and the protections it is run with. */
#include "hyp/x86/cpu.h"

#include "hyp/x86/regs.h"

#define XCR0_OFFERED          0xe7UL /* x87, SSE, AVX, AVX-512 */
#define XSAVE_LEGACY          576U   /* x87, SSE and the header */
#define CR4_PGE               (1UL << 7)
#define CR4_OSFXSR            (1UL << 9)
#define CR4_SMEP              (1UL << 20)
#define CR4_SMAP              (1UL << 21)

struct cpu cpus[MAX_CPUS];
uint32_t ncpus = 1;
struct cpu_features features;

uint32_t cpu_xsave_size(uint64_t xcr0, bool compacted)
{
    uint32_t end = XSAVE_LEGACY;

    for (uint32_t i = 2; i < 63; i++) {
        struct cpuid c;

        if (!(xcr0 >> i & 1))
            continue;
        c = cpuid(0xd, i); /* a: size; b: offset in the standard format; c, bit 1: aligned */
        if (!compacted)
            end = MAX(end, c.a + c.b);
        else
            end = (c.c & 2 ? ROUND_UP(end, 64U) : end) + c.a;
    }
    return end;
}

void cpu_detect(void)
{
    struct cpuid one = cpuid(1, 0), seven = {0}, ext1 = cpuid(0x80000001, 0), xsave;
    struct cpuid ext8 = {.a = 36}; /* bits of an address where it does not say */
    uint32_t ext = cpuid(0x80000000, 0).a;
    bool svm = ext1.c & BIT(2);

    if (ext >= 0x80000008)
        ext8 = cpuid(0x80000008, 0);
    if (cpuid(0, 0).a >= 7)
        seven = cpuid(7, 0);
    features = (struct cpu_features){
        .smep = seven.b & BIT(7),
        .smap = seven.b & BIT(20),
        .nx = ext1.d & BIT(20),
        .xsave = one.c & BIT(26),
        .x2apic = one.c & BIT(21),
        .tsc_deadline = one.c & BIT(24),
        .page1g = ext1.d & BIT(26),
        .pcid = one.c & BIT(17),
        .mce = one.d & BIT(7),
        .mca = one.d & BIT(14),
        .phys_bits = ext8.a & 0xff,
        .keeps_x87_pointers = svm && !(ext8.b & BIT(2)),
    };
    if (ext >= 0x80000007)
        features.invariant_tsc = cpuid(0x80000007, 0).d & BIT(8);
    if (features.xsave) {
        xsave = cpuid(0xd, 0);
        features.xcr0 = ((uint64_t)xsave.d << 32 | xsave.a) & XCR0_OFFERED;
        /* AMD-V does not keep a guest from setting CR4.PKE. */
        features.xcr0_host = features.xcr0 | (svm ? xsave.a & XCR0_PKRU : 0);
        features.xsave_size = cpu_xsave_size(features.xcr0, false);
    }
}

void cpu_protect(void)
{
    uint64_t cr0 = READ_CR(0), cr4 = READ_CR(4);

    cr4 |= CR4_PGE | CR4_OSFXSR;
    if (features.mce) /* without it a machine check is a shutdown, with no word in the log */
        cr4 |= CR4_MCE;
    if (features.xsave)
        cr4 |= CR4_OSXSAVE;
    if (features.smep)
        cr4 |= CR4_SMEP;
    if (features.smap)
        cr4 |= CR4_SMAP;
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    WRITE_CR(4, cr4);
    if (features.xsave)
        write_xcr0(features.xcr0_host);
    WRITE_CR(0, cr0 | CR0_WP);
}

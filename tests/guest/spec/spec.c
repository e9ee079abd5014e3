/* SPDX-License-Identifier: MIT */
/*
 * MSRs against speculation: there as far as CPUID says so, else #GP. The last line but the verdict
 * says which, so that a test can tell what was looked at.
 */
#include "tests/guest/probe.h"

#define SPEC_CTRL 0x48
#define PRED_CMD  0x49
#define ARCH_CAPS 0x10a
#define FLUSH_CMD 0x10b
#define GP        13
#define NONE      (-1)
#define OURS      (0x80UL | 0x400 | 0x800) /* ARCH_CAPS: TSX_CTRL, MISC_PACKAGE, ENERGY_FILTERING */

static uint32_t cpuid_reg(uint32_t leaf, bool d)
{
    uint32_t a = leaf, b, c = 0, edx;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(edx));
    return d ? edx : b;
}

static void spec_ctrl(bool there)
{
    int trap = there ? NONE : GP;
    uint64_t value;

    EQUAL(probe_rdmsr(SPEC_CTRL, &value), trap);
    EQUAL(value, 0);
    EQUAL(probe_wrmsr(SPEC_CTRL, 1), trap);
    EQUAL(probe_rdmsr(SPEC_CTRL, &value), trap);
    EQUAL(value, there);
    EQUAL(probe_wrmsr(SPEC_CTRL, BIT(40)), GP);
    EQUAL(probe_wrmsr(SPEC_CTRL, 0), trap);
}

void probe_main(void)
{
    uint32_t intel = cpuid_reg(7, true), amd = cpuid_reg(0x80000008, false);
    bool ctrl = intel & BIT(26) || amd & BIT(14), ibpb = intel & BIT(26) || amd & BIT(12);
    uint64_t value;

    spec_ctrl(ctrl);
    EQUAL(probe_wrmsr(PRED_CMD, 1), ibpb ? NONE : GP);
    EQUAL(probe_wrmsr(PRED_CMD, 2), GP);
    EQUAL(probe_rdmsr(PRED_CMD, &value), GP);
    EQUAL(probe_rdmsr(ARCH_CAPS, &value), intel & BIT(29) ? NONE : GP);
    EQUAL(value & OURS, 0);
    EQUAL(probe_wrmsr(ARCH_CAPS, 0), GP);
    EQUAL(intel & BIT(28), 0);
    EQUAL(probe_wrmsr(FLUSH_CMD, 1), GP);
    rt_print("offered:%s%s%s\n", ctrl ? " SPEC_CTRL" : "", ibpb ? " PRED_CMD" : "",
             intel & BIT(29) ? " ARCH_CAPABILITIES" : "");
}

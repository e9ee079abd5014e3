/* SPDX-License-Identifier: MIT */
/*
 * SDM vol. 4 table 2-2 and Intel's "Affected Processors" pages; AMD's "Software Techniques for
 * Managing Speculation" and APM vol. 3 appendix E.
 */
#include "hyp/x86/spec.h"

#include "hyp/lib/format.h"
#include "hyp/lib/log.h"
#include "hyp/x86/layout.h"

/* IA32_ARCH_CAPABILITIES. */
#define CAP_RDCL_NO    BIT(0)
#define CAP_IBRS_ALL   BIT(1)
#define CAP_SKIP_L1D   BIT(3)
#define CAP_MDS_NO     BIT(5)
#define CAP_PSCHANGE   BIT(6) /* no machine check when a page changes its size */
#define CAP_TAA_NO     BIT(8)
#define CAP_MMIO_NO    (BIT(13) | BIT(14) | BIT(15)) /* SBDR_SSDP, FBSDP, PSDP */
#define CAP_FB_CLEAR   BIT(17)
#define CAP_BHI_NO     BIT(20)
#define CAP_PBRSB_NO   BIT(24)
#define CAP_RFDS_CLEAR BIT(28)
/* The bits that tell what the CPU is free of; no bit that comes with a further MSR. */
#define CAP_GUEST                                                                                  \
    (CAP_RDCL_NO | CAP_IBRS_ALL | BIT(2) | CAP_SKIP_L1D | BIT(4) | CAP_MDS_NO | CAP_PSCHANGE |     \
     CAP_TAA_NO | CAP_MMIO_NO | CAP_FB_CLEAR | BIT(19) | CAP_BHI_NO | CAP_PBRSB_NO | BIT(26) |     \
     BIT(27) | CAP_RFDS_CLEAR)
#define LEAF7_B_RTM     BIT(11)
#define ALL_OF(x, bits) (((x) & (bits)) == (bits))

struct spec spec;
const uint16_t spec_selector = SEL_DATA; /* VERW's: one that can be written */
_Static_assert(offsetof(struct spec, verw) == SPEC_VERW && offsetof(struct spec, rsb) == SPEC_RSB &&
                   offsetof(struct spec, ibpb_exit) == SPEC_IBPB_EXIT,
               "read by the world switches");

/* MDS, TAA, MMIO stale data, RFDS: each is cleared by the same instruction. */
static bool needs_verw(const struct spec_cpu *c)
{
    uint64_t caps = c->arch_caps;

    if (c->leaf7_d & LEAF7_D_MD_CLEAR &&
        (!(caps & CAP_MDS_NO) || (c->leaf7_b & LEAF7_B_RTM && !(caps & CAP_TAA_NO))))
        return true;
    return (caps & CAP_FB_CLEAR && !ALL_OF(caps, CAP_MMIO_NO)) || caps & CAP_RFDS_CLEAR;
}

static void decide_intel(const struct spec_cpu *c, struct spec *s)
{
    uint64_t caps = c->arch_caps;
    bool ibrs = c->leaf7_d & LEAF7_D_IBRS_IBPB, enhanced = ibrs && caps & CAP_IBRS_ALL;

    s->has_ctrl = ibrs;
    s->ibpb = ibrs;
    s->verw = needs_verw(c);
    s->l1d = c->leaf7_d & LEAF7_D_L1D_FLUSH && !(caps & (CAP_RDCL_NO | CAP_SKIP_L1D));
    s->rsb = !enhanced || !(caps & CAP_PBRSB_NO);
    s->code_4k = !(caps & CAP_PSCHANGE); /* CVE-2018-12207 */
    s->has_caps = c->leaf7_d & LEAF7_D_ARCH_CAPS;
    s->guest_caps = caps & CAP_GUEST;
    if (!ibrs)
        return;
    if (c->smt && c->leaf7_d & LEAF7_D_STIBP)
        s->force_ctrl = SPEC_CTRL_STIBP;
    if (enhanced) /* the first return after an exit comes before the register is written */
        s->force_ctrl |= SPEC_CTRL_IBRS;
    s->host_ctrl = SPEC_CTRL_IBRS | s->force_ctrl;
    if (c->leaf7_2_d & LEAF7_2_D_RRSBA)
        s->host_ctrl |= SPEC_CTRL_RRSBA_S;
    if (c->leaf7_2_d & LEAF7_2_D_BHI && !(caps & CAP_BHI_NO))
        s->host_ctrl |= SPEC_CTRL_BHI_S;
    /* Enhanced IBRS may stay on in a guest; the old one slows all that runs, and wears off. */
    s->guest_ctrl = enhanced ? s->host_ctrl : s->force_ctrl;
    s->ibrs_each = !enhanced;
    s->pred_mask = PRED_CMD_IBPB;
    s->ctrl_mask = SPEC_CTRL_IBRS | (c->leaf7_d & LEAF7_D_STIBP ? SPEC_CTRL_STIBP : 0) |
                   (c->leaf7_d & LEAF7_D_SSBD ? SPEC_CTRL_SSBD : 0);
}

/*
 * Returns of the hypervisor's that go where a guest has trained them to: branch type confusion on
 * Zen 1 and 2 ("Retbleed"), SRSO on Zen 3 and 4, where IBPB helps only with microcode. Later CPUs
 * have a bit against it (AMD's "Technical Update Regarding Speculative Return Stack Overflow").
 */
static void decide_amd_returns(const struct spec_cpu *c, struct spec *s)
{
    bool zen12 = c->family == 0x17 || c->family == 0x18 /* Hygon */, zen34 = c->family == 0x19;

    s->ibpb_exit =
        s->ibpb && ((zen12 && !(c->ext8_b & EXT8_B_BTC_NO)) ||
                    (zen34 && c->ext21_a & EXT21_A_BRTYPE && !(c->ext21_a & EXT21_A_SRSO_NO)));
    s->reduce = c->ext21_a & EXT21_A_REDUCE && !(c->ext21_a & EXT21_A_SRSO_NO);
}

static bool is_zen2(const struct spec_cpu *c)
{
    uint32_t m = c->model;

    return c->family == 0x17 && ((m >= 0x30 && m <= 0x4f) || (m >= 0x60 && m <= 0x7f) ||
                                 m == 0x90 || m == 0x91 || (m >= 0xa0 && m <= 0xaf));
}

/*
 * Guests are told that LFENCE serializes. And on Zen 2 registers of others may be read, which new
 * firmware prevents, too (CVE-2023-20593, AMD-SB-7008).
 */
static uint64_t de_cfg(const struct spec_cpu *c)
{
    bool has = c->family == 0x10 || c->family == 0x12 || (c->family >= 0x14 && c->family <= 0x18);

    return (has && !(c->ext21_a & EXT21_A_LFENCE) ? DE_CFG_LFENCE : 0) |
           (is_zen2(c) ? DE_CFG_FP_BACKUP : 0);
}

/* Without automatic IBRS AMD recommends retpolines, which the hypervisor is built with anyway. */
static void decide_amd(const struct spec_cpu *c, struct spec *s)
{
    s->auto_ibrs = c->ext21_a & EXT21_A_AUTO_IBRS;
    s->ibpb = c->ext8_b & EXT8_B_IBPB;
    s->rsb = !s->auto_ibrs;
    decide_amd_returns(c, s);
    s->de_cfg = de_cfg(c);
    s->verw = !!(c->ext21_a & EXT21_A_VERW);
    s->pred_mask = (s->ibpb ? PRED_CMD_IBPB : 0) | (c->ext21_a & EXT21_A_SBPB ? PRED_CMD_SBPB : 0);
    s->ctrl_mask = (c->ext8_b & EXT8_B_IBRS ? SPEC_CTRL_IBRS : 0) |
                   (c->ext8_b & EXT8_B_STIBP ? SPEC_CTRL_STIBP : 0) |
                   (c->ext8_b & EXT8_B_SSBD ? SPEC_CTRL_SSBD : 0) |
                   (c->ext8_b & EXT8_B_PSFD ? SPEC_CTRL_PSFD : 0);
    s->has_ctrl = s->ctrl_mask;
    if (c->smt && c->ext8_b & EXT8_B_STIBP)
        s->force_ctrl = SPEC_CTRL_STIBP;
    s->host_ctrl = s->guest_ctrl = s->force_ctrl;
}

struct spec spec_decide(const struct spec_cpu *c)
{
    struct spec s = {.verw = 0};

    if (c->amd)
        decide_amd(c, &s);
    else
        decide_intel(c, &s);
    return s;
}

static struct spec_cpu this_spec_cpu(void)
{
    struct cpuid zero = cpuid(0, 0), seven = zero.a >= 7 ? cpuid(7, 0) : (struct cpuid){0};
    uint32_t ext = cpuid(0x80000000, 0).a, sign = cpuid(1, 0).a, family = sign >> 8 & 15;
    struct spec_cpu c = {
        .amd = zero.c == 0x444d4163 || zero.c == 0x656e6975, /* "cAMD", "uine": Hygon */
        .family = family == 15 ? 15 + (sign >> 20 & 255) : family,
        .model = (sign >> 4 & 15) | (sign >> 12 & 0xf0),
        .leaf7_b = seven.b,
        .leaf7_d = seven.d,
        .leaf7_2_d = seven.a >= 2 ? cpuid(7, 2).d : 0,
        .ext8_b = ext >= 0x80000008 ? cpuid(0x80000008, 0).b : 0,
        .ext21_a = ext >= 0x80000021 ? cpuid(0x80000021, 0).a : 0,
    };

    if (c.amd)
        c.smt = ext >= 0x8000001e && cpuid(1, 0).d & BIT(28) && cpuid(0x8000001e, 0).b & 0xff00;
    else
        c.smt = zero.a >= 0xb && (cpuid(0xb, 0).b & 0xffff) > 1;
    if (!c.amd && c.leaf7_d & LEAF7_D_ARCH_CAPS)
        c.arch_caps = rdmsr(MSR_ARCH_CAPS);
    return c;
}

void spec_init(void)
{
    struct spec_cpu c = this_spec_cpu();

    spec = spec_decide(&c);
    log_line("speculation: retpolines%s%s%s%s%s%s%s%s%s%s%s%s",
             spec.auto_ibrs                    ? ", automatic IBRS"
             : spec.ibrs_each                  ? ", IBRS"
             : spec.host_ctrl & SPEC_CTRL_IBRS ? ", enhanced IBRS"
                                               : "",
             spec.host_ctrl & SPEC_CTRL_BHI_S ? ", BHI_DIS_S" : "", spec.rsb ? ", RSB filled" : "",
             spec.ibpb_exit ? ", IBPB at each exit"
             : spec.ibpb    ? ", IBPB"
                            : "",
             spec.reduce ? ", predictions of returns reduced" : "",
             spec.de_cfg & DE_CFG_FP_BACKUP ? ", no Zenbleed" : "",
             spec.force_ctrl & SPEC_CTRL_STIBP ? ", STIBP" : "", spec.verw ? ", VERW" : "",
             spec.l1d ? ", L1D flush" : "", spec.code_4k ? ", code in 4 KiB pages" : "",
             spec.ctrl_mask & SPEC_CTRL_SSBD ? ", SSBD for guests" : "",
             c.smt ? "; SMT is on: see docs/security.md" : "");
}

void spec_cpu_on(void)
{
    uint64_t now;

    if (spec.de_cfg && rdmsr_safe(MSR_DE_CFG, &now))
        wrmsr(MSR_DE_CFG, now | spec.de_cfg);
    if (spec.auto_ibrs)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AUTO_IBRS);
    if (spec.reduce)
        wrmsr(MSR_BP_CFG, rdmsr(MSR_BP_CFG) | BP_CFG_REDUCE);
    if (spec.has_ctrl)
        wrmsr(MSR_SPEC_CTRL, spec.host_ctrl);
}

/* What another domain's code has trained goes: its return predictions went at its last exit. */
void spec_switch(const struct x86_vcpu *v)
{
    struct cpu *c = this_cpu();

    if (spec.ibpb && c->trained_by != v->dom->domid)
        wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
    c->trained_by = v->dom->domid;
}

bool spec_owns(uint32_t msr)
{
    return msr == MSR_SPEC_CTRL || msr == MSR_PRED_CMD || msr == MSR_ARCH_CAPS ||
           msr == MSR_FLUSH_CMD;
}

bool spec_msr_read(const struct x86_vcpu *v, uint32_t msr, uint64_t *value)
{
    *value = msr == MSR_SPEC_CTRL ? v->spec_ctrl : spec.guest_caps;
    return (msr == MSR_SPEC_CTRL && spec.ctrl_mask) || (msr == MSR_ARCH_CAPS && spec.has_caps);
}

bool spec_msr_write(struct x86_vcpu *v, uint32_t msr, uint64_t value)
{
    if (msr == MSR_SPEC_CTRL && spec.ctrl_mask && !(value & ~spec.ctrl_mask)) {
        v->spec_ctrl = value;
        v->spec_used = true;
        return true;
    }
    if (msr != MSR_PRED_CMD || !spec.pred_mask || value & ~spec.pred_mask)
        return false;
    if (value)
        wrmsr(MSR_PRED_CMD, value);
    return true;
}

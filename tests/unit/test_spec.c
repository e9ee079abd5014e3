/* SPDX-License-Identifier: MIT */
/* What is done against speculation on real CPUs, by what they report; and guests' MSRs. */
#include <string.h>
#include "hyp/lib/log.h"
#include "hyp/x86/spec.h"
#include "tests/unit/check_main.h"

#define EDX_CLIENT (BIT(10) | BIT(26) | BIT(27) | BIT(28) | BIT(31))
#define EDX_SERVER (EDX_CLIENT | BIT(29))
#define EBX_TSX    (BIT(4) | BIT(11))
/* IA32_ARCH_CAPABILITIES */
#define RDCL_NO     0x1UL
#define IBRS_ALL    0x2UL
#define RSBA        0x4UL
#define SKIP_L1D    0x8UL
#define MDS_NO      0x20UL
#define PSCHANGE_NO 0x40UL
#define TSX_CTRL    0x80UL
#define TAA_NO      0x100UL
#define MMIO_NO     0xe000UL
#define FB_CLEAR    0x20000UL
#define RRSBA       0x80000UL
#define BHI_NO      0x100000UL
#define PBRSB_NO    0x1000000UL

enum {
    IBRS = 1,
    ENHANCED = 2,
    AUTO = 4,
    RSB = 8,
    IBPB = 16,
    STIBP = 32,
    VERW = 64,
    L1D = 128,
    BHI = 256,
    CODE_4K = 512,
    EXIT_IBPB = 1024,
    REDUCE = 2048,
    LFENCE = 4096,
    ZENBLEED = 8192
};

static const struct {
    const char *name;
    struct spec_cpu cpu;
    unsigned want;
    uint64_t guest_ctrl, ctrl_mask, guest_caps;
} cpus_known[] = {
    {"Skylake, microcode of 2017", {.smt = true, .leaf7_b = EBX_TSX}, RSB | CODE_4K, 0, 0, 0},
    {"Skylake client",
     {.smt = true, .leaf7_b = EBX_TSX, .leaf7_d = EDX_CLIENT},
     IBRS | RSB | IBPB | STIBP | VERW | L1D | CODE_4K,
     2,
     7,
     0},
    {"Skylake server",
     {.smt = true, .leaf7_b = EBX_TSX, .leaf7_d = EDX_SERVER, .arch_caps = RSBA},
     IBRS | RSB | IBPB | STIBP | VERW | L1D | CODE_4K,
     2,
     7,
     RSBA},
    {"Cascade Lake with TSX",
     {.smt = true,
      .leaf7_b = EBX_TSX,
      .leaf7_d = EDX_SERVER,
      .arch_caps = RDCL_NO | IBRS_ALL | SKIP_L1D | MDS_NO | TSX_CTRL | FB_CLEAR},
     ENHANCED | RSB | IBPB | STIBP | VERW | CODE_4K,
     3,
     7,
     RDCL_NO | IBRS_ALL | SKIP_L1D | MDS_NO | FB_CLEAR},
    {"Ice Lake server",
     {.smt = true,
      .leaf7_b = BIT(4),
      .leaf7_d = EDX_SERVER,
      .arch_caps =
          RDCL_NO | IBRS_ALL | SKIP_L1D | MDS_NO | PSCHANGE_NO | TSX_CTRL | TAA_NO | FB_CLEAR},
     ENHANCED | RSB | IBPB | STIBP | VERW,
     3,
     7,
     RDCL_NO | IBRS_ALL | SKIP_L1D | MDS_NO | PSCHANGE_NO | TAA_NO | FB_CLEAR},
    {"one that has everything",
     {.leaf7_d = EDX_SERVER,
      .leaf7_2_d = BIT(2) | BIT(4),
      .arch_caps = RDCL_NO | IBRS_ALL | SKIP_L1D | MDS_NO | PSCHANGE_NO | TAA_NO | MMIO_NO | RRSBA |
                   PBRSB_NO},
     ENHANCED | IBPB | BHI,
     0x441,
     7,
     RDCL_NO | IBRS_ALL | SKIP_L1D | MDS_NO | PSCHANGE_NO | TAA_NO | MMIO_NO | RRSBA | PBRSB_NO},
    {"the same, without branch history injection",
     {.leaf7_d = EDX_SERVER,
      .leaf7_2_d = BIT(4),
      .arch_caps =
          RDCL_NO | IBRS_ALL | MDS_NO | PSCHANGE_NO | TAA_NO | MMIO_NO | BHI_NO | PBRSB_NO},
     ENHANCED | IBPB,
     1,
     7,
     RDCL_NO | IBRS_ALL | MDS_NO | PSCHANGE_NO | TAA_NO | MMIO_NO | BHI_NO | PBRSB_NO},
    {"Zen 1",
     {.amd = true, .family = 0x17, .smt = true, .ext8_b = BIT(12)},
     RSB | IBPB | EXIT_IBPB | LFENCE,
     0,
     0,
     0},
    {"Zen 2",
     {.amd = true,
      .family = 0x17,
      .model = 0x31,
      .smt = true,
      .ext8_b = BIT(12) | BIT(14) | BIT(15) | BIT(17) | BIT(24)},
     RSB | IBPB | EXIT_IBPB | STIBP | LFENCE | ZENBLEED,
     2,
     7,
     0},
    {"Hygon Dhyana without branch type confusion",
     {.amd = true, .family = 0x18, .model = 0x31, .ext8_b = BIT(12) | BIT(29)},
     RSB | IBPB | LFENCE,
     0,
     0,
     0},
    {"Zen 3",
     {.amd = true,
      .family = 0x19,
      .smt = true,
      .ext8_b = BIT(12) | BIT(14) | BIT(15) | BIT(17) | BIT(19) | BIT(24) | BIT(28)},
     RSB | IBPB | STIBP,
     2,
     0x87,
     0},
    {"Zen 3, microcode of 2023",
     {.amd = true, .family = 0x19, .ext21_a = BIT(27) | BIT(28), .ext8_b = BIT(12)},
     RSB | IBPB | EXIT_IBPB,
     0,
     0,
     0},
    {"Zen 4",
     {.amd = true,
      .family = 0x19,
      .smt = true,
      .ext21_a = BIT(2) | BIT(6) | BIT(8) | BIT(27) | BIT(28),
      .ext8_b = BIT(12) | BIT(14) | BIT(15) | BIT(17) | BIT(19) | BIT(24) | BIT(28)},
     AUTO | IBPB | EXIT_IBPB | STIBP,
     2,
     0x87,
     0},
    {"Zen 4, microcode of 2025",
     {.amd = true,
      .family = 0x19,
      .ext21_a = BIT(2) | BIT(5) | BIT(8) | BIT(28),
      .ext8_b = BIT(12) | BIT(14) | BIT(15) | BIT(24)},
     AUTO | IBPB | EXIT_IBPB | VERW,
     0,
     7,
     0},
    {"Zen 5",
     {.amd = true,
      .family = 0x1a,
      .ext21_a = BIT(2) | BIT(6) | BIT(8) | BIT(27) | BIT(28) | BIT(30) | BIT(31),
      .ext8_b = BIT(12) | BIT(14) | BIT(15) | BIT(24)},
     AUTO | IBPB | REDUCE,
     0,
     7,
     0},
    {"one that SRSO is not in",
     {.amd = true, .family = 0x19, .ext21_a = BIT(8) | BIT(28) | BIT(29), .ext8_b = BIT(12)},
     AUTO | IBPB,
     0,
     0,
     0},
    {"Excavator, whose LFENCE serializes already",
     {.amd = true, .family = 0x15, .model = 0x60, .ext21_a = BIT(2)},
     RSB,
     0,
     0,
     0},
    {"an emulated AMD CPU that offers nothing", {.amd = true}, RSB, 0, 0, 0},
};

START_TEST(decisions)
{
    struct spec s = spec_decide(&cpus_known[_i].cpu);
    bool ibrs = s.host_ctrl & SPEC_CTRL_IBRS;
    unsigned got = (s.ibrs_each ? IBRS : 0) | (ibrs && !s.ibrs_each ? ENHANCED : 0) |
                   (s.auto_ibrs ? AUTO : 0) | (s.rsb ? RSB : 0) | (s.ibpb ? IBPB : 0) |
                   (s.force_ctrl & SPEC_CTRL_STIBP ? STIBP : 0) | (s.verw ? VERW : 0) |
                   (s.l1d ? L1D : 0) | (s.host_ctrl & SPEC_CTRL_BHI_S ? BHI : 0) |
                   (s.code_4k ? CODE_4K : 0) | (s.ibpb_exit ? EXIT_IBPB : 0) |
                   (s.reduce ? REDUCE : 0) | (s.de_cfg & DE_CFG_LFENCE ? LFENCE : 0) |
                   (s.de_cfg & DE_CFG_FP_BACKUP ? ZENBLEED : 0);

    ck_assert_msg(got == cpus_known[_i].want, "%s: 0x%x, not 0x%x", cpus_known[_i].name, got,
                  cpus_known[_i].want);
    /* The hypervisor returns once before it writes its own value. */
    ck_assert(!(got & ENHANCED) || s.force_ctrl & SPEC_CTRL_IBRS);
    ck_assert_uint_eq(s.guest_ctrl, cpus_known[_i].guest_ctrl);
    ck_assert_uint_eq(s.ctrl_mask, cpus_known[_i].ctrl_mask);
    ck_assert_uint_eq(s.guest_caps, cpus_known[_i].guest_caps);
    ck_assert_uint_eq(s.has_ctrl, s.ctrl_mask != 0);
    ck_assert(s.has_ctrl || (!s.host_ctrl && !s.guest_ctrl)); /* no access to an MSR that is not */
    ck_assert_uint_eq(s.pred_mask & PRED_CMD_IBPB, s.ibpb);
}
END_TEST

/* What guests may do with the MSRs where there are none, and where there are. */
START_TEST(msrs)
{
    struct x86_vcpu v = {0};
    uint64_t value;

    ck_assert(!spec_msr_read(&v, MSR_SPEC_CTRL, &value) && !spec_msr_write(&v, MSR_SPEC_CTRL, 0));
    ck_assert(!spec_msr_write(&v, MSR_PRED_CMD, 0) && !spec_msr_read(&v, MSR_ARCH_CAPS, &value));
    spec = spec_decide(&cpus_known[2].cpu);
    ck_assert_uint_eq(spec_guest_ctrl(&v), SPEC_CTRL_STIBP);
    ck_assert(spec_msr_read(&v, MSR_SPEC_CTRL, &value) && !value);
    ck_assert(!spec_msr_write(&v, MSR_SPEC_CTRL, SPEC_CTRL_BHI_S)); /* not offered */
    ck_assert(!v.spec_used);
    ck_assert(spec_msr_write(&v, MSR_SPEC_CTRL, SPEC_CTRL_SSBD));
    ck_assert_uint_eq(spec_guest_ctrl(&v), SPEC_CTRL_SSBD | SPEC_CTRL_STIBP);
    ck_assert(spec_msr_read(&v, MSR_SPEC_CTRL, &value) && value == SPEC_CTRL_SSBD);
    ck_assert(spec_msr_read(&v, MSR_ARCH_CAPS, &value) && value == RSBA);
    ck_assert(!spec_msr_write(&v, MSR_ARCH_CAPS, 0));
    ck_assert(!spec_msr_read(&v, MSR_PRED_CMD, &value));
    ck_assert(spec_msr_write(&v, MSR_PRED_CMD, 0) && !spec_msr_write(&v, MSR_PRED_CMD, 2));
    ck_assert(!spec_msr_write(&v, MSR_FLUSH_CMD, 1));
    ck_assert(spec_owns(MSR_FLUSH_CMD) && !spec_owns(MSR_PAT));
}
END_TEST

bool rdmsr_safe(uint32_t msr, uint64_t *v)
{
    (void)msr, (void)v;
    return false;
}

void log_line(const char *fmt, ...)
{
    (void)fmt;
}

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, decisions, 0, ARRAY_SIZE(cpus_known));
    tcase_add_test(tc, msrs);
}

int main(void)
{
    return check_main("speculation", fill);
}

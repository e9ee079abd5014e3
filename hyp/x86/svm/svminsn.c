/* SPDX-License-Identifier: MIT */
/*
 * Lengths of the few instructions that exit, for CPUs that do not say where the next one is (next
 * RIP saving, APM 15.7.1). The CPU has decoded the instruction before: here only prefixes are
 * skipped and the opcode is looked at. What was read may differ from what ran when another vCPU
 * writes code at this moment; then the guest goes on at a place of its own choosing.
 */
#include "hyp/x86/copy.h"
#include "hyp/x86/svm/svm.h"

#define LONGEST 15

static bool is_rex(uint8_t b)
{
    return b >= 0x40 && b <= 0x4f;
}

static bool is_prefix(uint8_t b, bool code64)
{
    switch (b) {
    case 0x26: /* segments */
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66: /* sizes */
    case 0x67:
    case 0xf0: /* LOCK, REP */
    case 0xf2:
    case 0xf3:
        return true;
    default:
        return code64 && is_rex(b);
    }
}

uint32_t svminsn_decode(const uint8_t *p, unsigned n, bool code64, uint8_t *gpr)
{
    unsigned i = 0;

    *gpr = 0;

    while (i < n && is_prefix(p[i], code64))
        i++;
    if (i < n && (p[i] == 0xf4 || p[i] == 0x90)) /* HLT, PAUSE */
        return i + 1;
    if (i + 1 >= n || p[i] != 0x0f)
        return 0;
    switch (p[i + 1]) {
    case 0x01: /* VMMCALL, XSETBV and others with a third byte */
        return i + 2 < n && p[i + 2] >= 0xc0 ? i + 3 : 0;
    case 0x22: /* MOV to a control register; REX.B stands before the opcode */
        if (i + 2 >= n)
            return 0;
        *gpr =
            (uint8_t)((p[i + 2] & 7) | (code64 && i && is_rex(p[i - 1]) ? (p[i - 1] & 1) << 3 : 0));
        return i + 3;
    case 0x08: /* INVD */
    case 0x09: /* WBINVD */
    case 0x30: /* WRMSR */
    case 0x32: /* RDMSR */
    case 0xa2: /* CPUID */
        return i + 2;
    default:
        return 0;
    }
}

uint32_t svminsn_length(struct x86_vcpu *v, uint8_t *gpr)
{
    const struct vmcb *b = &svm_of(v)->vmcb;
    bool code64 = b->efer & EFER_LMA && b->cs.attr & SEGMENT_L;
    uint64_t at = code64 ? b->rip : (uint32_t)(b->cs.base + b->rip);
    unsigned room = (unsigned)(PAGE_SIZE - at % PAGE_SIZE), n = MIN(LONGEST, room);
    uint8_t bytes[LONGEST];

    if (copy_from_guest(v, bytes, mk_gva(at), n))
        return 0;
    if (n < LONGEST && !copy_from_guest(v, bytes + n, mk_gva(at + n), LONGEST - n))
        n = LONGEST;
    return svminsn_decode(bytes, n, code64, gpr);
}

/* SPDX-License-Identifier: MIT */
/*
 * Lengths of the few instructions that exit, for CPUs that do not say where the next one is (next
 * RIP saving, APM 15.7.1). The CPU has decoded the instruction before: here only prefixes are
 * skipped and the opcode is looked at. What was read may differ from what ran when another vCPU
 * writes code at this moment; then the guest goes on at a place of its own choosing.
 */
#include "hyp/x86/copy.h"
#include "hyp/x86/svm/svm.h"
#include "mm/arch.h"

#define LONGEST    15
#define OPCODE_HLT 0xf4

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
    case 0x64 ... 0x67: /* two more, sizes */
    case 0xf0:          /* LOCK, REP */
    case 0xf2 ... 0xf3:
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
    if (i < n && (p[i] == OPCODE_HLT || p[i] == 0x90)) /* HLT, PAUSE */
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

/* The byte that tells the instruction of this exit from the others; 0: unknown. */
static uint8_t opcode_of(const struct vmcb *b)
{
    switch (b->exit_code) {
    case SVM_EXIT_CPUID:
        return 0xa2;
    case SVM_EXIT_MSR:
        return b->exit_info1 & 1 ? 0x30 : 0x32;
    case SVM_EXIT_VMMCALL:
    case SVM_EXIT_XSETBV:
        return 0x01;
    case SVM_EXIT_HLT:
        return OPCODE_HLT;
    default:
        return 0;
    }
}

/* The length of the instruction with this opcode at p; 0: another one is there. */
static uint32_t length_of(const uint8_t *p, uint8_t opcode, bool code64)
{
    uint8_t gpr;
    uint32_t n;

    if (p[0] == 0x0f && p[1] == opcode) /* as it nearly always is: no prefix */
        return opcode != 0x01 ? 2 : p[2] >= 0xc0 ? 3 : 0;
    n = svminsn_decode(p, LONGEST, code64, &gpr);
    if (opcode == 0x01)
        return n >= 3 && p[n - 2] == opcode ? n : 0;
    return n && p[n - 1] == opcode ? n : 0;
}

static struct svm_code *code_of(struct x86_vcpu *v, uint64_t at)
{
    return &svm_of(v)->code[at / PAGE_SIZE % SVM_CODES];
}

/*
 * The length, if the page that RIP is in is where it was last time. The guest may have moved it
 * without our notice: what is found must be the instruction that exited, else 0: all is read anew.
 */
static uint32_t length_here(struct x86_vcpu *v, uint64_t at, bool code64)
{
    struct svm_code *c = code_of(v, at);
    struct p2m *p = &v->dom->p2m;
    unsigned offset = at % PAGE_SIZE;
    uint8_t opcode = opcode_of(&svm_of(v)->vmcb), *window;
    struct locked held;
    enum p2m_type t;
    uint32_t n = 0;

    if (!opcode || at - offset != c->page || offset > PAGE_SIZE - LONGEST)
        return 0;
    held = spin_lock(&p->lock);
    if (p->ram_gen != c->gen) {
        c->frame = p2m_peek(p, c->gfn, false, &t, held);
        c->gen = t == P2M_RAM ? p->ram_gen : ~0UL;
    }
    if (!hfn_eq(c->frame, HFN_NONE)) {
        window = arch_slot_map(c->frame);
        n = length_of(window + offset, opcode, code64);
        arch_slot_unmap(window);
    }
    spin_unlock(&p->lock);
    return n;
}

/* Notes where the page of RIP is. */
static void remember(struct x86_vcpu *v, uint64_t at)
{
    struct svm_code *c = code_of(v, at);
    gpa_t gpa;

    *c = (struct svm_code){.page = ~0UL};
    if (!guest_walk(v, mk_gva(at), false, &gpa))
        *c = (struct svm_code){at & PAGE_MASK, gpa_to_gfn(gpa), ~0UL, HFN_NONE};
}

/* The linear address of the next instruction. */
static uint64_t next_insn(const struct vmcb *b, bool *code64)
{
    const struct segment *cs = &b->segments[SEG_CS];

    *code64 = b->efer & EFER_LMA && cs->attr & SEGMENT_L;
    return *code64 ? b->rip : (uint32_t)(cs->base + b->rip);
}

bool svminsn_at_hlt(struct x86_vcpu *v)
{
    uint8_t opcode;
    bool code64;
    uint64_t at = next_insn(&svm_of(v)->vmcb, &code64);

    return !copy_from_guest(v, &opcode, mk_gva(at), 1) && opcode == OPCODE_HLT;
}

uint32_t svminsn_length(struct x86_vcpu *v, uint8_t *gpr)
{
    bool code64;
    uint64_t at = next_insn(&svm_of(v)->vmcb, &code64);
    unsigned room = (unsigned)(PAGE_SIZE - at % PAGE_SIZE), n = MIN(LONGEST, room);
    uint32_t length = length_here(v, at, code64);
    uint8_t bytes[LONGEST];

    if (length || copy_from_guest(v, bytes, mk_gva(at), n))
        return length;
    if (n < LONGEST && !copy_from_guest(v, bytes + n, mk_gva(at + n), LONGEST - n))
        n = LONGEST;
    remember(v, at);
    return svminsn_decode(bytes, n, code64, gpr);
}

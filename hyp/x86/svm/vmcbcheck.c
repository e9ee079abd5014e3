/* SPDX-License-Identifier: MIT */
/* Which fields stand behind which clean bit: APM vol. 2 ch. 15.15.3. */
#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/svm/svm.h"

/* From one field to before another. */
#define FIELDS(bit, first, after)                                                                  \
    {                                                                                              \
        (bit), offsetof(struct vmcb, first), offsetof(struct vmcb, after)                          \
    }
static const struct {
    uint64_t bit;
    size_t from, to;
} fields[] = {
    FIELDS(CLEAN_INTERCEPTS, cr_read, reserved0),
    FIELDS(CLEAN_INTERCEPTS, pause_threshold, iopm),
    FIELDS(CLEAN_INTERCEPTS, tsc_offset, asid),
    FIELDS(CLEAN_BITMAPS, iopm, tsc_offset),
    FIELDS(CLEAN_ASID, asid, tlb_control),
    FIELDS(CLEAN_VINTR, vintr, shadow),
    FIELDS(CLEAN_NP, nested, reserved1),
    FIELDS(CLEAN_NP, ncr3, lbr),
    FIELDS(CLEAN_NP, pat, reserved10),
    FIELDS(CLEAN_CR, efer, reserved6),
    FIELDS(CLEAN_CR, cr4, dr7),
    FIELDS(CLEAN_DR, dr7, rflags),
    FIELDS(CLEAN_DT, segments[SEG_GDT], segments[SEG_LDT]),
    FIELDS(CLEAN_DT, segments[SEG_IDT], segments[SEG_TR]),
    FIELDS(CLEAN_SEGMENTS, segments[SEG_ES], segments[SEG_FS]),
    FIELDS(CLEAN_SEGMENTS, cpl, reserved5),
    FIELDS(CLEAN_CR2, cr2, reserved9),
};

void vmcbcheck_left(struct svm_vcpu *x)
{
    memcpy(x->left, &x->vmcb, sizeof(x->left));
    x->left_on = this_cpu();
}

void vmcbcheck_enter(const struct svm_vcpu *x)
{
    const uint8_t *now = (const uint8_t *)&x->vmcb;

    if (x->vmcb.clean && x->left_on != this_cpu())
        panic("VMCB: clean bits 0x%x on another CPU", x->vmcb.clean);
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
        size_t at = fields[i].from, size = fields[i].to - at;

        if (x->vmcb.clean & fields[i].bit && memcmp(now + at, x->left + at, size))
            panic("VMCB: clean bits 0x%x, but a field from 0x%lx on has changed", x->vmcb.clean,
                  at);
    }
}

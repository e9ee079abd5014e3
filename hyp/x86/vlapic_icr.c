/* SPDX-License-Identifier: MIT */
/* Interprocessor interrupts (SDM vol. 3 11.6.1 and 11.12.9). */
#include "hyp/x86/regs.h"
#include "hyp/x86/upcall.h"

#define ICR_LOGICAL     BIT(11)
#define ICR_ASSERT      BIT(14)
#define ICR_LEVEL       BIT(15)
#define ICR_RESERVED    0xfff33000UL /* of the low half; bit 12, delivery status, is gone too */
#define BROADCAST       0xffffffffU
#define ESR_SEND_VECTOR BIT(5)

enum mode { FIXED, LOWEST, SMI, RESERVED, NMI, INIT, SIPI };
enum shorthand { NONE, SELF, ALL, OTHERS };

static bool matches(const struct x86_vcpu *t, uint32_t dest, bool logical)
{
    uint32_t id = vlapic_id(t);

    if (dest == BROADCAST)
        return true;
    return logical ? dest >> 16 == id >> 4 && (dest & 0xffff) >> (id & 15) & 1 : dest == id;
}

static void send(struct x86_vcpu *v, struct x86_vcpu *t, enum mode mode, uint8_t vector, bool off)
{
    switch (mode) {
    case FIXED:
    case LOWEST:
        vlapic_raise(t, vector);
        break;
    case NMI:
        __atomic_store_n(&t->nmi_pending, true, __ATOMIC_SEQ_CST);
        upcall_notify(t);
        break;
    case INIT:
        if (!off)
            upcall_init(t);
        break;
    case SIPI:
        if (!upcall_sipi(t, vector))
            v->retry = true; /* SIPI that have arrived are ignored the second time */
        break;
    default:
        break;
    }
}

bool vlapic_icr(struct x86_vcpu *v, uint64_t icr)
{
    enum shorthand to = icr >> 18 & 3;
    enum mode mode = icr >> 8 & 7;
    uint32_t dest = (uint32_t)(icr >> 32);
    bool off = icr & ICR_LEVEL && !(icr & ICR_ASSERT); /* INIT level de-assert: does nothing */

    if (icr & ICR_RESERVED)
        return false;
    v->vlapic.icr = icr;
    if (mode <= LOWEST && (uint8_t)icr < 16) {
        __atomic_fetch_or(&v->vlapic.esr_pending, ESR_SEND_VECTOR, __ATOMIC_RELAXED);
        return true;
    }
    for (uint32_t i = 0; i < v->dom->nvcpus; i++) {
        struct x86_vcpu *t = v->dom->vcpus[i];
        bool self = t == v;

        if (to == NONE ? !matches(t, dest, icr & ICR_LOGICAL)
                       : (to == SELF && !self) || (to == OTHERS && self))
            continue;
        send(v, t, mode, (uint8_t)icr, off);
        if (mode == LOWEST)
            break;
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Registers of the emulated local APIC; what it sends to other vCPUs is in vlapic_icr.c. */
#include "hyp/x86/vlapic.h"

#include "hyp/lib/string.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/upcall.h"
#include "hyp/x86/vendor.h"

#define VERSION         0x50014U /* six LVT entries */
#define SVR_ENABLE      BIT(8)
#define SVR_MASK        0x1ffU
#define LVT_VECTOR      0xffU
#define LVT_DELIVERY    0x700U
#define LVT_PIN         0xa000U /* polarity, trigger */
#define TIMER_MODE      (3U << 17)
#define ESR_RECV_VECTOR BIT(6)
#define APIC_BASE_VALUE 0xfee00c00UL /* enabled, x2APIC mode */
#define APIC_BASE_BSP   BIT(8)
#define MIN_PERIOD      100000UL /* ns: no faster periodic interrupts */

#define READABLE                                                                                   \
    (BIT(APIC_ID) | BIT(APIC_VERSION) | BIT(APIC_TPR) | BIT(APIC_PPR) | BIT(APIC_LDR) |            \
     BIT(APIC_SVR) | 0xffUL << APIC_ISR | 0xffUL << APIC_TMR | 0xffUL << APIC_IRR |                \
     BIT(APIC_ESR) | BIT(APIC_ICR) | 0x3fUL << APIC_LVT_TIMER | BIT(APIC_TIMER_INITIAL) |          \
     BIT(APIC_TIMER_CURRENT) | BIT(APIC_DIVIDE))

/* Registers that keep what a guest writes: the bits it may set. */
static const uint32_t writable[APIC_REGS] = {
    [APIC_TPR] = 0xff,
    [APIC_SVR] = SVR_MASK,
    [APIC_LVT_TIMER] = LVT_MASKED | LVT_VECTOR | TIMER_MODE,
    [APIC_LVT_THERMAL] = LVT_MASKED | LVT_DELIVERY | LVT_VECTOR,
    [APIC_LVT_PMC] = LVT_MASKED | LVT_DELIVERY | LVT_VECTOR,
    [APIC_LVT_LINT0] = LVT_MASKED | LVT_PIN | LVT_DELIVERY | LVT_VECTOR,
    [APIC_LVT_LINT1] = LVT_MASKED | LVT_PIN | LVT_DELIVERY | LVT_VECTOR,
    [APIC_LVT_ERROR] = LVT_MASKED | LVT_VECTOR,
    [APIC_DIVIDE] = 0xb,
};

uint32_t vlapic_id(const struct x86_vcpu *v)
{
    return 2 * v->id;
}

void vlapic_reset(struct x86_vcpu *v)
{
    struct vlapic *l = &v->vlapic;
    uint32_t id = vlapic_id(v);

    timer_cancel(&l->timer);
    memset(l, 0, offsetof(struct vlapic, timer));
    l->reg[APIC_ID] = id;
    l->reg[APIC_VERSION] = VERSION;
    l->reg[APIC_LDR] = (id >> 4) << 16 | 1U << (id & 15);
    l->reg[APIC_SVR] = 0xff;
    for (unsigned i = APIC_LVT_TIMER; i <= APIC_LVT_ERROR; i++)
        l->reg[i] = LVT_MASKED;
}

/* Mostly there is none: that is found out first. */
static int highest(const uint32_t *words)
{
    const uint64_t *pairs = (const void *)words;
    uint64_t any = 0;

    for (int i = 0; i < 4; i++)
        any |= READ_ONCE(pairs[i]);
    for (int i = 7; any && i >= 0; i--) {
        uint32_t w = READ_ONCE(words[i]);

        if (w)
            return 32 * i + 31 - __builtin_clz(w);
    }
    return -1;
}

void vlapic_sync(struct x86_vcpu *v)
{
    uint8_t cr8 = vendor->get_tpr(v);

    if (cr8 != v->vlapic.reg[APIC_TPR] >> 4)
        v->vlapic.reg[APIC_TPR] = (uint32_t)cr8 << 4;
}

/* Processor priority: SDM vol. 3 11.8.3.1. */
static uint32_t ppr(const struct vlapic *l)
{
    int isr = highest(&l->reg[APIC_ISR]);
    uint32_t tpr = l->reg[APIC_TPR];

    if (isr >= 0 && (uint32_t)isr >> 4 >= tpr >> 4)
        return (uint32_t)isr & 0xf0;
    return tpr;
}

int vlapic_pending(const struct x86_vcpu *v)
{
    int irr = highest(&v->vlapic.reg[APIC_IRR]);

    if (irr < 0 || (uint32_t)irr >> 4 <= ppr(&v->vlapic) >> 4)
        return -1;
    return irr;
}

int vlapic_behind_tpr(const struct x86_vcpu *v)
{
    int irr = highest(&v->vlapic.reg[APIC_IRR]), isr;

    if (irr < 0)
        return -1;
    isr = highest(&v->vlapic.reg[APIC_ISR]);
    return isr < 0 || irr >> 4 > isr >> 4 ? irr : -1;
}

void vlapic_raise(struct x86_vcpu *v, uint8_t vector)
{
    uint32_t bit = 1U << vector % 32;
    struct vlapic *l = &v->vlapic;

    if (vector < 16) {
        __atomic_fetch_or(&l->esr_pending, ESR_RECV_VECTOR, __ATOMIC_RELAXED);
        return;
    }
    if (!(__atomic_fetch_or(&l->reg[APIC_IRR + vector / 32], bit, __ATOMIC_SEQ_CST) & bit))
        upcall_notify(v);
}

void vlapic_accept(struct x86_vcpu *v, uint8_t vector)
{
    __atomic_fetch_and(&v->vlapic.reg[APIC_IRR + vector / 32], ~(1U << vector % 32),
                       __ATOMIC_SEQ_CST);
    v->vlapic.reg[APIC_ISR + vector / 32] |= 1U << vector % 32;
}

static uint32_t timer_mode(const struct vlapic *l)
{
    return READ_ONCE(l->reg[APIC_LVT_TIMER]) & TIMER_MODE;
}

static void raise_lvt(struct x86_vcpu *v, uint32_t lvt)
{
    if (!(lvt & LVT_MASKED) && v->vlapic.reg[APIC_SVR] & SVR_ENABLE)
        vlapic_raise(v, (uint8_t)lvt);
}

void vlapic_timer(struct timer *t)
{
    struct x86_vcpu *v = container_of(t, struct x86_vcpu, vlapic.timer);
    struct vlapic *l = &v->vlapic;

    raise_lvt(v, READ_ONCE(l->reg[APIC_LVT_TIMER]));
    l->tsc_deadline = 0; /* SDM vol. 3 11.5.4.1 */
    if (timer_mode(l) == LVT_PERIODIC && l->timer_period) {
        uint64_t now = now_ns();

        l->timer_start += l->timer_period;
        if (l->timer_start + l->timer_period < now) /* do not make up for what was missed */
            l->timer_start = now;
        timer_set(t, l->timer_start + l->timer_period);
    }
}

static unsigned divide_shift(uint32_t dcr)
{
    return (((dcr & 3) | (dcr >> 1 & 4)) + 1) & 7;
}

/* The timer counts nanoseconds: its bus runs at 1 GHz. */
static void start_timer(struct x86_vcpu *v, uint32_t count)
{
    struct vlapic *l = &v->vlapic;

    timer_cancel(&l->timer);
    if (timer_mode(l) == LVT_TSC_DEADLINE)
        return;
    l->reg[APIC_TIMER_INITIAL] = count;
    l->timer_period = (uint64_t)count << divide_shift(l->reg[APIC_DIVIDE]);
    if (!count)
        return;
    if (timer_mode(l) == LVT_PERIODIC)
        l->timer_period = MAX(l->timer_period, MIN_PERIOD);
    l->timer_start = now_ns();
    timer_set(&l->timer, l->timer_start + l->timer_period);
}

static uint32_t current_count(const struct vlapic *l)
{
    uint64_t gone;

    if (!l->timer_period || timer_mode(l) == LVT_TSC_DEADLINE)
        return 0;
    gone = now_ns() - l->timer_start;
    if (gone >= l->timer_period)
        return 0;
    return (uint32_t)((l->timer_period - gone) >> divide_shift(l->reg[APIC_DIVIDE]));
}

static void set_deadline(struct x86_vcpu *v, uint64_t tsc)
{
    const struct tsc *t = &v->dom->tsc;
    struct vlapic *l = &v->vlapic;
    int64_t left;

    if (timer_mode(l) != LVT_TSC_DEADLINE)
        return;
    timer_cancel(&l->timer);
    l->tsc_deadline = tsc;
    if (!tsc)
        return;
    left = (int64_t)(tsc - tsc_at(t, rdtsc()));
    timer_set(&l->timer, left <= 0 ? 0 : now_ns() + tsc_ns((uint64_t)left, t->mul, t->shift));
}

/* The timer's LVT entry becomes value. */
static void stop_in_other_mode(struct x86_vcpu *v, uint32_t value)
{
    struct vlapic *l = &v->vlapic;

    if (!((l->reg[APIC_LVT_TIMER] ^ value) & TIMER_MODE))
        return;
    timer_cancel(&l->timer);
    l->timer_period = 0;
    l->reg[APIC_TIMER_INITIAL] = 0;
    l->tsc_deadline = 0;
}

static void end_of_interrupt(struct vlapic *l)
{
    int vector = highest(&l->reg[APIC_ISR]);

    if (vector >= 0)
        l->reg[APIC_ISR + vector / 32] &= ~(1U << vector % 32);
}

/* A word that others than v's CPU write is read whole. */
static bool read_reg(struct x86_vcpu *v, uint32_t reg, uint64_t *value)
{
    const struct vlapic *l = &v->vlapic;

    if (reg >= APIC_REGS || !(READABLE >> reg & 1))
        return false;
    if (reg == APIC_PPR)
        *value = ppr(l);
    else if (reg == APIC_ICR)
        *value = l->icr;
    else if (reg == APIC_TIMER_CURRENT)
        *value = current_count(l);
    else
        *value = READ_ONCE(l->reg[reg]);
    return true;
}

bool vlapic_read(struct x86_vcpu *v, uint32_t msr, uint64_t *value)
{
    vlapic_sync(v);
    if (msr == MSR_APIC_BASE)
        *value = APIC_BASE_VALUE | (v->id ? 0 : APIC_BASE_BSP);
    else if (msr == MSR_TSC_DEADLINE)
        *value = timer_mode(&v->vlapic) == LVT_TSC_DEADLINE ? v->vlapic.tsc_deadline : 0;
    else
        return read_reg(v, msr - MSR_X2APIC, value);
    return true;
}

static bool write_plain(struct x86_vcpu *v, uint32_t reg, uint64_t value)
{
    uint64_t mask = reg < APIC_REGS ? writable[reg] : 0;

    if (!mask || value & ~mask || (reg == APIC_LVT_TIMER && (value & TIMER_MODE) == TIMER_MODE))
        return false;
    if (reg == APIC_LVT_TIMER)
        stop_in_other_mode(v, (uint32_t)value);
    WRITE_ONCE(v->vlapic.reg[reg], (uint32_t)value);
    if (reg == APIC_TPR)
        vendor->set_tpr(v, (uint8_t)(value >> 4));
    return true;
}

/* Reserved bits and registers that cannot be written: #GP (SDM vol. 3 11.12.1.3). */
static bool write_reg(struct x86_vcpu *v, uint32_t reg, uint64_t value)
{
    struct vlapic *l = &v->vlapic;

    switch (reg) {
    case APIC_EOI:
        if (value)
            return false;
        end_of_interrupt(l);
        break;
    case APIC_ESR:
        if (value)
            return false;
        l->reg[APIC_ESR] = __atomic_exchange_n(&l->esr_pending, 0, __ATOMIC_RELAXED);
        return true;
    case APIC_ICR:
        return vlapic_icr(v, value);
    case APIC_SELF_IPI:
        if (value >> 8)
            return false;
        vlapic_raise(v, (uint8_t)value);
        break;
    case APIC_TIMER_INITIAL:
        if (value >> 32)
            return false;
        start_timer(v, (uint32_t)value);
        return true;
    default:
        if (!write_plain(v, reg, value))
            return false;
    }
    v->notified = true;
    return true;
}

bool vlapic_write(struct x86_vcpu *v, uint32_t msr, uint64_t value)
{
    uint64_t base;

    vlapic_sync(v);
    if (msr == MSR_APIC_BASE)
        return vlapic_read(v, msr, &base) && value == base; /* the mode is fixed */
    if (msr != MSR_TSC_DEADLINE)
        return write_reg(v, msr - MSR_X2APIC, value);
    set_deadline(v, value);
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Registers of the emulated local APIC; what it sends to other vCPUs is in vlapic_icr.c. */
#include "hyp/x86/vlapic.h"

#include "hyp/lib/string.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/upcall.h"
#include "hyp/x86/vendor.h"
#include "hyp/x86/vlapic_reg.h"

#define VERSION         0x50014U /* six LVT entries */
#define SVR_ENABLE      BIT(8)
#define SVR_MASK        0x1ffU
#define LVT_MASKED      BIT(16)
#define LVT_VECTOR      0xffU
#define TIMER_MODE      (3U << 17)
#define PERIODIC        (1U << 17)
#define TSC_DEADLINE    (2U << 17)
#define ESR_RECV_VECTOR BIT(6)
#define APIC_BASE_VALUE 0xfee00c00UL /* enabled, x2APIC mode */
#define APIC_BASE_BSP   BIT(8)
#define MIN_PERIOD      100000UL /* ns: no faster periodic interrupts */

uint32_t vlapic_id(const struct x86_vcpu *v)
{
    return 2 * v->id;
}

void vlapic_reset(struct x86_vcpu *v)
{
    struct vlapic *l = &v->vlapic;

    timer_cancel(&l->timer);
    memset(l, 0, offsetof(struct vlapic, timer));
    l->svr = 0xff;
    l->lvt_timer = l->lvt_thermal = l->lvt_pmc = LVT_MASKED;
    l->lvt_lint0 = l->lvt_lint1 = l->lvt_error = LVT_MASKED;
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

    if (cr8 != v->vlapic.tpr >> 4)
        v->vlapic.tpr = (uint32_t)cr8 << 4;
}

/* Processor priority: SDM vol. 3 11.8.3.1. */
static uint32_t ppr(const struct vlapic *l)
{
    int isr = highest(l->isr);

    if (isr >= 0 && (uint32_t)isr >> 4 >= l->tpr >> 4)
        return (uint32_t)isr & 0xf0;
    return l->tpr;
}

int vlapic_pending(const struct x86_vcpu *v)
{
    int irr = highest(v->vlapic.irr);

    if (irr < 0 || (uint32_t)irr >> 4 <= ppr(&v->vlapic) >> 4)
        return -1;
    return irr;
}

int vlapic_behind_tpr(const struct x86_vcpu *v)
{
    int irr = highest(v->vlapic.irr), isr;

    if (irr < 0)
        return -1;
    isr = highest(v->vlapic.isr);
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
    if (!(__atomic_fetch_or(&l->irr[vector / 32], bit, __ATOMIC_SEQ_CST) & bit))
        upcall_notify(v);
}

void vlapic_accept(struct x86_vcpu *v, uint8_t vector)
{
    __atomic_fetch_and(&v->vlapic.irr[vector / 32], ~(1U << vector % 32), __ATOMIC_SEQ_CST);
    v->vlapic.isr[vector / 32] |= 1U << vector % 32;
}

static void raise_lvt(struct x86_vcpu *v, uint32_t lvt)
{
    if (!(lvt & LVT_MASKED) && v->vlapic.svr & SVR_ENABLE)
        vlapic_raise(v, (uint8_t)lvt);
}

void vlapic_timer(struct timer *t)
{
    struct x86_vcpu *v = container_of(t, struct x86_vcpu, vlapic.timer);
    struct vlapic *l = &v->vlapic;

    raise_lvt(v, READ_ONCE(l->lvt_timer));
    if ((READ_ONCE(l->lvt_timer) & TIMER_MODE) == PERIODIC && l->timer_period) {
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
    if ((l->lvt_timer & TIMER_MODE) == TSC_DEADLINE)
        return;
    l->timer_initial = count;
    l->timer_period = (uint64_t)count << divide_shift(l->timer_divide);
    if (!count)
        return;
    if ((l->lvt_timer & TIMER_MODE) == PERIODIC)
        l->timer_period = MAX(l->timer_period, MIN_PERIOD);
    l->timer_start = now_ns();
    timer_set(&l->timer, l->timer_start + l->timer_period);
}

static uint32_t current_count(const struct vlapic *l)
{
    uint64_t gone;

    if (!l->timer_period || (l->lvt_timer & TIMER_MODE) == TSC_DEADLINE)
        return 0;
    gone = now_ns() - l->timer_start;
    if (gone >= l->timer_period)
        return 0;
    return (uint32_t)((l->timer_period - gone) >> divide_shift(l->timer_divide));
}

static void set_deadline(struct x86_vcpu *v, uint64_t tsc)
{
    const struct tsc *t = &v->dom->tsc;
    struct vlapic *l = &v->vlapic;
    int64_t left;

    if ((l->lvt_timer & TIMER_MODE) != TSC_DEADLINE)
        return;
    timer_cancel(&l->timer);
    l->tsc_deadline = tsc;
    if (!tsc)
        return;
    left = (int64_t)(tsc - tsc_at(t, rdtsc()));
    timer_set(&l->timer, left <= 0 ? 0 : now_ns() + tsc_ns((uint64_t)left, t->mul, t->shift));
}

static void write_lvt_timer(struct x86_vcpu *v, uint32_t value)
{
    struct vlapic *l = &v->vlapic;

    if ((l->lvt_timer ^ value) & TIMER_MODE) {
        timer_cancel(&l->timer);
        l->timer_period = 0;
        l->timer_initial = 0;
        l->tsc_deadline = 0;
    }
    WRITE_ONCE(l->lvt_timer, value);
}

static void end_of_interrupt(struct vlapic *l)
{
    int vector = highest(l->isr);

    if (vector >= 0)
        l->isr[vector / 32] &= ~(1U << vector % 32);
}

/* Registers that are a plain word; NULL: others. *mask: bits a guest may write. */
static uint32_t *plain(struct vlapic *l, uint32_t reg, uint32_t *mask)
{
    *mask = LVT_MASKED | LVT_VECTOR | 0x700;
    switch (reg) {
    case REG_TPR:
        *mask = 0xff;
        return &l->tpr;
    case REG_SVR:
        *mask = SVR_MASK;
        return &l->svr;
    case REG_LVT_TIMER:
        *mask = LVT_MASKED | LVT_VECTOR | TIMER_MODE;
        return &l->lvt_timer;
    case REG_LVT_THERMAL:
        return &l->lvt_thermal;
    case REG_LVT_PMC:
        return &l->lvt_pmc;
    case REG_LVT_LINT0:
        *mask |= 0xa000;
        return &l->lvt_lint0;
    case REG_LVT_LINT1:
        *mask |= 0xa000;
        return &l->lvt_lint1;
    case REG_LVT_ERROR:
        *mask = LVT_MASKED | LVT_VECTOR;
        return &l->lvt_error;
    case REG_DIVIDE:
        *mask = 0xb;
        return &l->timer_divide;
    default:
        return NULL;
    }
}

static bool read_reg(struct x86_vcpu *v, uint32_t reg, uint64_t *value)
{
    struct vlapic *l = &v->vlapic;
    uint32_t mask, id = vlapic_id(v), *word = plain(l, reg, &mask);

    if (reg == REG_ID)
        *value = id;
    else if (reg == REG_VERSION)
        *value = VERSION;
    else if (reg == REG_PPR)
        *value = ppr(l);
    else if (reg == REG_LDR)
        *value = (id >> 4) << 16 | 1U << (id & 15);
    else if (reg >= REG_ISR && reg < REG_ISR + 8)
        *value = l->isr[reg - REG_ISR];
    else if (reg >= REG_TMR && reg < REG_TMR + 8)
        *value = 0;
    else if (reg >= REG_IRR && reg < REG_IRR + 8)
        *value = READ_ONCE(l->irr[reg - REG_IRR]);
    else if (reg == REG_ESR)
        *value = l->esr;
    else if (reg == REG_ICR)
        *value = l->icr;
    else if (reg == REG_TIMER_INITIAL)
        *value = l->timer_initial;
    else if (reg == REG_TIMER_CURRENT)
        *value = current_count(l);
    else if (word)
        *value = *word;
    else
        return false;
    return true;
}

bool vlapic_read(struct x86_vcpu *v, uint32_t msr, uint64_t *value)
{
    vlapic_sync(v);
    if (msr == MSR_APIC_BASE)
        *value = APIC_BASE_VALUE | (v->id ? 0 : APIC_BASE_BSP);
    else if (msr == MSR_TSC_DEADLINE)
        *value = (v->vlapic.lvt_timer & TIMER_MODE) == TSC_DEADLINE ? v->vlapic.tsc_deadline : 0;
    else
        return read_reg(v, msr - MSR_X2APIC, value);
    return true;
}

static bool write_plain(struct x86_vcpu *v, uint32_t reg, uint64_t value)
{
    uint32_t mask, *word = plain(&v->vlapic, reg, &mask);

    if (!word || value & ~(uint64_t)mask ||
        (reg == REG_LVT_TIMER && (value & TIMER_MODE) == TIMER_MODE))
        return false;
    if (reg == REG_LVT_TIMER)
        write_lvt_timer(v, (uint32_t)value);
    else
        WRITE_ONCE(*word, (uint32_t)value);
    if (reg == REG_TPR)
        vendor->set_tpr(v, (uint8_t)(value >> 4));
    return true;
}

/* Reserved bits and registers that cannot be written: #GP (SDM vol. 3 11.12.1.3). */
static bool write_reg(struct x86_vcpu *v, uint32_t reg, uint64_t value)
{
    struct vlapic *l = &v->vlapic;

    switch (reg) {
    case REG_EOI:
        if (value)
            return false;
        end_of_interrupt(l);
        break;
    case REG_ESR:
        if (value)
            return false;
        l->esr = __atomic_exchange_n(&l->esr_pending, 0, __ATOMIC_RELAXED);
        return true;
    case REG_ICR:
        return vlapic_icr(v, value);
    case REG_SELF_IPI:
        if (value >> 8)
            return false;
        vlapic_raise(v, (uint8_t)value);
        break;
    case REG_TIMER_INITIAL:
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

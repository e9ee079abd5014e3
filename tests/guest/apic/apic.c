/* SPDX-License-Identifier: MIT */
/* The emulated x2APIC: registers, self-IPI, priorities, timer; MSRs and instructions we refuse. */
#include "tests/guest/probe.h"

#define X2APIC(reg)  (0x800 + (reg))
#define ID           X2APIC(0x02)
#define TPR          X2APIC(0x08)
#define PPR          X2APIC(0x0a)
#define EOI          X2APIC(0x0b)
#define SVR          X2APIC(0x0f)
#define ISR          X2APIC(0x10)
#define IRR          X2APIC(0x20)
#define LVT_TIMER    X2APIC(0x32)
#define TIMER_COUNT  X2APIC(0x38)
#define TIMER_NOW    X2APIC(0x39)
#define TIMER_DIVIDE X2APIC(0x3e)
#define SELF_IPI     X2APIC(0x3f)
#define VECTOR       0x41
#define GP           13
#define UD           6
#define MS           1000000UL

static uint64_t reg(uint32_t msr)
{
    uint64_t value;

    EQUAL(probe_rdmsr(msr, &value), -1);
    return value;
}

/* The vector has no gate: taking it is #GP, which is how we see that it was taken. */
static void window(uint64_t arg)
{
    (void)arg;
    __asm__ volatile("sti; nop; nop; cli");
}

static bool bit(uint32_t base, unsigned vector)
{
    return reg(base + vector / 32) >> vector % 32 & 1;
}

static void registers(void)
{
    uint64_t value;

    EQUAL(reg(0x1b), 0xfee00000 | 1 << 11 | 1 << 10 | 1 << 8);
    EQUAL(probe_wrmsr(0x1b, 0xfee00900), GP); /* back to xAPIC mode */
    EQUAL(reg(ID), 0);
    EQUAL(reg(X2APIC(3)) & 0xff, 0x14);
    EQUAL(probe_wrmsr(ID, 1), GP);
    EQUAL(probe_wrmsr(SVR, 0x1ff), -1);
    EQUAL(reg(SVR), 0x1ff);
    EQUAL(probe_wrmsr(SVR, 1UL << 40), GP);
    EQUAL(probe_wrmsr(EOI, 1), GP);
    EQUAL(probe_rdmsr(EOI, &value), GP);
    EQUAL(probe_rdmsr(X2APIC(0x0e), &value), GP);
    EQUAL(probe_rdmsr(X2APIC(0x31), &value), GP);
}

static void interrupts(void)
{
    EQUAL(probe_wrmsr(SELF_IPI, VECTOR), -1);
    TRUE(bit(IRR, VECTOR));
    TRUE(!bit(ISR, VECTOR));
    EQUAL(probe_wrmsr(TPR, 0x40), -1); /* as high as the vector: holds it back */
    EQUAL(probe_trap(window, 0), -1);
    TRUE(bit(IRR, VECTOR));
    EQUAL(probe_wrmsr(TPR, 0x30), -1);
    EQUAL(probe_trap(window, 0), GP);
    TRUE(!bit(IRR, VECTOR));
    TRUE(bit(ISR, VECTOR));
    EQUAL(reg(PPR) & 0xf0, 0x40);
    EQUAL(probe_wrmsr(SELF_IPI, VECTOR + 1), -1); /* the same class: waits for EOI */
    EQUAL(probe_trap(window, 0), -1);
    EQUAL(probe_wrmsr(EOI, 0), -1);
    EQUAL(probe_trap(window, 0), GP);
    EQUAL(probe_wrmsr(EOI, 0), -1);
    TRUE(!bit(ISR, VECTOR + 1));
    EQUAL(probe_wrmsr(TPR, 0), -1);
    EQUAL(probe_wrmsr(SELF_IPI, 15), -1); /* illegal vector: an error, no interrupt */
    EQUAL(probe_wrmsr(X2APIC(0x28), 0), -1);
    TRUE(reg(X2APIC(0x28)));
}

/* CR8 is the upper half of TPR on both vendors, whoever of them exits. */
static void cr8(void)
{
    uint64_t value = 9;

    __asm__ volatile("mov %0, %%cr8" : : "r"(value));
    EQUAL(reg(TPR), 0x90);
    EQUAL(probe_wrmsr(TPR, 0x50), -1);
    __asm__ volatile("mov %%cr8, %0" : "=r"(value));
    EQUAL(value, 5);
    EQUAL(probe_wrmsr(SELF_IPI, VECTOR), -1);
    EQUAL(probe_trap(window, 0), -1);
    value = 0;
    __asm__ volatile("mov %0, %%cr8" : : "r"(value));
    EQUAL(probe_trap(window, 0), GP);
    EQUAL(probe_wrmsr(EOI, 0), -1);
}

static void timer(void)
{
    uint64_t start = rt_now();

    EQUAL(probe_wrmsr(TIMER_DIVIDE, 0xb), -1);
    EQUAL(probe_wrmsr(LVT_TIMER, VECTOR), -1);
    EQUAL(probe_wrmsr(TIMER_COUNT, 3 * MS), -1);
    TRUE(reg(TIMER_NOW) <= 3 * MS);
    while (!bit(IRR, VECTOR))
        ;
    TRUE(rt_now() >= start + 3 * MS);
    EQUAL(reg(TIMER_NOW), 0);
    EQUAL(probe_trap(window, 0), GP);
    EQUAL(probe_wrmsr(EOI, 0), -1);
    EQUAL(probe_wrmsr(LVT_TIMER, VECTOR | 1 << 16), -1); /* masked */
    EQUAL(probe_wrmsr(TIMER_COUNT, MS), -1);
    while (reg(TIMER_NOW))
        ;
    TRUE(!bit(IRR, VECTOR));
    EQUAL(probe_wrmsr(LVT_TIMER, 3 << 17), GP);
}

static void execute(uint64_t n)
{
    if (n == 0)
        __asm__ volatile("vmload %%rax" : : "a"(0));
    else if (n == 1)
        __asm__ volatile("monitor" : : "a"(&n), "c"(0), "d"(0));
    else if (n == 2)
        __asm__ volatile("rsm");
    else if (n == 3)
        __asm__ volatile("wbinvd");
    else
        __asm__ volatile("rdpmc" : : "c"(0) : "eax", "edx");
}

void probe_main(void)
{
    registers();
    interrupts();
    cr8();
    timer();
    EQUAL(probe_trap(execute, 0), UD);
    EQUAL(probe_trap(execute, 1), UD);
    EQUAL(probe_trap(execute, 2), UD);
    EQUAL(probe_trap(execute, 3), -1);
    EQUAL(probe_trap(execute, 4), GP);
}

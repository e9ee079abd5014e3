/* SPDX-License-Identifier: MIT */
/*
 * Which MSRs there are, and what CPUID offers: the same on both vendors, and nothing else. An MSR
 * that is not listed raises #GP, read or written.
 */
#include "tests/guest/hostile.h"

#define GP     13
#define RANDOM 500U

#define CR4_OSXSAVE (1UL << 18)

struct leaf {
    uint32_t a, b, c, d;
};

static struct leaf leaf(uint32_t number, uint32_t sub)
{
    struct leaf l;

    __asm__ volatile("cpuid" : "=a"(l.a), "=b"(l.b), "=c"(l.c), "=d"(l.d) : "a"(number), "c"(sub));
    return l;
}

static bool has_rdtscp(void)
{
    return leaf(0x80000001, 0).d >> 27 & 1;
}

/* Registers of the x2APIC that can be read. */
static bool is_apic(uint32_t msr)
{
    static const uint8_t single[] = {0x02, 0x03, 0x08, 0x0a, 0x0d, 0x0f, 0x28, 0x30, 0x32,
                                     0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3e};
    uint32_t reg = msr - 0x800;

    for (unsigned i = 0; i < ARRAY_SIZE(single); i++)
        if (reg == single[i])
            return true;
    return reg >= 0x10 && reg < 0x28;
}

static bool exists(uint32_t msr)
{
    static const uint32_t list[] = {0x10,       0x17,       0x1b,       0x8b,       0x174,
                                    0x175,      0x176,      0x1a0,      0x1d9,      0x277,
                                    0x6e0,      0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083,
                                    0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0010010,
                                    0xc0010015, 0xc001001f, 0xc0011029};

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++)
        if (msr == list[i])
            return true;
    return is_apic(msr) || (msr == 0xc0000103 && has_rdtscp());
}

/* Registers that can only be written, and so tell nothing when they are read. */
static bool write_only(uint32_t msr)
{
    return msr == 0x80b || msr == 0x83f || msr == 0x40000000;
}

/* Against speculation, as CPUID says: the guest 'spec' looks at them. */
static bool others(uint32_t msr)
{
    return msr == 0x48 || msr == 0x49 || msr == 0x10a || msr == 0x10b;
}

static void look_at(uint32_t msr)
{
    int trap, want = exists(msr) ? -1 : GP;
    uint64_t value;

    if (others(msr))
        return;
    trap = probe_rdmsr(msr, &value);
    if (trap != want)
        rt_print("read of MSR %x: trap %d\n", msr, trap);
    EQUAL(trap, want);
    if (want == GP && !write_only(msr)) {
        trap = probe_wrmsr(msr, 0);
        if (trap != GP)
            rt_print("write of MSR %x: trap %d\n", msr, trap);
        EQUAL(trap, GP);
    }
}

static void msrs(void)
{
    static const struct {
        uint32_t first, n;
    } ranges[] = {{0, 0xa00},          {0x1fff, 2},     {0x40000000, 32},   {0xbffffffe, 0x202},
                  {0xc0010000, 0x100}, {0xc0010114, 8}, {0xc0011000, 0x40}, {0xfffffffe, 2}};
    struct rng r = {hostile_option("seed", 5)};

    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++)
        for (uint32_t n = 0; n < ranges[i].n; n++)
            look_at(ranges[i].first + n);
    for (unsigned i = 0; i < RANDOM; i++)
        look_at((uint32_t)rng_next(&r));
}

/* Linux writes these, and is to see what it has written, or what there was. */
static void values(void)
{
    static const struct {
        uint32_t msr;
        uint64_t written;
        int trap;
        uint64_t read;
    } list[] = {
        {0x10, 0, GP, 0},
        {0x1b, 0xfee00d00, -1, 0xfee00d00},
        {0x1b, 0xfee00900, GP, 0xfee00d00},
        {0x1b, 0xdee00d00, GP, 0xfee00d00},
        {0x8b, 1, -1, 0},
        {0x1d9, 3, -1, 0},
        {0x277, 0x0606060606060606, -1, 0x0606060606060606},
        {0x277, 0x0606060602060606, GP, 0x0606060606060606},
        {0x277, 0x0007040600070406, -1, 0x0007040600070406},
        {0x40000000, 0x1001, GP, 0},
        {0x40000000, 1UL << 52, GP, 0},
        {0xc0000080, 0xd00, -1, 0xd00},
        {0xc0000080, 0x900, -1, 0xd00},  /* LMA is the CPU's */
        {0xc0000080, 0xc00, GP, 0xd00},  /* LME, while there is paging */
        {0xc0000080, 0x1d00, GP, 0xd00}, /* SVME */
        {0xc0000080, 0x2d00, GP, 0xd00}, /* LMSLE */
        {0xc0000080, 1UL << 63 | 0xd00, GP, 0xd00},
        {0xc0000082, 0xffffffff81000000, -1, 0xffffffff81000000},
        {0xc0010015, 0, -1, 1 << 24},
        {0xc0011029, 0, -1, 2},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        uint64_t value;

        if (probe_wrmsr(list[i].msr, list[i].written) != list[i].trap) {
            rt_print("write of %lx to MSR %x\n", list[i].written, list[i].msr);
            TRUE(false);
        }
        if (list[i].read && (probe_rdmsr(list[i].msr, &value) != -1 || value != list[i].read)) {
            rt_print("MSR %x is %lx\n", list[i].msr, value);
            TRUE(false);
        }
    }
}

static void nothing(uint32_t number)
{
    struct leaf l = leaf(number, 0);

    EQUAL(l.a | l.b | l.c | l.d, 0);
}

static void features(void)
{
    struct leaf one = leaf(1, 0), seven = leaf(7, 0), far = leaf(0x80000001, 0);
    uint64_t cr4;

    TRUE(leaf(0, 0).a <= 0xd);
    EQUAL(one.c & (1U << 3 | 1U << 5 | 1U << 6 | 1U << 15), 0); /* MONITOR, VMX, SMX, PDCM */
    EQUAL(one.c & (1U << 21 | 1U << 31), 1U << 21 | 1U << 31);  /* x2APIC, a hypervisor */
    EQUAL(one.c >> 27 & 1, 0);
    EQUAL(one.d & (1U << 7 | 1U << 12 | 1U << 14 | 1U << 22), 0); /* MCE, MTRR, MCA, ACPI */
    EQUAL(seven.b & (1U << 2 | 1U << 25), 0);                     /* SGX, PT */
    EQUAL(seven.c & (1U << 3 | 1U << 5 | 1U << 7 | 1U << 16), 0); /* PKU, WAITPKG, CET, LA57 */
    EQUAL(far.c & (1U << 2 | 1U << 10 | 1U << 29), 0);            /* SVM, IBS, MWAITX */
    EQUAL(leaf(0x40000000, 0).b, 0x566e6558);                     /* "XenV" */
    EQUAL(leaf(0x40000004, 0).c, rt_domid());
    EQUAL(leaf(0xa, 0).a, 0); /* no PMU */
    nothing(0x12);
    nothing(0x14);
    nothing(0x50000000);
    nothing(0x8000000a);
    nothing(0xffffffff);
    if (one.c >> 26 & 1) {
        __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
        __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSXSAVE));
        EQUAL(leaf(1, 0).c >> 27 & 1, 1);
        __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
        EQUAL(leaf(1, 0).c >> 27 & 1, 0);
    }
}

static void set_cr4(uint64_t bit)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 1UL << bit));
}

/* QEMU 7.2 lets any bit of CR4 be set, and then refuses VMRUN for it. */
static void reserved_cr4(void)
{
    static const uint8_t bits[] = {12, 13, 14, 19, 22, 23, 24, 25, 31, 32, 40, 63};

    for (unsigned i = 0; i < ARRAY_SIZE(bits) && !hostile_on_amd(); i++)
        EQUAL(probe_trap(set_cr4, bits[i]), GP);
}

void probe_main(void)
{
    msrs();
    values();
    features();
    reserved_cr4();
}

/* SPDX-License-Identifier: MIT */
/*
 * Vector registers stay what they are: through other vCPUs on the same CPU, which have others, and
 * through each instruction that CPUID offers to save them. Any of the state components (SDM vol. 1
 * ch. 13) may be in use, and the others are not. Protection keys, too, which are not offered.
 */
#include "tests/guest/hostile.h"

#include <xen/sched.h>
#include "hyp/lib/string.h"

#define ROUNDS        400U
#define SIZE          4096U
#define COMPONENTS    8U
#define OFFERED       0xe7U /* x87, SSE, AVX, AVX-512 */
#define BV            512U  /* offsets in an area */
#define MXCSR         24U
#define CR4_OSFXSR    (1UL << 9)
#define CR4_OSXSAVE   (1UL << 18)
#define CR4_PKE       (1UL << 22)
#define XSAVEOPT      1U /* in CPUID leaf 13, 1 */
#define XSAVEC        2U
#define MXCSR_DEFAULT 0x1f80U
#define FCW_DEFAULT   0x37fU

struct task {
    struct rng rng;
    uint8_t image[SIZE] __aligned(64), other[SIZE] __aligned(64), after[SIZE] __aligned(64);
    uint64_t rounds, wrong;
};

static struct task tasks[2];
static uint8_t none[SIZE] __aligned(64);
static uint32_t features, formats;
static bool keys;
static struct {
    uint32_t at, size;
} components[COMPONENTS] = {{32, 128}, {160, 256}}; /* registers of x87 and SSE */

/* Key 0 stays free: pages that have none have that. */
static void set_pkru(uint32_t value)
{
    if (keys)
        __asm__ volatile("wrpkru" : : "a"(value & ~3U), "c"(0), "d"(0) : "memory");
}

static void compare_pkru(struct task *t, uint32_t value)
{
    uint32_t now, d;

    if (!keys)
        return;
    __asm__ volatile("rdpkru" : "=a"(now), "=d"(d) : "c"(0));
    if (now != (value & ~3U) && !t->wrong++)
        rt_print("PKRU is 0x%x, not 0x%x\n", now, value & ~3U);
}

static void enable(void)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 |= CR4_OSFXSR | CR4_OSXSAVE | (keys ? CR4_PKE : 0);
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    __asm__ volatile("xsetbv" : : "a"(features), "d"(0), "c"(0));
}

#define SAVE(insn, area)                                                                           \
    __asm__ volatile(insn " (%0)" : : "r"(area), "a"(features), "d"(0) : "memory")

static void restore(const uint8_t *area)
{
    __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(features), "d"(0) : "memory");
}

static uint64_t used(const uint8_t *area)
{
    return *(const uint64_t *)(const void *)(area + BV);
}

/* Random registers in random components; x87's have a mantissa and exponent each of 10 bytes. */
static void fill(struct task *t)
{
    memset(t->image, 0, SIZE);
    *(uint16_t *)(void *)t->image = FCW_DEFAULT;
    *(uint32_t *)(void *)(t->image + MXCSR) = MXCSR_DEFAULT;
    *(uint64_t *)(void *)(t->image + BV) = rng_next(&t->rng) & features;
    for (unsigned i = 0; i < COMPONENTS; i++)
        for (uint32_t n = 0; used(t->image) >> i & 1 && n < components[i].size; n++)
            if (i || n % 16 < 10)
                t->image[components[i].at + n] = (uint8_t)(rng_next(&t->rng) | 1);
}

/* A component that is not in use is all zeroes, or said not to be in use. */
static void compare(struct task *t, const char *what)
{
    memset(t->after, 0, SIZE);
    SAVE("xsave64", t->after);
    for (unsigned i = 0; i < COMPONENTS; i++) {
        const uint8_t *want = t->image + components[i].at, *have = t->after + components[i].at;

        if (!(features >> i & 1) || !memcmp(want, have, components[i].size))
            continue;
        if (!t->wrong++)
            rt_print("%s: component %u of 0x%lx is another\n", what, i, used(t->image));
    }
}

static void again(struct task *t, const char *what)
{
    restore(none);
    restore(t->other);
    compare(t, what);
}

static void one(struct task *t)
{
    uint32_t pkru = (uint32_t)rng_next(&t->rng);

    fill(t);
    restore(t->image);
    set_pkru(pkru);
    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    compare(t, "SCHEDOP_yield");
    compare_pkru(t, pkru);
    memset(t->other, 0, SIZE);
    SAVE("xsave64", t->other);
    again(t, "XSAVE");
    if (formats & XSAVEOPT) {
        memset(t->other, 0, SIZE);
        SAVE("xsaveopt64", t->other);
        again(t, "XSAVEOPT");
    }
    if (formats & XSAVEC) {
        memset(t->other, 0, SIZE);
        SAVE("xsavec64", t->other);
        again(t, "XSAVEC");
    }
    __atomic_store_n(&t->rounds, t->rounds + 1, __ATOMIC_RELEASE);
}

static void second(void)
{
    enable();
    for (;;)
        one(&tasks[1]);
}

/* #GP, or no effect, where the CPU keeps a guest from that. */
static void set_pke(uint64_t cr4)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PKE));
}

static void try_keys(void)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    if (probe_trap(set_pke, cr4) < 0)
        __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    keys = cr4 & CR4_PKE;
}

void probe_main(void)
{
    uint32_t r[4];

    probe_cpuid(1, 0, r);
    if (!(r[2] >> 26 & 1)) {
        rt_print("no XSAVE\n");
        return;
    }
    probe_cpuid(13, 0, r);
    features = r[0] & OFFERED;
    TRUE(r[2] <= SIZE);
    probe_cpuid(13, 1, r);
    formats = r[0];
    for (unsigned i = 2; i < COMPONENTS; i++)
        if (features >> i & 1) {
            probe_cpuid(13, i, r);
            components[i].size = r[0];
            components[i].at = r[1];
        }
    try_keys();
    rt_print("features 0x%x, formats 0x%x, keys %u\n", features, formats, keys);
    *(uint32_t *)(void *)(none + MXCSR) = MXCSR_DEFAULT;
    tasks[0].rng.state = 1;
    tasks[1].rng.state = 2;
    EQUAL(hostile_start_vcpu(1, second), 0);
    enable();
    while (tasks[0].rounds < ROUNDS || __atomic_load_n(&tasks[1].rounds, __ATOMIC_ACQUIRE) < ROUNDS)
        one(&tasks[0]);
    EQUAL(tasks[0].wrong + tasks[1].wrong, 0);
}

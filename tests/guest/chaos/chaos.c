/* SPDX-License-Identifier: MIT */
/*
 * Random hypercalls of every family from two of its three vCPUs: "seed=N count=N" on the command
 * line. Each vCPU's structures are in two versions behind a window of two pages; which version, or
 * none, a page of the window shows changes while hypercalls read it. What a domain may lose, the
 * last pages of its RAM and addresses behind them, is given back, moved, granted and registered all
 * the time. The guest takes no interrupt, but one that waits keeps it from sleeping; it never shuts
 * itself down, and what the hypervisor writes never goes to the guest's own image.
 */
#include "tests/guest/hostile.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include "guestdrv/rt/internal.h"
#include "hyp/lib/string.h"
#include "tests/guest/chaos/chaos.h"

#define WINDOWS     0x8000000000UL /* of linear addresses: the second entry of the top table */
#define SLOTS       8U  /* pages of each vCPU: two for arguments, two for results, a gap */
#define LISTS       32U /* page of the lists of frames */
#define PTE_PRESENT 1UL
#define PTE_WRITE   2UL
#define PTE_NX      (1UL << 63)
#define SELF_IPI    0x83f
#define LOWEST_RC   (-200) /* below every error there is */

static struct attacker attackers[2];
static uint8_t versions[2][VERSIONS][2 * 4096] __aligned(4096);
static uint8_t results[2][2 * 4096] __aligned(4096);
static uint64_t lists[2 * 512] __aligned(4096);
static uint64_t pdpt[512] __aligned(4096), pd[512] __aligned(4096), pt[512] __aligned(4096);
static uint64_t done[2], succeeded[2], odd;

static uint64_t text_sum(void)
{
    uint64_t sum = 0;

    for (const uint64_t *p = (const uint64_t *)0x100000; p < (const uint64_t *)rt_data; p++)
        sum = (sum ^ *p) * 0x100000001b3UL;
    return sum;
}

/* A page of an attacker's windows shows another version, or nothing, or cannot be written. */
static void flip(struct attacker *a, struct rng *r)
{
    unsigned page = rng_below(r, 4);
    uint64_t flags = PTE_PRESENT | PTE_NX | (rng_below(r, 6) ? PTE_WRITE : 0);
    uint64_t to = page < 2 ? (uint64_t)a->versions[rng_below(r, VERSIONS)] + page * 4096UL
                           : (uint64_t)results[a->id] + (page - 2) * 4096UL;

    WRITE_ONCE(pt[a->id * SLOTS + page], rng_below(r, 12) ? to | flags : 0);
}

static void setup(unsigned n, uint64_t seed)
{
    struct attacker *a = &attackers[n];

    a->rng.state = seed + n;
    a->id = n;
    for (unsigned i = 0; i < VERSIONS; i++)
        a->versions[i] = versions[n][i];
    a->window = WINDOWS + n * SLOTS * 4096UL;
    a->results = a->window + 2 * 4096UL;
    a->lists = WINDOWS + LISTS * 4096UL;
    for (unsigned i = 0; i < 40; i++)
        flip(a, &a->rng);
}

static void map_windows(struct rng *r)
{
    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
        lists[i] = chaos_gfn(r);
    for (unsigned i = 0; i < 2; i++) /* and nothing behind them */
        pt[LISTS + i] = ((uint64_t)lists + i * 4096UL) | PTE_PRESENT | PTE_NX;
    pd[0] = (uint64_t)pt | PTE_PRESENT | PTE_WRITE;
    pdpt[0] = (uint64_t)pd | PTE_PRESENT | PTE_WRITE;
    rt_pml4[1] = (uint64_t)pdpt | PTE_PRESENT | PTE_WRITE;
}

/* Grant table entries, where the guest sees its table; a page of it is never given away. */
static void write_grant(struct rng *r)
{
    grant_entry_v1_t *e = (grant_entry_v1_t *)GRANT_TABLE + rng_below(r, GRANTS);

    e->domid = chaos_domid(r);
    e->frame = (uint32_t)chaos_gfn(r);
    WRITE_ONCE(e->flags,
               (uint16_t)(rng_below(r, 8) ? GTF_permit_access | (rng_next(r) & GTF_readonly)
                                          : rng_next(r)));
}

static void one(unsigned n)
{
    struct attacker *a = &attackers[n];
    struct call c;
    long rc;

    a->used = 0;
    chaos_call(a, &c, true);
    flip(a, &a->rng);
    flip(&attackers[!n], &a->rng);
    if (!rng_below(&a->rng, 4))
        write_grant(&a->rng);
    rc = rt_hypercall((unsigned)c.nr, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4]);
    done[n]++;
    succeeded[n] += rc >= 0;
    if (rc < LOWEST_RC) {
        odd++;
        rt_print("hypercall %lu(%lx, %lx, %lx) gave %lx\n", c.nr, c.args[0], c.args[1], c.args[2],
                 rc);
    }
}

/* An interrupt that is never taken: SCHEDOP_block returns at once. */
static void stay_awake(void)
{
    __asm__ volatile("wrmsr" : : "c"(SELF_IPI), "a"(0x41), "d"(0));
}

/* The third vCPU wakes the others: a poll may have lost its timeout to another version. */
static void third(void)
{
    for (;;) {
        struct sched_poll p = {.timeout = rt_now() + 1000000};

        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &p);
        for (unsigned i = 0; i < 2; i++)
            HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, i, 0);
    }
}

static void second(void)
{
    stay_awake();
    for (;;)
        one(1);
}

static void report(void)
{
    rt_print("\n%lu and %lu hypercalls, %lu and %lu without error\n", done[0], done[1],
             succeeded[0], succeeded[1]);
}

void probe_main(void)
{
    struct xen_add_to_physmap map = {.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table};
    uint64_t seed = hostile_option("seed", 1), count = hostile_option("count", 1000);
    uint64_t sum = text_sum();
    struct rng r = {seed};

    rt_print("seed=%lu count=%lu\n", seed, count);
    map_windows(&r);
    setup(0, seed);
    setup(1, seed);
    hostile_gate(2, hostile_iret); /* NMIs that it sends to itself */
    for (map.gpfn = GRANT_TABLE >> 12; map.idx < GRANTS / 512; map.idx++, map.gpfn++)
        EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), 0);
    stay_awake();
    EQUAL(hostile_start_vcpu(1, second), 0);
    EQUAL(hostile_start_vcpu(2, third), 0);
    for (uint64_t i = 0; i < count; i++) {
        one(0);
        if (i % (count / 4 + 1) == count / 4)
            report();
    }
    for (unsigned i = 1; i < 3; i++)
        HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_down, i, 0);
    report(); /* on a line of its own: it has written parts of lines */
    EQUAL(odd, 0);
    EQUAL(text_sum(), sum);
    TRUE(count < 1000 || (succeeded[0] > count / 20 && succeeded[1]));
}

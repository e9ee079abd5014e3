/* SPDX-License-Identifier: MIT */
/* Whom a removal from a p2m interrupts: who runs a guest with the old one, and nobody else. */
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hyp/x86/cpu.h"
#include "tests/unit/check_main.h"

static void relax(void);
#define cpu_relax relax /* what the other CPUs do while this one waits */
#include "hyp/x86/flush.c"

struct cpu cpus[MAX_CPUS];
uint32_t ncpus = 6;

static struct p2m ours = {.gen = 9}, theirs = {.gen = 3};
static unsigned sent[MAX_CPUS], relaxed;

void apic_send_event(uint32_t cpu)
{
    sent[cpu]++;
}

static void relax(void)
{
    relaxed++;
    for (uint32_t i = 0; i < ncpus; i++)
        if (sent[i])
            cpus[i].in_guest = NULL;
}

static void run(uint32_t cpu, const struct p2m *p, uint64_t gen)
{
    cpus[cpu].self = &cpus[cpu];
    cpus[cpu].id = cpu;
    cpus[cpu].in_guest = p;
    cpus[cpu].entry_gen = gen;
}

START_TEST(only_who_is_behind)
{
    run(0, NULL, 0); /* this one */
    run(1, &ours, 8);
    run(2, &ours, 9);
    run(3, &theirs, 3); /* another domain: fewer removals, but none of its business */
    run(4, NULL, 0);
    run(5, &ours, 0); /* about to enter */
    syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[0]);
    arch_p2m_flush(&ours);
    for (uint32_t i = 0; i < ncpus; i++)
        ck_assert_uint_eq(sent[i], i == 1 || i == 5);
    ck_assert_uint_eq(relaxed, 1);
    ck_assert_ptr_eq(cpus[3].in_guest, &theirs);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, only_who_is_behind);
}

int main(void)
{
    return check_main("flush", fill);
}

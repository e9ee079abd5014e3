/* SPDX-License-Identifier: MIT */
/* Debug builds: all CPUs but one stand still, where they hold no lock, while that one checks. */
#include "hyp/dom/invariant.h"
#include "hyp/x86/watch.h"

static uint32_t checker;          /* number of the CPU that checks + 1; 0: none */
static uint32_t round;            /* of the check that runs, from 1 on; written by the checker */
static uint32_t stands[MAX_CPUS]; /* the last round in which each CPU has stood still */

void invariant_park(void)
{
    uint32_t who = __atomic_load_n(&checker, __ATOMIC_ACQUIRE);

    if (likely(!who))
        return;
    WATCH(stop());
    while (__atomic_load_n(&checker, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&stands[this_cpu()->id], __atomic_load_n(&round, __ATOMIC_ACQUIRE),
                         __ATOMIC_RELEASE);
        cpu_relax();
    }
    WATCH(start());
}

static void stop_others(void)
{
    __atomic_store_n(&round, round + 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < ncpus; i++)
        if (i != this_cpu()->id)
            apic_send_event(i);
    for (uint32_t i = 0; i < ncpus; i++)
        while (i != this_cpu()->id && __atomic_load_n(&stands[i], __ATOMIC_ACQUIRE) != round)
            cpu_relax();
}

void invariant_check(void)
{
    uint32_t none = 0;
    const struct domain *d;
    const char *wrong;

    while (!__atomic_compare_exchange_n(&checker, &none, this_cpu()->id + 1, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        none = 0;
        invariant_park();
    }
    WATCH(stop());
    stop_others();
    wrong = invariant_find(&d);
    if (wrong)
        panic("invariant: %s%s%s", d ? d->record->name : "", d ? ": " : "", wrong);
    __atomic_store_n(&checker, 0, __ATOMIC_RELEASE);
    WATCH(start());
}

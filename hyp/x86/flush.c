/* SPDX-License-Identifier: MIT */
#include "hyp/x86/machine.h"
#include "mm/arch.h"
#include "mm/p2m.h"

/*
 * The caller has bumped p->gen. A CPU that enters a guest says of which p2m before it reads the
 * generation: so one that is not in a guest of p now will see the new one and flush by itself. Who
 * runs other guests is left in peace.
 */
static bool is_behind(uint32_t cpu, const struct p2m *p, uint64_t gen)
{
    return READ_ONCE(cpus[cpu].in_guest) == p && READ_ONCE(cpus[cpu].entry_gen) < gen;
}

void arch_p2m_flush(struct p2m *p)
{
    uint64_t gen = READ_ONCE(p->gen);
    uint64_t waiting = 0;

    memory_barrier();
    for (uint32_t i = 0; i < ncpus; i++) {
        if (i == this_cpu()->id || !is_behind(i, p, gen))
            continue;
        apic_send_event(i);
        waiting |= BIT(i);
    }
    for (uint32_t i = 0; i < ncpus; i++)
        while (waiting & BIT(i) && is_behind(i, p, gen))
            cpu_relax();
}

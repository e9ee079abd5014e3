/* SPDX-License-Identifier: MIT */
#include "hyp/x86/machine.h"
#include "mm/arch.h"
#include "mm/p2m.h"

/*
 * The caller has bumped p->gen. A CPU that enters a guest sets in_guest before it reads the
 * generation: so one that is not in a guest now will see the new one and flush by itself.
 * Generations of different domains are not told apart: an exit too many does no harm.
 */
void arch_p2m_flush(struct p2m *p)
{
    uint64_t gen = READ_ONCE(p->gen);
    uint64_t waiting = 0;

    memory_barrier();
    for (uint32_t i = 0; i < ncpus; i++) {
        if (i == this_cpu()->id || !READ_ONCE(cpus[i].in_guest) ||
            READ_ONCE(cpus[i].entry_gen) >= gen)
            continue;
        apic_send_event(i);
        waiting |= BIT(i);
    }
    for (uint32_t i = 0; i < ncpus; i++)
        while (waiting & BIT(i) && READ_ONCE(cpus[i].in_guest) &&
               READ_ONCE(cpus[i].entry_gen) < gen)
            cpu_relax();
}

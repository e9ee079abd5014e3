/* SPDX-License-Identifier: MIT */
/* The half of arch_p2m_flush()'s protocol (mm/arch.h) that a CPU plays when it enters a guest. */
#ifndef BH_X86_FLUSH_H
#define BH_X86_FLUSH_H

#include "hyp/x86/vcpu.h"

/*
 * This CPU c is about to run v, which it has loaded. in_guest is visible before the generation is
 * read: either the flusher sees us and interrupts, or we see its generation. entry_gen is 0 until it
 * is known. True: v's translations must go before the entry.
 */
static inline bool flush_enter(struct cpu *c, struct x86_vcpu *v)
{
    uint64_t gen, seen = v->seen_gen;

    WRITE_ONCE(c->in_guest, &v->dom->p2m);
    memory_barrier();
    gen = READ_ONCE(v->dom->p2m.gen);
    WRITE_ONCE(c->entry_gen, gen);
    v->seen_gen = gen;
    return gen != seen;
}

/* It has left it. */
static inline void flush_leave(struct cpu *c)
{
    WRITE_ONCE(c->entry_gen, 0);
    WRITE_ONCE(c->in_guest, NULL);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Ticket spin locks. The hypervisor runs with interrupts off, so there is no irq-saving variant.
 *
 * LOCK ORDER, outermost first (a lock is never taken while one further down is held):
 *
 *   domain list        hyp/dom/domain.c    which domains exist
 *   domain lock        struct domain       life cycle, HVM parameters, vcpu_info registration
 *   grant table lock   struct grant_table  one at a time
 *   event pairing lock hyp/dom/evtchn.c    who is connected to whom
 *   event channel lock struct evtchn_set   two at once: under the pairing lock only
 *   event queue lock   struct evtchn_set   FIFO queues of one domain; one at a time
 *   interrupt lock     hyp/x86/irq.c       which function a line runs, I/O APIC
 *   p2m lock           struct p2m          two at once: lower domain number first
 *   scheduler lock     hyp/dom/sched.c     run queues
 *   timer lock         struct cpu          one CPU's timer queue
 *   frame lock         mm/buddy.c          free lists
 *   log lock           hyp/lib/log.c       the log ring and UART
 *
 * struct locked proves to a callee that its caller holds a lock: only spin_lock() makes one.
 */
#ifndef BH_LIB_LOCK_H
#define BH_LIB_LOCK_H

#include "hyp/lib/util.h"

struct spinlock {
    uint32_t next;  /* next ticket to hand out; written by takers, atomically */
    uint32_t owner; /* ticket now served; written by the holder only */
};

struct locked {
    struct spinlock *lock;
};

static inline struct locked spin_lock(struct spinlock *l)
{
    uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
        __builtin_ia32_pause();
    return (struct locked){l};
}

/* Takes the lock if nobody has it; true on success. */
static inline bool spin_trylock(struct spinlock *l)
{
    uint32_t ticket = __atomic_load_n(&l->owner, __ATOMIC_RELAXED);

    return __atomic_compare_exchange_n(&l->next, &ticket, ticket + 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static inline void spin_unlock(struct spinlock *l)
{
    __atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
}

static inline void spin_guard_end(const struct locked *held)
{
    spin_unlock(held->lock);
}

/* A declaration: takes the lock, and lets it go when the block is left, by whatever way. */
#define spin_guard(held, l)                                                                        \
    struct locked held __attribute__((cleanup(spin_guard_end), unused)) = spin_lock(l)

#endif

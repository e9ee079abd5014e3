/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional share by weight over all CPUs with one queue in virtual time. Pure
 * logic: it knows neither vCPUs nor clocks, its callers pass the time and kick the CPUs it names.
 */
#ifndef BH_DOM_SCHED_H
#define BH_DOM_SCHED_H

#include "hyp/lib/list.h"
#include "hyp/lib/lock.h"

#define SCHED_NO_CPU (~0U)
#define SCHED_SLICE  10000000ULL /* ns */

/* In the order of RUNSTATE_* (xen/vcpu.h). */
enum sched_state { SCHED_RUNNING, SCHED_READY, SCHED_BLOCKED, SCHED_OFF, SCHED_STATES };

/* Why a CPU gives up what it runs. */
enum sched_why { SCHED_PREEMPT, SCHED_YIELD, SCHED_BLOCK };

/* Entities that share a weight and a cap: the vCPUs of a domain. */
struct sched_group {
    uint32_t weight;    /* 1..65535 */
    uint32_t active;    /* entities that are RUNNING or READY */
    uint64_t quota;     /* ns of CPU time in each period; 0: no cap */
    uint64_t period;    /* ns: start of the current one */
    int64_t left;       /* ns of its quota */
    struct list parked; /* entities that are READY, but wait for the next period */
    struct list node;   /* while there are any */
};

struct sched_entity {
    struct list node;            /* in the queue, or parked, while READY */
    uint64_t vtime;              /* weighted ns of CPU time used */
    uint64_t since;              /* ns: start of the current state */
    uint64_t time[SCHED_STATES]; /* ns spent in each state before that */
    uint64_t affinity;           /* mask of CPUs it may run on; never empty */
    struct sched_group *group;
    uint32_t cpu; /* where it runs or last ran */
    enum sched_state state;
    bool wake_pending; /* woken while RUNNING: a block becomes a yield */
    bool off_pending;  /* stop while RUNNING */
    bool asleep;       /* OFF, and was BLOCKED before; nobody has woken it since */
};

void sched_init(uint32_t ncpus);
/* cap: percent of one CPU, 0: none. sched_group_end(): when all its entities are OFF for good. */
void sched_group_init(struct sched_group *g, uint32_t weight, uint32_t cap, uint64_t now);
void sched_group_end(struct sched_group *g);
/*
 * Of a live group: what it has used of this period's quota stays used. Afterwards some CPU that
 * runs something should ask sched_should_yield(): those that were parked may go on.
 */
void sched_group_change(struct sched_group *g, uint32_t weight, uint32_t cap, uint64_t now);
/* OFF. An affinity without a CPU that exists means every CPU. */
void sched_entity_init(struct sched_entity *e, struct sched_group *g, uint64_t affinity,
                       uint64_t now);

/*
 * Any CPU may call these; the result is a CPU that should pick again, or SCHED_NO_CPU.
 * sched_on: OFF -> READY, or BLOCKED if it was so before and nobody woke it meanwhile. sched_wake:
 * BLOCKED -> READY; a RUNNING one will not block next time; an entity that is OFF stays so.
 * sched_move: to the CPUs of a mask, as for sched_entity_init().
 */
uint32_t sched_on(struct sched_entity *e, uint64_t now);
uint32_t sched_wake(struct sched_entity *e, uint64_t now);
uint32_t sched_move(struct sched_entity *e, uint64_t affinity, uint64_t now);
/* To OFF from any state: true when it is off now, false when it still runs on e->cpu (kick it). */
bool sched_off(struct sched_entity *e, uint64_t now);
/* OFF, and its CPU has let go of it. */
bool sched_is_off(struct sched_entity *e);

/*
 * By the CPU that runs e, after e's state was saved, because another CPU may run it at once.
 * Result as above.
 */
uint32_t sched_release(struct sched_entity *e, enum sched_why why, uint64_t now);
/*
 * The next entity for cpu, made RUNNING, or NULL: idle; and in how many ns to ask again, ~0: when
 * called. *kick as the result above.
 */
struct sched_entity *sched_pick(uint32_t cpu, uint64_t now, uint64_t *slice, uint32_t *kick);
/*
 * For the CPU that runs e: should it give way to somebody (SCHED_YIELD: to anybody), or stop? Else
 * how long it may go on.
 */
bool sched_should_yield(struct sched_entity *e, enum sched_why why, uint64_t now, uint64_t *slice);
/* For the CPU that runs e, before it checks whether there is a reason not to block. */
void sched_clear_wake(struct sched_entity *e);
/* sched_wake() for e, by the CPU that runs it. */
void sched_wake_self(struct sched_entity *e);

/* The CPUs that e may run on; 0: any. */
uint64_t sched_affinity(const struct sched_entity *e);
/* Time that the CPUs have run somebody or worked, in ns, all together. */
uint64_t sched_busy(uint64_t now);
/* A CPU that ran nobody has worked so long, ns. */
void sched_worked(uint64_t ns);
/* State and the time spent in each state until now, for the runstate interface. */
enum sched_state sched_times(struct sched_entity *e, uint64_t now, uint64_t time[SCHED_STATES],
                             uint64_t *since);

#endif

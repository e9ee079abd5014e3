/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: proportional share by weight over all CPUs with one queue in virtual time. Pure
 * logic: it knows neither vCPUs nor clocks, its callers pass the time.
 */
#ifndef BH_DOM_SCHED_H
#define BH_DOM_SCHED_H

#include "hyp/lib/list.h"
#include "hyp/lib/lock.h"

#define SCHED_NO_CPU (~0U)

enum sched_state { SCHED_OFF, SCHED_BLOCKED, SCHED_READY, SCHED_RUNNING };

struct sched_entity {
    struct list node;  /* in the queue while READY */
    uint64_t vtime;    /* weighted ns of CPU time used */
    uint64_t since;    /* ns: start of the current state */
    uint64_t used;     /* ns run in all */
    uint64_t affinity; /* mask of CPUs it may run on */
    uint32_t weight;   /* 1..65535 */
    uint32_t cpu;      /* where it runs or last ran */
    enum sched_state state;
    bool wake_pending; /* woken while RUNNING: a block becomes a yield */
    bool off_pending;  /* stop while RUNNING */
};

void sched_init(uint32_t ncpus);
void sched_entity_init(struct sched_entity *e, uint32_t weight, uint64_t affinity); /* OFF */
/* Any CPU. OFF/BLOCKED -> READY. Returns a CPU that should pick again, or SCHED_NO_CPU. */
uint32_t sched_wake(struct sched_entity *e, uint64_t now);
/* OFF (from any state): true when it is off now, false when it still runs on e->cpu (kick it). */
bool sched_off(struct sched_entity *e, uint64_t now);
/* Called by the CPU that runs e, after e's state was saved: e goes where flags say (block:
 * BLOCKED). */
void sched_release(struct sched_entity *e, bool block, uint64_t now);
/* The next entity for cpu, made RUNNING, and how long it may run in ns; NULL: idle. */
struct sched_entity *sched_pick(uint32_t cpu, uint64_t now, uint64_t *slice);
/* For the CPU that runs e: should it give way to somebody? */
bool sched_should_yield(struct sched_entity *e, uint64_t now);

#endif

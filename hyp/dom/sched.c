/* SPDX-License-Identifier: MIT */
/*
 * Virtual time runs for an entity at 256 / weight of the real time it has a CPU: who is behind goes
 * first. A sleeper comes back with at most WAKE_CREDIT of virtual time in hand, so that one who
 * mostly waits for I/O runs at once, and nobody saves time up.
 */
#include "hyp/dom/sched.h"

#define MS             1000000ULL
#define WAKE_CREDIT    (5 * MS)
#define GRANULARITY    MS /* advantage in virtual time that justifies a switch */
#define MAX_AHEAD      (50 * MS) /* a debt that grew while nobody else wanted the CPU is forgiven */
#define WEIGHT_UNIT    256
#define SCHED_MAX_CPUS 64

static struct spinlock lock;
static struct list queue = LIST_INIT(queue); /* READY, by vtime */
static struct sched_entity *running[SCHED_MAX_CPUS];
static uint64_t idle_cpus; /* have picked nothing, and nobody has called them since */
static uint64_t all_cpus;
static uint32_t cpu_count;
static uint64_t floor_vtime; /* virtual time of who is furthest behind; never goes back */

void sched_init(uint32_t ncpus)
{
    list_init(&queue);
    for (uint32_t i = 0; i < SCHED_MAX_CPUS; i++)
        running[i] = NULL;
    cpu_count = ncpus;
    all_cpus = ncpus < 64 ? BIT(ncpus) - 1 : ~0ULL;
    idle_cpus = 0;
    floor_vtime = 0;
}

void sched_entity_init(struct sched_entity *e, uint32_t weight, uint64_t affinity, uint64_t now)
{
    affinity &= all_cpus;
    *e = (struct sched_entity){.since = now,
                               .affinity = affinity ? affinity : all_cpus,
                               .weight = weight,
                               .cpu = SCHED_NO_CPU,
                               .state = SCHED_OFF};
    list_init(&e->node);
}

static uint64_t vtime_at(const struct sched_entity *e, uint64_t now)
{
    if (e->state != SCHED_RUNNING || now <= e->since)
        return e->vtime;
    return e->vtime + (now - e->since) * WEIGHT_UNIT / e->weight;
}

static void set_state(struct sched_entity *e, enum sched_state state, uint64_t now)
{
    e->vtime = vtime_at(e, now);
    if (now > e->since) {
        e->time[e->state] += now - e->since;
        e->since = now;
    }
    e->state = state;
}

/* Who is furthest behind among those that run or wait for a CPU. */
static void update_floor(uint64_t now)
{
    uint64_t least = ~0ULL;

    if (!list_empty(&queue))
        least = list_entry(queue.next, struct sched_entity, node)->vtime;
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
        if (running[cpu] && vtime_at(running[cpu], now) < least)
            least = vtime_at(running[cpu], now);
    if (least != ~0ULL && least > floor_vtime)
        floor_vtime = least;
}

static void enqueue(struct sched_entity *e)
{
    struct list *at;

    list_for_each(at, &queue)
        if (list_entry(at, struct sched_entity, node)->vtime > e->vtime)
            break;
    list_add_tail(at, &e->node);
}

/* The CPU that should pick again because e became READY: one that idles, or the one whose entity
 * has used most. */
static uint32_t place(const struct sched_entity *e, uint64_t now)
{
    uint64_t idle = idle_cpus & e->affinity, most = e->vtime + GRANULARITY;
    uint32_t best = SCHED_NO_CPU;

    if (idle) {
        best = e->cpu < 64 && (idle & BIT(e->cpu)) ? e->cpu : (uint32_t)__builtin_ctzll(idle);
        idle_cpus &= ~BIT(best);
        return best;
    }
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++) {
        const struct sched_entity *r = running[cpu];

        if (r && (e->affinity & BIT(cpu)) && vtime_at(r, now) > most) {
            most = vtime_at(r, now);
            best = cpu;
        }
    }
    return best;
}

static uint32_t make_ready(struct sched_entity *e, uint64_t now)
{
    set_state(e, SCHED_READY, now);
    enqueue(e);
    return place(e, now);
}

/* The time a sleeper comes back at. */
static uint32_t come_back(struct sched_entity *e, uint64_t now)
{
    uint64_t least;

    update_floor(now);
    least = floor_vtime > WAKE_CREDIT ? floor_vtime - WAKE_CREDIT : 0;
    e->vtime = MIN(MAX(e->vtime, least), floor_vtime + MAX_AHEAD);
    return make_ready(e, now);
}

uint32_t sched_on(struct sched_entity *e, uint64_t now)
{
    uint32_t cpu = SCHED_NO_CPU;

    spin_lock(&lock);
    e->off_pending = false;
    if (e->state == SCHED_OFF) {
        e->wake_pending = false;
        cpu = come_back(e, now);
    }
    spin_unlock(&lock);
    return cpu;
}

uint32_t sched_wake(struct sched_entity *e, uint64_t now)
{
    uint32_t cpu = SCHED_NO_CPU;

    spin_lock(&lock);
    if (e->state == SCHED_BLOCKED)
        cpu = come_back(e, now);
    else if (e->state == SCHED_RUNNING)
        e->wake_pending = true;
    spin_unlock(&lock);
    return cpu;
}

bool sched_off(struct sched_entity *e, uint64_t now)
{
    bool off;

    spin_lock(&lock);
    off = e->state != SCHED_RUNNING;
    if (off) {
        list_del(&e->node);
        set_state(e, SCHED_OFF, now);
    } else {
        e->off_pending = true;
    }
    spin_unlock(&lock);
    return off;
}

bool sched_is_off(struct sched_entity *e)
{
    bool off;

    spin_lock(&lock);
    off = e->state == SCHED_OFF;
    spin_unlock(&lock);
    return off;
}

uint32_t sched_release(struct sched_entity *e, enum sched_why why, uint64_t now)
{
    uint32_t cpu = SCHED_NO_CPU;

    spin_lock(&lock);
    running[e->cpu] = NULL;
    if (e->off_pending || (why == SCHED_BLOCK && !e->wake_pending)) {
        set_state(e, e->off_pending ? SCHED_OFF : SCHED_BLOCKED, now);
    } else {
        set_state(e, SCHED_READY, now);
        update_floor(now);
        e->vtime = MIN(e->vtime, floor_vtime + MAX_AHEAD);
        if (why != SCHED_PREEMPT && !list_empty(&queue)) {
            const struct sched_entity *first = list_entry(queue.next, struct sched_entity, node);

            if (e->vtime <= first->vtime)
                e->vtime = first->vtime + 1;
        }
        enqueue(e);
        cpu = place(e, now);
    }
    e->off_pending = e->wake_pending = false;
    spin_unlock(&lock);
    return cpu;
}

/* Who waits longest among those cpu may run; of two as good as equal the one it ran last. */
static struct sched_entity *choose(uint32_t cpu)
{
    struct sched_entity *best = NULL;
    struct list *at;

    list_for_each(at, &queue) {
        struct sched_entity *e = list_entry(at, struct sched_entity, node);

        if (best && e->vtime > best->vtime + GRANULARITY)
            break;
        if (!(e->affinity & BIT(cpu)))
            continue;
        if (e->cpu == cpu)
            return e;
        if (!best)
            best = e;
    }
    return best;
}

struct sched_entity *sched_pick(uint32_t cpu, uint64_t now, uint64_t *slice)
{
    struct sched_entity *e;

    spin_lock(&lock);
    e = choose(cpu);
    if (e) {
        list_del(&e->node);
        set_state(e, SCHED_RUNNING, now);
        e->cpu = cpu;
        running[cpu] = e;
        idle_cpus &= ~BIT(cpu);
        update_floor(now);
        *slice = SCHED_SLICE;
    } else {
        idle_cpus |= BIT(cpu);
    }
    spin_unlock(&lock);
    return e;
}

bool sched_should_yield(struct sched_entity *e, uint64_t now)
{
    struct list *at;
    bool yield;

    spin_lock(&lock);
    yield = e->off_pending;
    list_for_each(at, &queue) {
        const struct sched_entity *w = list_entry(at, struct sched_entity, node);

        if (yield || w->vtime + GRANULARITY > vtime_at(e, now))
            break;
        yield = w->affinity & BIT(e->cpu);
    }
    spin_unlock(&lock);
    return yield;
}

void sched_clear_wake(struct sched_entity *e)
{
    __atomic_store_n(&e->wake_pending, false, __ATOMIC_SEQ_CST);
}

enum sched_state sched_times(struct sched_entity *e, uint64_t now, uint64_t time[SCHED_STATES],
                             uint64_t *since)
{
    enum sched_state state;

    spin_lock(&lock);
    state = e->state;
    for (int i = 0; i < SCHED_STATES; i++)
        time[i] = e->time[i];
    *since = e->since;
    if (now > e->since)
        time[state] += now - e->since;
    spin_unlock(&lock);
    return state;
}

/* SPDX-License-Identifier: MIT */
/*
 * Virtual time runs for an entity at 256 / weight of the real time it has a CPU: who is behind goes
 * first. The weight is its group's, divided among those of the group that want to run. A sleeper
 * comes back with at most WAKE_CREDIT of virtual time in hand, so that one who mostly waits for I/O
 * runs at once, and nobody saves time up. A group with a cap gets its quota anew in each period;
 * when that is used up, its entities are parked until the next one. What was used too much is taken
 * off the next quota.
 */
#include "hyp/dom/sched.h"

#define MS             1000000ULL
#define WAKE_CREDIT    (5 * MS)
#define GRANULARITY    MS        /* advantage in virtual time that justifies a switch */
#define MAX_AHEAD      (50 * MS) /* a debt that grew while nobody else wanted the CPU is forgiven */
#define WEIGHT_UNIT    256
#define PERIOD         (30 * MS)
#define MAX_PERIODS    64        /* of sleep that are looked at: no deficit is larger */
#define LEAST_SLICE    (MS / 10) /* of what is left of a quota */
#define SCHED_MAX_CPUS 64
#define FIRST_VTIME    (-(100 * MS)) /* it wraps now and then, and so does each test */

static struct spinlock lock;
static struct list queue = LIST_INIT(queue); /* READY, by vtime */
static struct sched_entity *running[SCHED_MAX_CPUS];
static uint64_t idle_cpus; /* have picked nothing, and nobody has called them since */
static uint64_t all_cpus;
static uint32_t cpu_count;
static uint64_t floor_vtime; /* of who is furthest behind; never goes back */
static struct list throttled = LIST_INIT(throttled); /* groups with parked entities */
static uint64_t next_period; /* ns: when one of these may go on; ~0: there is none */
static uint64_t busy;        /* ns that CPUs ran somebody or worked */

void sched_init(uint32_t ncpus)
{
    list_init(&queue);
    for (uint32_t i = 0; i < SCHED_MAX_CPUS; i++)
        running[i] = NULL;
    cpu_count = ncpus;
    all_cpus = ncpus < 64 ? BIT(ncpus) - 1 : ~0ULL;
    idle_cpus = 0;
    floor_vtime = FIRST_VTIME;
    list_init(&throttled);
    next_period = ~0UL;
    busy = 0;
}

void sched_group_init(struct sched_group *g, uint32_t weight, uint32_t cap, uint64_t now)
{
    *g = (struct sched_group){.weight = weight, .quota = cap * (PERIOD / 100), .period = now};
    g->left = (int64_t)g->quota;
    list_init(&g->parked);
    list_init(&g->node);
}

void sched_group_end(struct sched_group *g)
{
    spin_guard(held, &lock);

    list_del(&g->node);
}

static uint64_t existing(uint64_t affinity)
{
    affinity &= all_cpus;
    return affinity ? affinity : all_cpus;
}

void sched_entity_init(struct sched_entity *e, struct sched_group *g, uint64_t affinity,
                       uint64_t now)
{
    *e = (struct sched_entity){.vtime = READ_ONCE(floor_vtime),
                               .since = now,
                               .affinity = existing(affinity),
                               .group = g,
                               .cpu = SCHED_NO_CPU,
                               .state = SCHED_OFF};
    list_init(&e->node);
}

/* Virtual times are compared by how far they are apart. */
static bool is_behind(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b) < 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return is_behind(a, b) ? b : a;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return is_behind(a, b) ? a : b;
}

static uint64_t vtime_at(const struct sched_entity *e, uint64_t now)
{
    if (e->state != SCHED_RUNNING || now <= e->since)
        return e->vtime;
    return e->vtime + (now - e->since) * WEIGHT_UNIT * e->group->active / e->group->weight;
}

static bool is_active(enum sched_state state)
{
    return state == SCHED_RUNNING || state == SCHED_READY;
}

/* Accounts for the time in the present state until now. */
static void settle(struct sched_entity *e, uint64_t now)
{
    if (now <= e->since)
        return;
    e->vtime = vtime_at(e, now);
    e->time[e->state] += now - e->since;
    if (e->state == SCHED_RUNNING) {
        e->group->left -= (int64_t)(now - e->since);
        busy += now - e->since;
    }
    e->since = now;
}

/* Those of g that run; NULL: all that do. */
static void settle_running(const struct sched_group *g, uint64_t now)
{
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++)
        if (running[cpu] && (!g || running[cpu]->group == g))
            settle(running[cpu], now);
}

static void set_state(struct sched_entity *e, enum sched_state state, uint64_t now)
{
    struct sched_group *g = e->group;

    settle(e, now);
    if (is_active(state) != is_active(e->state)) {
        if (g->active > is_active(e->state)) /* the share of the others changes */
            settle_running(g, now);
        g->active += is_active(state) ? 1U : -1U;
    }
    e->state = state;
}

/* Has the group used up its quota at now? */
static bool is_exhausted(struct sched_group *g, uint64_t now)
{
    uint64_t periods;

    if (!g->quota)
        return false;
    settle_running(g, now);
    if (now >= g->period + PERIOD) {
        periods = (now - g->period) / PERIOD;
        g->period += periods * PERIOD;
        g->left += (int64_t)(MIN(periods, (uint64_t)MAX_PERIODS) * g->quota);
        g->left = MIN(g->left, (int64_t)g->quota);
    }
    return g->left <= 0;
}

void sched_group_change(struct sched_group *g, uint32_t weight, uint32_t cap, uint64_t now)
{
    uint64_t quota = cap * (PERIOD / 100);
    spin_guard(held, &lock);

    settle_running(g, now);
    is_exhausted(g, now); /* begins the period that now belongs to */
    if (g->quota) {
        g->left += (int64_t)(quota - g->quota);
    } else {
        g->left = (int64_t)quota;
        g->period = now;
    }
    g->weight = weight;
    g->quota = quota;
    if (!list_empty(&g->parked))
        next_period = MIN(next_period, now);
}

/* Who is furthest behind among those that run or wait for a CPU. */
static void update_floor(uint64_t now)
{
    uint64_t least = 0;
    bool any = !list_empty(&queue);

    if (any)
        least = list_entry(queue.next, struct sched_entity, node)->vtime;
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++) {
        if (!running[cpu])
            continue;
        least = any ? earlier(least, vtime_at(running[cpu], now)) : vtime_at(running[cpu], now);
        any = true;
    }
    if (any)
        floor_vtime = later(floor_vtime, least);
}

static void park(struct sched_entity *e)
{
    struct sched_group *g = e->group;

    list_add_tail(&g->parked, &e->node);
    if (list_empty(&g->node))
        list_add_tail(&throttled, &g->node);
    next_period = MIN(next_period, g->period + PERIOD);
}

static void enqueue(struct sched_entity *e, uint64_t now)
{
    struct list *at;

    if (is_exhausted(e->group, now)) {
        park(e);
        return;
    }
    list_for_each(at, &queue)
        if (is_behind(e->vtime, list_entry(at, struct sched_entity, node)->vtime))
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

        if (r && (e->affinity & BIT(cpu)) && is_behind(most, vtime_at(r, now))) {
            most = vtime_at(r, now);
            best = cpu;
        }
    }
    return best;
}

/* The time a sleeper comes back at. */
static void catch_up(struct sched_entity *e, uint64_t now)
{
    update_floor(now);
    e->vtime = earlier(later(e->vtime, floor_vtime - WAKE_CREDIT), floor_vtime + MAX_AHEAD);
}

static uint32_t come_back(struct sched_entity *e, uint64_t now)
{
    catch_up(e, now);
    set_state(e, SCHED_READY, now);
    enqueue(e, now);
    return place(e, now);
}

/* Those whose group has got a new quota may run again. */
static void unpark(uint64_t now)
{
    struct list *at, *after;

    if (now < next_period)
        return;
    next_period = ~0UL;
    list_for_each_safe(at, after, &throttled) {
        struct sched_group *g = list_entry(at, struct sched_group, node);

        if (is_exhausted(g, now)) {
            next_period = MIN(next_period, g->period + PERIOD);
            continue;
        }
        list_del(&g->node);
        while (!list_empty(&g->parked)) {
            struct sched_entity *e = list_entry(g->parked.next, struct sched_entity, node);

            list_del(&e->node);
            catch_up(e, now);
            enqueue(e, now);
        }
    }
}

uint32_t sched_on(struct sched_entity *e, uint64_t now)
{
    uint32_t cpu = SCHED_NO_CPU;
    spin_guard(held, &lock);

    e->off_pending = false;
    if (e->state == SCHED_OFF && e->asleep) {
        set_state(e, SCHED_BLOCKED, now);
    } else if (e->state == SCHED_OFF) {
        e->wake_pending = false;
        cpu = come_back(e, now);
    }
    e->asleep = false;
    return cpu;
}

uint32_t sched_wake(struct sched_entity *e, uint64_t now)
{
    uint32_t cpu = SCHED_NO_CPU;
    spin_guard(held, &lock);

    if (e->state == SCHED_BLOCKED)
        cpu = come_back(e, now);
    else if (e->state == SCHED_RUNNING)
        e->wake_pending = true;
    e->asleep = false;
    return cpu;
}

uint32_t sched_move(struct sched_entity *e, uint64_t affinity, uint64_t now)
{
    uint32_t cpu = SCHED_NO_CPU;
    spin_guard(held, &lock);

    e->affinity = existing(affinity);
    if (e->state == SCHED_READY)
        cpu = place(e, now);
    else if (e->state == SCHED_RUNNING && !(e->affinity & BIT(e->cpu)))
        cpu = e->cpu;
    return cpu;
}

bool sched_off(struct sched_entity *e, uint64_t now)
{
    spin_guard(held, &lock);

    if (e->state == SCHED_RUNNING) {
        e->off_pending = true;
        return false;
    }
    list_del(&e->node);
    e->asleep |= e->state == SCHED_BLOCKED;
    set_state(e, SCHED_OFF, now);
    return true;
}

bool sched_is_off(struct sched_entity *e)
{
    spin_guard(held, &lock);

    return e->state == SCHED_OFF;
}

/*
 * Who yields mostly spins for a sibling: behind the last of them, so that the one that works runs
 * on and not only as much as each that spins. Where none waits: behind the first who does.
 */
static void give_way(struct sched_entity *e)
{
    const struct sched_entity *before;
    struct list *at = queue.prev;

    if (list_empty(&queue))
        return;
    while (at != &queue && list_entry(at, struct sched_entity, node)->group != e->group)
        at = at->prev;
    before = list_entry(at == &queue ? queue.next : at, struct sched_entity, node);
    e->vtime = later(e->vtime, before->vtime + 1);
}

uint32_t sched_release(struct sched_entity *e, enum sched_why why, uint64_t now)
{
    uint32_t cpu = SCHED_NO_CPU;
    spin_guard(held, &lock);

    running[e->cpu] = NULL;
    e->asleep = e->off_pending && why == SCHED_BLOCK && !e->wake_pending;
    if (e->off_pending || (why == SCHED_BLOCK && !e->wake_pending)) {
        set_state(e, e->off_pending ? SCHED_OFF : SCHED_BLOCKED, now);
    } else {
        set_state(e, SCHED_READY, now);
        update_floor(now);
        e->vtime = earlier(e->vtime, floor_vtime + MAX_AHEAD);
        if (why != SCHED_PREEMPT)
            give_way(e);
        enqueue(e, now);
        cpu = place(e, now);
    }
    e->off_pending = e->wake_pending = false;
    return cpu;
}

/* Who waits longest among those cpu may run; of two as good as equal the one it ran last. */
static struct sched_entity *choose(uint32_t cpu)
{
    struct sched_entity *best = NULL;
    struct list *at;

    list_for_each(at, &queue) {
        struct sched_entity *e = list_entry(at, struct sched_entity, node);

        if (best && is_behind(best->vtime + GRANULARITY, e->vtime))
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

/* How long e, which runs, may go on. */
static uint64_t slice_for(const struct sched_entity *e, uint64_t now)
{
    const struct sched_group *g = e->group;
    uint64_t slice = SCHED_SLICE;

    if (g->quota)
        slice = MIN(slice, (uint64_t)g->left / g->active);
    return MAX(MIN(slice, next_period - now), LEAST_SLICE);
}

/* An idle CPU that may run the first who waits. */
static uint32_t find_idle(uint64_t now)
{
    const struct sched_entity *e = list_entry(queue.next, struct sched_entity, node);

    return !list_empty(&queue) && idle_cpus & e->affinity ? place(e, now) : SCHED_NO_CPU;
}

struct sched_entity *sched_pick(uint32_t cpu, uint64_t now, uint64_t *slice, uint32_t *kick)
{
    struct sched_entity *e;
    spin_guard(held, &lock);

    unpark(now);
    while ((e = choose(cpu)) && is_exhausted(e->group, now)) {
        list_del(&e->node);
        park(e);
    }
    if (e) {
        list_del(&e->node);
        set_state(e, SCHED_RUNNING, now);
        e->cpu = cpu;
        running[cpu] = e;
        idle_cpus &= ~BIT(cpu);
        update_floor(now);
        *slice = slice_for(e, now);
    } else {
        idle_cpus |= BIT(cpu);
        *slice = next_period == ~0UL ? ~0UL : next_period - now;
    }
    *kick = find_idle(now);
    return e;
}

bool sched_should_yield(struct sched_entity *e, enum sched_why why, uint64_t now, uint64_t *slice)
{
    struct list *at;
    spin_guard(held, &lock);

    if (e->off_pending || now >= next_period || is_exhausted(e->group, now) ||
        !(e->affinity & BIT(e->cpu)))
        return true;
    list_for_each(at, &queue) {
        const struct sched_entity *w = list_entry(at, struct sched_entity, node);

        if (why == SCHED_PREEMPT && is_behind(vtime_at(e, now), w->vtime + GRANULARITY))
            break;
        if (w->affinity & BIT(e->cpu))
            return true;
    }
    *slice = slice_for(e, now);
    return false;
}

void sched_clear_wake(struct sched_entity *e)
{
    __atomic_store_n(&e->wake_pending, false, __ATOMIC_SEQ_CST);
}

void sched_wake_self(struct sched_entity *e)
{
    __atomic_store_n(&e->wake_pending, true, __ATOMIC_SEQ_CST);
}

uint64_t sched_affinity(const struct sched_entity *e)
{
    return e->affinity == all_cpus ? 0 : e->affinity;
}

uint64_t sched_busy(uint64_t now)
{
    spin_guard(held, &lock);

    settle_running(NULL, now);
    return busy;
}

void sched_worked(uint64_t ns)
{
    spin_guard(held, &lock);

    busy += ns;
}

enum sched_state sched_times(struct sched_entity *e, uint64_t now, uint64_t time[SCHED_STATES],
                             uint64_t *since)
{
    spin_guard(held, &lock);

    for (int i = 0; i < SCHED_STATES; i++)
        time[i] = e->time[i];
    *since = e->since;
    if (now > e->since)
        time[e->state] += now - e->since;
    return e->state;
}

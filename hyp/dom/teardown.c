/* SPDX-License-Identifier: MIT */
/*
 * Work on domains in slices of some 100 us: building anew after a reboot, and teardown. One CPU at
 * a time works, on the domain at the head of the queue. Those that can only wait for others are on
 * a list of their own, and hold up nothing.
 */
#include <xen/errno.h>
#include "hyp/dom/domain.h"
#include "hyp/dom/image.h"
#include "hyp/lib/string.h"
#include "hyp/x86/watch.h"

#define PORTS       64 /* per slice */
#define GRANTS      64
#define PAGES       256
#define VCPUS       8
#define WAIT_PERIOD 1000000ULL /* ns between two looks at domains that wait for others */
#define DEAD_LIVES  4          /* of a guest, that others still hold: beyond, it is not restarted */

bool domain_power_off_when_idle;

static struct spinlock worker; /* held by the CPU that works */
static struct spinlock queue_lock;
static struct list queue = LIST_INIT(queue);
static struct list waiting = LIST_INIT(waiting); /* until look_at, then they are queued again */
static uint64_t look_at;                         /* ns */

/* What is dying is not built any more. */
static void enqueue(struct domain *d, enum domain_step step)
{
    spin_guard(held, &queue_lock);

    if (step == STEP_BUILD && READ_ONCE(d->dying))
        return;
    d->step = step;
    list_del(&d->work);
    list_add_tail(&queue, &d->work);
}

void domain_build(struct domain *d)
{
    enqueue(d, STEP_BUILD);
    domain_put(d);
}

void domain_destroy(struct domain *d, bool again)
{
    bool first;

    spin_lock(&d->lock);
    first = !d->dying;
    d->restart = again && (first || d->restart);
    WRITE_ONCE(d->dying, true);
    if (first)
        d->state = BH_DOMAIN_SHUTDOWN;
    d->paused = false;
    spin_unlock(&d->lock);
    if (first)
        enqueue(d, STEP_VCPUS);
}

void domain_idle_check(void)
{
    uint32_t id = 0;
    struct domain *d;
    bool guest = false;

    if (!domain_power_off_when_idle)
        return;
    while (!guest && (d = domain_next(id))) {
        guest = domain_is_guest(d);
        id = d->id + 1U;
        domain_put(d);
    }
    if (guest)
        return;
    log_line("no guest is left: powering off");
    power_off();
}

static bool vcpus_are_off(struct domain *d)
{
    bool off = true;

    for (uint32_t i = 0; i < d->nvcpus; i++) {
        struct vcpu *v = d->vcpus[i];

        if (!v)
            continue;
        if (!sched_is_off(&v->sched)) {
            run_stop(v);
            off = sched_is_off(&v->sched) && off;
        }
        timer_cancel(&v->singleshot);
        timer_cancel(&v->poll_timer);
    }
    return off;
}

static void free_areas(struct domain *d)
{
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        struct vcpu *v = d->vcpus[i];

        if (!v)
            continue;
        area_clear(&v->info);
        area_clear(&v->runstate_area);
        area_clear(&v->time_area);
    }
}

/* Some of d's vCPUs, the last ones first; true when none is left. */
static bool free_vcpus(struct domain *d, unsigned budget)
{
    for (; budget && d->nvcpus; budget--)
        domain_free_vcpu(d, --d->nvcpus);
    return !d->nvcpus;
}

/* Another domain from d's record, if d is to be followed by one. One of ours keeps its number: it
 * is in others' grants and event channels. */
static void restart(struct domain *d)
{
    struct domain *next;
    int failed;

    if (!d->restart)
        return;
    failed = domain_create(d->record, domain_is_guest(d) ? 0 : d->id, false, &next);
    d->restart = false; /* only now: until then its name is taken */
    if (failed)
        return;
    memcpy(next->images, d->images, sizeof(d->images));
    memset(d->images, 0, sizeof(d->images));
    vault_hand_on(d, next);
    domain_build(next);
}

/* d has no memory of its own any more, but for what others have mapped. It keeps tables and frames
 * that count for nobody: so a guest has not many such lives. */
static void become_zombie(struct domain *d)
{
    d->state = BH_DOMAIN_ZOMBIE;
    if (domain_is_guest(d) && domain_zombies(d) <= DEAD_LIVES)
        restart(d);
    else if (d->restart)
        log_line("[%s] domain %u starts again when others let go of %u of its frames",
                 d->record->name, d->id, grant_mapped_by_others(d));
    domain_changed();
}

/* Nobody else has any of it any more. A guest's successor comes before it goes, or the host might
 * seem to be without guests; one of ours cannot, and does not count. */
static enum domain_step gone(struct domain *d)
{
    if (domain_is_guest(d))
        restart(d);
    if (!d->restart && !image_free_slice(d, PAGES)) /* which no successor has taken */
        return STEP_ZOMBIE;
    domain_unlink(d);
    restart(d);
    domain_changed();
    return STEP_NONE;
}

static enum domain_step build_step(struct domain *d)
{
    int rc = build_slice(d);
    struct locked held;

    if (!rc)
        return STEP_BUILD;
    if (rc < 0) {
        domain_destroy(d, false);
        return STEP_VCPUS;
    }
    held = spin_lock(&d->lock);
    if (!d->dying)
        d->state = d->by_call ? BH_DOMAIN_LOADING : BH_DOMAIN_READY;
    if (d->state == BH_DOMAIN_READY && !(domain_is_guest(d) && domain_control))
        domain_start(d, held); /* others the control domain starts */
    spin_unlock(&d->lock);
    domain_changed();
    return STEP_NONE;
}

/* One slice; *wait: nothing can be done for d now. The step to do next. */
static enum domain_step work_on(struct domain *d, enum domain_step step, bool *wait)
{
    switch (step) {
    case STEP_BUILD:
        return build_step(d);
    case STEP_VCPUS:
        *wait = !vcpus_are_off(d);
        return *wait ? step : STEP_EVTCHN;
    case STEP_EVTCHN:
        if (!evtchn_free_slice(d, PORTS))
            return step;
        free_areas(d);
        return STEP_GRANT;
    case STEP_GRANT:
        return d->grants.active && !grant_free_slice(d, GRANTS) ? step : STEP_MEMORY;
    case STEP_MEMORY:
        ram_drop(d);
        if (d->arch.p2m.root && !p2m_free_slice(&d->arch.p2m, PAGES))
            return step;
        return d->restart || vault_free_slice(d, PAGES) ? STEP_FREE : step;
    case STEP_FREE:
        return free_vcpus(d, VCPUS) ? STEP_ZOMBIE : step;
    case STEP_ZOMBIE:
        if (!d->restart && !image_free_slice(d, PAGES))
            return step;
        if (!grant_mapped_by_others(d))
            return gone(d);
        if (d->state != BH_DOMAIN_ZOMBIE)
            become_zombie(d);
        *wait = true;
        return step;
    default:
        return STEP_NONE;
    }
}

/* The domain at the head of the queue. */
static struct domain *take(void)
{
    spin_guard(held, &queue_lock);

    if (!list_empty(&waiting) && now_ns() >= look_at)
        list_move_tail(&queue, &waiting);
    return list_empty(&queue) ? NULL : list_entry(queue.next, struct domain, work);
}

/* A step may have been queued by another CPU meanwhile (domain_destroy): that one stays. */
static void put_back(struct domain *d, enum domain_step was, enum domain_step next, bool wait)
{
    spin_guard(held, &queue_lock);

    if (d->step == was)
        d->step = next;
    else
        wait = false;
    list_del(&d->work);
    if (d->step == STEP_NONE)
        return;
    if (wait && list_empty(&waiting))
        look_at = now_ns() + WAIT_PERIOD;
    list_add_tail(wait ? &waiting : &queue, &d->work);
}

bool domain_work(void)
{
    enum domain_step was, next;
    struct domain *d;
    bool wait = false;

    if (!spin_trylock(&worker))
        return false;
    d = take();
    if (d) {
        was = d->step;
        WATCH(note("work step", was, d->record->name));
        __atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
        next = work_on(d, was, &wait);
        put_back(d, was, next, wait);
    }
    spin_unlock(&worker);
    if (d)
        domain_put(d);
    return d;
}

bool domain_work_waits(void)
{
    return READ_ONCE(queue.next) != &queue || READ_ONCE(waiting.next) != &waiting;
}

uint64_t domain_work_due(void)
{
    spin_guard(held, &queue_lock);

    if (!list_empty(&queue))
        return 0;
    return list_empty(&waiting) ? ~0UL : look_at;
}

/* SPDX-License-Identifier: MIT */
/* Each CPU's event loop: which vCPU it runs, and what the machine layer asks about running. */
#include "hyp/dom/dom.h"
#include "hyp/dom/invariant.h"
#include "hyp/x86/upcall.h"
#include "hyp/x86/watch.h"

#define LOG_POLL    1000000ULL /* ns: how soon a CPU looks again at a log that is not out yet */
#define HANDLE_NS   40000UL    /* ns that one exit may take before the rest is put off */
#define WORK_PERIOD 250000ULL  /* ns between work and work on a CPU that has a guest to run */
#define WORK_TIME   20000ULL   /* ns: no further slice is begun after it */

static struct run {
    struct vcpu *current;
    enum sched_why why; /* what to tell the scheduler when current goes */
    struct timer slice;
    uint64_t ask_again; /* ns: while idle, when the scheduler has somebody at the latest */
    uint64_t next_work; /* ns */
} runs[MAX_CPUS];

bool run_preempted(void)
{
    const struct cpu *c = this_cpu();

    return READ_ONCE(c->resched) || rdtsc() - c->exited >= ns_to_tsc(HANDLE_NS);
}

/* cpu must ask the scheduler again. */
static void poke(uint32_t cpu)
{
    if (cpu == SCHED_NO_CPU)
        return;
    WRITE_ONCE(cpus[cpu].resched, true);
    if (cpu != this_cpu()->id)
        apic_send_event(cpu);
}

void run_start(struct vcpu *v)
{
    sched_wake(&v->sched, now_ns());
    if (!v->dom->paused)
        run_go_on(v);
}

void run_go_on(struct vcpu *v)
{
    poke(sched_on(&v->sched, now_ns()));
}

void run_move(struct vcpu *v, uint64_t affinity)
{
    poke(sched_move(&v->sched, affinity, now_ns()));
}

void run_shares(struct domain *d, uint32_t weight, uint32_t cap)
{
    sched_group_change(&d->sched, weight, cap, now_ns());
    poke(this_cpu()->id);
}

void run_stop(struct vcpu *v)
{
    if (!sched_off(&v->sched, now_ns()))
        poke(READ_ONCE(v->sched.cpu));
}

void run_wake(struct vcpu *v)
{
    uint32_t cpu;

    WRITE_ONCE(v->arch.notified, true);
    if (this_cpu()->loaded == &v->arch) { /* nobody else can put it to sleep */
        sched_wake_self(&v->sched);
        return;
    }
    poke(sched_wake(&v->sched, now_ns()));
    cpu = READ_ONCE(v->sched.cpu);
    if (READ_ONCE(v->sched.state) == SCHED_RUNNING && cpu != this_cpu()->id)
        apic_send_event(cpu);
}

static void leave_cpu(enum sched_why why)
{
    struct cpu *c = this_cpu();

    runs[c->id].why = why;
    WRITE_ONCE(c->resched, true);
}

void run_block(void)
{
    leave_cpu(SCHED_BLOCK);
}

bool upcall_event_pending(struct x86_vcpu *v)
{
    struct vcpu_info *info = vcpu_info_open(vcpu_of(v));
    bool pending = false;

    if (info) {
        pending = READ_ONCE(info->evtchn_upcall_pending);
        vcpu_info_close(vcpu_of(v), info);
    }
    return pending;
}

void upcall_block(struct x86_vcpu *v)
{
    sched_clear_wake(&vcpu_of(v)->sched);
    if (!vcpu_has_event(v))
        run_block();
}

void upcall_notify(struct x86_vcpu *v)
{
    run_wake(vcpu_of(v));
}

void upcall_yield(struct x86_vcpu *v)
{
    (void)v;
    leave_cpu(SCHED_YIELD);
}

bool run_down(struct vcpu *v, struct locked held)
{
    const struct domain *d = v->dom;

    (void)held;
    WRITE_ONCE(v->down, true);
    run_stop(v);
    for (uint32_t i = 0; i < d->nvcpus; i++)
        if (!READ_ONCE(d->vcpus[i]->down))
            return false;
    return true;
}

bool run_init(struct vcpu *v, struct locked held)
{
    v->arch.wait_sipi = true;
    return run_down(v, held);
}

void upcall_init(struct x86_vcpu *x)
{
    struct domain *d = vcpu_of(x)->dom;
    struct locked held = spin_lock(&d->lock);
    bool last = d->state == BH_DOMAIN_RUNNING && run_init(vcpu_of(x), held);

    spin_unlock(&d->lock);
    if (last) /* by INIT to itself: nobody is left who could send a SIPI */
        domain_shutdown(d, SHUTDOWN_poweroff, "every vCPU waits to be started");
}

bool upcall_sipi(struct x86_vcpu *x, uint8_t vector)
{
    struct vcpu *v = vcpu_of(x);
    spin_guard(held, &v->dom->lock);

    if (v->dom->state != BH_DOMAIN_RUNNING || !x->wait_sipi)
        return true;
    if (!sched_is_off(&v->sched))
        return false;
    x->wait_sipi = false;
    vcpu_set_sipi(x, vector);
    v->initialised = true;
    WRITE_ONCE(v->down, false);
    vcpu_info_time(v);
    run_start(v);
    return true;
}

/* v is the current one. */
void upcall_stopped(struct x86_vcpu *x)
{
    struct domain *d = vcpu_of(x)->dom;
    bool last = run_down(vcpu_of(x), spin_lock(&d->lock));

    spin_unlock(&d->lock);
    if (last)
        domain_shutdown(d, SHUTDOWN_poweroff, "every vCPU has halted for good");
}

void upcall_shutdown(struct x86_vcpu *v, unsigned reason, const char *why)
{
    domain_shutdown(vcpu_of(v)->dom, reason, why);
}

static void slice_over(struct timer *t)
{
    (void)t;
    WRITE_ONCE(this_cpu()->resched, true);
}

/* Puts the current vCPU back into memory; only then others may take it. */
static void put_back(struct run *r)
{
    struct vcpu *v = r->current;
    int state = READ_ONCE(v->down)      ? RUNSTATE_offline
                : r->why == SCHED_BLOCK ? RUNSTATE_blocked
                                        : RUNSTATE_runnable;

    vcpu_save(&v->arch);
    vcpu_info_runstate_write(v, state);
    r->current = NULL;
    poke(sched_release(&v->sched, r->why, now_ns()));
}

/* Where the TSC's scale is not exact the clock begins anew, before its error can be seen. */
static void begin_slice(struct run *r, uint64_t now, uint64_t slice)
{
    if (r->current->dom->arch.tsc.ratio)
        vcpu_info_time(r->current);
    timer_set(&r->slice, now + (log_pending() ? LOG_POLL : slice));
}

/* Asks the scheduler, and takes what it gives. */
static void choose(struct run *r, struct cpu *c)
{
    uint64_t slice, now = now_ns();
    struct sched_entity *e;
    uint32_t kick;

    WRITE_ONCE(c->resched, false);
    if (r->current) {
        if (r->why != SCHED_BLOCK && !sched_should_yield(&r->current->sched, r->why, now, &slice)) {
            r->why = SCHED_PREEMPT;
            begin_slice(r, now, slice);
            return;
        }
        put_back(r);
    }
    r->why = SCHED_PREEMPT;
    e = sched_pick(c->id, now, &slice, &kick);
    poke(kick);
    r->ask_again = slice == ~0UL ? ~0UL : now + slice;
    if (!e) {
        timer_cancel(&r->slice);
        return;
    }
    r->current = container_of(e, struct vcpu, sched);
    __atomic_store_n(&r->current->poll, 0, __ATOMIC_SEQ_CST);
    vcpu_load(&r->current->arch);
    vcpu_info_runstate_write(r->current, RUNSTATE_running);
    begin_slice(r, now, slice);
}

/* Nothing to run: work that waits, or sleep. */
static void idle(struct run *r)
{
    uint64_t due, now = now_ns();

    if (domain_work()) {
        sched_worked(now_ns() - now);
        return;
    }
    due = MIN(domain_work_due(), r->ask_again);
    if (log_pending())
        due = MIN(due, now_ns() + LOG_POLL);
    if (due != ~0UL)
        timer_set(&r->slice, due);
    cpu_idle();
}

/* Some work beside a guest. */
static void work(struct run *r)
{
    uint64_t until = now_ns() + WORK_TIME;

    while (domain_work() && now_ns() < until)
        ;
    r->next_work = now_ns() + WORK_PERIOD;
}

void cpu_run_loop(void)
{
    struct cpu *c = this_cpu();
    struct run *r = &runs[c->id];

    timer_init(&r->slice, slice_over);
    WRITE_ONCE(c->resched, true);
    for (;;) {
        WATCH(stop());
        WATCH(start());
        irq_window();
        INVARIANT(park()); /* from here on its call wakes us, if we go to sleep */
        if (READ_ONCE(c->resched))
            choose(r, c);
        if (!r->current) {
            idle(r);
            continue;
        }
        if (domain_work_waits() && now_ns() >= r->next_work)
            work(r);
        WATCH(note("entry", 0, r->current->arch.dom->name));
        if (!READ_ONCE(c->resched))
            vcpu_enter(&r->current->arch);
    }
}

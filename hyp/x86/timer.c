/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers: a sorted list for each CPU, its local APIC's timer programmed for the first
 * (SDM vol. 3 ch. 11.5.4). The interrupt does nothing but end a halt or a guest's run: timers run
 * afterwards, outside of interrupts, so they may take locks.
 */

#include "hyp/lib/log.h"
#include "hyp/x86/apic.h"
#include "hyp/x86/apicreg.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/time.h"
#include "hyp/x86/trap.h"

#define DIVIDE_BY_1      0xb
#define NEVER            (~0UL)
#define SAMPLES          5
#define SAMPLE_NS        2000000UL
#define LONGEST_NS       1000000000UL /* one shot; a longer wait takes several */

static uint32_t apic_khz;               /* of the counter; unused with TSC deadlines */
static struct timer *running[MAX_CPUS]; /* whose fn runs there; only compared */

static uint64_t sample(void)
{
    uint64_t from, ns;

    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
    from = now_ns();
    do
        ns = now_ns() - from;
    while (ns < SAMPLE_NS);
    return (uint64_t)(UINT32_MAX - apic_read(APIC_TIMER_CURRENT)) * 1000000 / ns;
}

static void measure(void)
{
    uint64_t v[SAMPLES];

    for (unsigned i = 0; i < SAMPLES; i++)
        v[i] = sample();
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_khz = (uint32_t)MAX(time_median(v, SAMPLES), 1UL);
    log_line("local APIC timer %u kHz", apic_khz);
}

/* It may come before the deadline: the zero makes timer_run() program the rest. */
static void on_interrupt(uint8_t vector)
{
    (void)vector;
    this_cpu()->timer_programmed = this_cpu()->timer_tsc = 0;
    apic_eoi();
}

void timer_init_cpu(void)
{
    struct cpu *c = this_cpu();

    list_init(&c->timers);
    c->timer_programmed = NEVER;
    apic_write(APIC_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (features.tsc_deadline ? LVT_TSC_DEADLINE : 0));
    memory_barrier(); /* the mode before the first deadline, SDM 11.5.4.1 */
    if (c->id)
        return;
    trap_set_handler(VECTOR_TIMER, on_interrupt);
    if (!features.tsc_deadline)
        measure();
}

static void program(struct cpu *c, uint64_t now)
{
    uint64_t deadline = NEVER, ns;

    if (!list_empty(&c->timers))
        deadline = list_entry(c->timers.next, struct timer, node)->deadline;
    if (deadline == c->timer_programmed)
        return;
    c->timer_programmed = deadline;
    ns = deadline > now ? MIN(deadline - now, LONGEST_NS) : 0;
    c->timer_tsc = deadline == NEVER ? NEVER : rdtsc() + ns_to_tsc(ns) + 1;
    if (features.tsc_deadline)
        wrmsr(MSR_TSC_DEADLINE, deadline == NEVER ? 0 : c->timer_tsc);
    else
        apic_write(APIC_TIMER_INITIAL,
                   deadline == NEVER
                       ? 0
                       : (uint32_t)MIN(ns * apic_khz / 1000000 + 1, (uint64_t)UINT32_MAX));
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
    list_init(&t->node);
}

/* Takes t off the queue it stands in. */
static void dequeue(struct timer *t)
{
    struct cpu *c;

    while ((c = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE))) {
        spin_lock(&c->timer_lock);
        if (t->cpu == c) {
            list_del(&t->node);
            t->cpu = NULL;
        }
        spin_unlock(&c->timer_lock);
    }
}

void timer_set(struct timer *t, uint64_t deadline)
{
    struct cpu *c = this_cpu();
    struct list *at;

    dequeue(t);
    spin_lock(&c->timer_lock);
    list_for_each(at,
                  &c->timers) if (list_entry(at, struct timer, node)->deadline > deadline) break;
    t->deadline = deadline;
    list_add_tail(at, &t->node);
    t->cpu = c;
    program(c, now_ns());
    spin_unlock(&c->timer_lock);
}

/* Its function may be running on another CPU, and may set it again: then it is taken off again. */
void timer_cancel(struct timer *t)
{
    do {
        dequeue(t);
        for (uint32_t i = 0; i < ncpus; i++)
            while (i != this_cpu()->id && __atomic_load_n(&running[i], __ATOMIC_ACQUIRE) == t)
                cpu_relax();
    } while (__atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE));
}

void timer_run(void)
{
    struct cpu *c = this_cpu();

    spin_lock(&c->timer_lock);
    while (!list_empty(&c->timers)) {
        struct timer *t = list_entry(c->timers.next, struct timer, node);

        if (t->deadline > now_ns())
            break;
        list_del(&t->node);
        WRITE_ONCE(running[c->id], t);
        __atomic_store_n(&t->cpu, NULL, __ATOMIC_RELEASE); /* who sees it sees running too */
        spin_unlock(&c->timer_lock);
        t->fn(t);
        __atomic_store_n(&running[c->id], NULL, __ATOMIC_RELEASE);
        spin_lock(&c->timer_lock);
    }
    program(c, now_ns());
    spin_unlock(&c->timer_lock);
}

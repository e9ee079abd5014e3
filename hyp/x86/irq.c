/* SPDX-License-Identifier: MIT */
/* When interrupts are taken, and which function a legacy interrupt runs. */

#include <xen/errno.h>

#include "hyp/lib/log.h"
#include "hyp/x86/acpi.h"
#include "hyp/x86/ioapic.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/paging.h"
#include "hyp/x86/trap.h"
#include "hyp/x86/watch.h"

#define LEGACY_IRQS  16
#define IDLE_PUMPS   256     /* pieces of the log written before a halt, if the port takes them */
#define LOG_PAUSE_NS 1000000 /* a slow port's FIFO drains in 1.4 ms */

static struct line {
    void (*fn)(void *arg);
    void *arg;
    uint32_t pin;
    bool level;
} lines[LEGACY_IRQS];
static struct spinlock lock; /* lines and the I/O APIC; nothing else is taken under it */
static struct timer log_timers[MAX_CPUS];

static void on_event(uint8_t vector)
{
    (void)vector;
    apic_eoi();
}

static void on_spurious(uint8_t vector)
{
    (void)vector; /* not to be ended, SDM vol. 3, 11.9 */
}

static void on_line(uint8_t vector)
{
    unsigned irq = vector - VECTOR_IRQ0;
    void (*fn)(void *arg);
    void *arg;

    spin_lock(&lock);
    fn = lines[irq].fn;
    arg = lines[irq].arg;
    if (fn && lines[irq].level)
        ioapic_mask(lines[irq].pin, true);
    spin_unlock(&lock);
    apic_eoi();
    if (fn)
        fn(arg);
}

static void pump(struct timer *t)
{
    (void)t;
    log_pump();
}

void irq_init(void)
{
    trap_set_handler(VECTOR_EVENT, on_event);
    trap_set_handler(VECTOR_SPURIOUS, on_spurious);
    for (uint8_t i = 0; i < LEGACY_IRQS; i++)
        trap_set_handler((uint8_t)(VECTOR_IRQ0 + i), on_line);
    for (unsigned i = 0; i < MAX_CPUS; i++)
        timer_init(&log_timers[i], pump);
    ioapic_init();
}

/* Of this CPU, or of one that the I/O APIC reaches. */
static uint32_t reachable(void)
{
    uint32_t id = this_cpu()->apic_id;

    for (uint32_t i = 0; i < ncpus && id > IOAPIC_LAST_CPU; i++)
        id = cpus[i].apic_id;
    return id;
}

int irq_bind(unsigned irq, void (*fn)(void *arg), void *arg)
{
    bool level = false, low = false;
    uint32_t pin;
    int error = 0;

    if (irq >= LEGACY_IRQS || !fn)
        return -XEN_EINVAL;
    pin = irq - acpi.ioapic_gsi;
    for (uint32_t i = 0; i < acpi.noverrides; i++)
        if (acpi.overrides[i].irq == irq) {
            pin = acpi.overrides[i].gsi - acpi.ioapic_gsi;
            level = acpi.overrides[i].level;
            low = acpi.overrides[i].low;
        }
    spin_lock(&lock);
    if (lines[irq].fn)
        error = -XEN_EBUSY;
    else if (!ioapic_route(pin, (uint8_t)(VECTOR_IRQ0 + irq), reachable(), level, low))
        error = -XEN_EINVAL;
    else
        lines[irq] = (struct line){fn, arg, pin, level};
    spin_unlock(&lock);
    return error;
}

void irq_unmask(unsigned irq)
{
    spin_lock(&lock);
    if (lines[irq].fn)
        ioapic_mask(lines[irq].pin, false);
    spin_unlock(&lock);
}

void irq_unbind(unsigned irq)
{
    spin_lock(&lock);
    if (lines[irq].fn)
        ioapic_mask(lines[irq].pin, true);
    lines[irq].fn = NULL;
    spin_unlock(&lock);
}

static void after_interrupts(void)
{
    paging_refresh();
    if (!READ_ONCE(this_cpu()->timer_programmed)) /* its interrupt has come */
        timer_run();
    log_pump();
}

void irq_window(void)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
    after_interrupts();
}

void cpu_idle(void)
{
    struct cpu *c = this_cpu();

    for (unsigned i = 0; i < IDLE_PUMPS && log_pump(); i++)
        ;
    if (log_pending())
        timer_set(&log_timers[c->id], now_ns() + LOG_PAUSE_NS);
    if (!READ_ONCE(c->resched)) {
        WATCH(stop());
        __asm__ volatile("sti; hlt; cli" : : : "memory");
        WATCH(start());
    }
    after_interrupts();
}

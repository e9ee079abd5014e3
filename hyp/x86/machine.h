/* SPDX-License-Identifier: MIT */
/*
 * What the bare machine offers to the rest of the hypervisor: mapping, interrupts, time, timers,
 * power. Owners: paging.c, apic.c, ioapic.c, time.c, timer.c, power.c, smp.c.
 */
#ifndef BH_X86_MACHINE_H
#define BH_X86_MACHINE_H

#include "hyp/x86/cpu.h"
#include "hyp/x86/layout.h"

/* Maps n bytes of device registers or firmware tables (uncached: ro false). Never unmapped. */
void *map_io(hpa_t a, size_t n, bool uncached);
/* The physical address of something in the hypervisor's image, a stack or a mapped chunk. */
hpa_t hva_to_hpa(const void *p);

/* Sends VECTOR_EVENT to cpu; its handler does nothing: the exit is the message. */
void apic_send_event(uint32_t cpu);
void apic_eoi(void);
/* Stops all other CPUs for good, by NMI; they do not answer. */
void apic_halt_others(void);

/* The handlers of all interrupts but the timer's, and the interrupt controllers. Boot CPU. */
void irq_init(void);
/* Takes pending host interrupts now, with interrupts enabled for an instant. Run loop only. */
void irq_window(void);
/*
 * Halts until an interrupt comes and takes it; returns at once when this_cpu()->resched is set,
 * which is checked with interrupts off.
 */
void cpu_idle(void);

/*
 * Routes legacy IRQ 0..15 (with the MADT's overrides) to this CPU: fn(arg) runs from irq_window()
 * at each interrupt, with the line masked when it is level-triggered until irq_unmask(). 0 or
 * -XEN_EBUSY, -XEN_EINVAL. After irq_unbind() it may still run once, for an interrupt that another
 * CPU had taken.
 */
int irq_bind(unsigned irq, void (*fn)(void *arg), void *arg);
void irq_unmask(unsigned irq);
void irq_unbind(unsigned irq);

/*
 * Nanoseconds since the loader's hand-over; monotonic, the same on all CPUs. tsc_to_ns(): when the
 * TSC stood at tsc; ns_to_tsc(): ticks in ns nanoseconds.
 */
uint64_t now_ns(void);
uint64_t tsc_to_ns(uint64_t tsc);
uint64_t ns_to_tsc(uint64_t ns);
extern uint32_t tsc_khz;
/* pvclock: ns = (ticks << shift) * mul >> 32 (shift < 0: right). */
extern uint32_t tsc_mul;
extern int8_t tsc_shift;
/* Seconds since 1970 (UTC, from the CMOS clock) at now_ns() == 0, and its ns part. */
uint64_t wallclock_boot_ns(void);

/* One-shot timers. fn runs on the CPU the timer was set on, from irq_window() or cpu_idle(). */
struct timer {
    struct list node;
    uint64_t deadline; /* ns */
    void (*fn)(struct timer *t);
    struct cpu *cpu; /* where it is queued; NULL when not */
};
/* This CPU's queue and local APIC timer; the first call measures it. Needs apic_init(), time. */
void timer_init_cpu(void);
/* Runs the timers of this CPU that are due, and programs the hardware for the next. */
void timer_run(void);
void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Queues t on this CPU (moving it when it is queued); a deadline in the past fires soon. */
void timer_set(struct timer *t, uint64_t deadline);
/* After this t->fn is neither queued nor running on another CPU. */
void timer_cancel(struct timer *t);

/* ACPI S5, reset (FADT reset register, 0xcf9, triple fault). The log is flushed first. */
void power_off(void) __noreturn;
void power_reset(void) __noreturn;
extern bool panic_reboots; /* host option panic=reboot */

/* The first serial port and port 0xE9 as log sink. */
void uart_init(void);
/* Waits until the port has sent what it took. */
void uart_drain(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Storms: events to itself and to a neighbour, interprocessor interrupts, timers that are due at
 * once and periodic ones, console lines. They go on, one after the other, until the neighbour, who
 * has offered a port, is gone. With two vCPUs the second one takes what the first one sends.
 */
#include "tests/guest/hostile.h"

#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define X2APIC(reg)  (0x800U + (reg))
#define EOI          X2APIC(0x0b)
#define SVR          X2APIC(0x0f)
#define ICR          X2APIC(0x30)
#define LVT_TIMER    X2APIC(0x32)
#define TIMER_COUNT  X2APIC(0x38)
#define TIMER_DIVIDE X2APIC(0x3e)
#define SELF_IPI     X2APIC(0x3f)
#define VECTOR       0x41UL
#define PERIODIC     (1UL << 17)
#define MASKED       (1UL << 16)
#define OTHERS       (3UL << 18) /* the destination of an IPI: all but oneself */
#define NMI          (4UL << 8)
#define ROUND        300U

uint64_t storm_taken; /* by the assembler part */
static evtchn_port_t own_port, neighbours_port;
static bool over;
void storm_interrupt(void);

__asm__(".text\n"
        ".globl storm_interrupt\n"
        "storm_interrupt:\n"
        "    pushq %rax\n"
        "    pushq %rcx\n"
        "    pushq %rdx\n"
        "    lock incq storm_taken\n"
        "    movl $0x80b, %ecx\n"
        "    xorl %eax, %eax\n"
        "    xorl %edx, %edx\n"
        "    wrmsr\n"
        "    popq %rdx\n"
        "    popq %rcx\n"
        "    popq %rax\n"
        "    iretq\n");

static void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void send(evtchn_port_t port)
{
    evtchn_send_t s = {.port = port};

    HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &s);
}

static void events(evtchn_port_t port)
{
    for (unsigned i = 0; i < ROUND; i++) {
        send(port);
        __atomic_store_n(&rt_shared.evtchn_pending[0], 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&rt_shared.vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
        __asm__ volatile("sti; nop; cli");
    }
}

static void interrupts(uint64_t icr)
{
    for (unsigned i = 0; i < ROUND; i++) {
        wrmsr(ICR, icr);
        wrmsr(SELF_IPI, VECTOR);
        __asm__ volatile("sti; nop; cli");
    }
}

static void timers(void)
{
    for (unsigned i = 0; i < ROUND; i++) {
        vcpu_set_singleshot_timer_t t = {.timeout_abs_ns = rt_now() + 1};
        sched_poll_t sleep = {.timeout = rt_now() + 2000};

        HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &t);
        wrmsr(TIMER_COUNT, 1); /* a ns */
        __asm__ volatile("sti; nop; cli");
        if (i % 16 == 0)
            HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &sleep);
    }
    wrmsr(LVT_TIMER, VECTOR | PERIODIC);
    wrmsr(TIMER_COUNT, 1);
    for (uint64_t until = storm_taken + ROUND / 4; READ_ONCE(storm_taken) < until;)
        __asm__ volatile("sti; nop; cli");
    wrmsr(LVT_TIMER, VECTOR);
}

static void console(void)
{
    for (unsigned i = 0; i < ROUND / 10; i++)
        rt_print("a line of a flood, number %u\n", i);
}

static void second(void)
{
    wrmsr(SVR, 0x1ff);
    while (!READ_ONCE(over))
        __asm__ volatile("sti; pause");
    HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_down, 1, 0);
}

static int status(evtchn_port_t port)
{
    evtchn_status_t s = {.dom = DOMID_SELF, .port = port};

    HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s);
    return (int)s.status;
}

/* Any port that some domain has offered to this one: there is one who does. */
static void find_neighbour(void)
{
    evtchn_bind_interdomain_t b = {0};

    for (;; HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0))
        for (b.remote_dom = 2; b.remote_dom < 8; b.remote_dom++)
            for (b.remote_port = 1; b.remote_port < 24; b.remote_port++)
                if (b.remote_dom != rt_domid() &&
                    !HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &b)) {
                    neighbours_port = b.local_port;
                    return;
                }
}

/* The log drops lines of who floods it: until a serial line has written out what it holds. */
static void rest(void)
{
    sched_poll_t sleep = {.timeout = rt_now() + 3000000000UL};

    WRITE_ONCE(over, true);
    while (rt_now() < sleep.timeout)
        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &sleep);
}

void probe_main(void)
{
    evtchn_bind_ipi_t ipi = {.vcpu = 0};
    unsigned rounds = 0;

    hostile_gate(2, hostile_iret);
    hostile_gate(VECTOR, storm_interrupt);
    wrmsr(SVR, 0x1ff);
    wrmsr(TIMER_DIVIDE, 0xb);
    wrmsr(LVT_TIMER, VECTOR);
    EQUAL(HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &ipi), 0);
    own_port = ipi.port;
    find_neighbour();
    if (hostile_option("vcpus", 1) > 1)
        EQUAL(hostile_start_vcpu(1, second), 0);
    for (; status(neighbours_port) == EVTCHNSTAT_interdomain; rounds++) {
        events(own_port);
        events(neighbours_port);
        interrupts(OTHERS | VECTOR);
        interrupts(OTHERS | NMI);
        timers();
        console();
    }
    rest();
    rt_print("%u rounds, %lu interrupts\n", rounds, storm_taken);
    TRUE(rounds);
}

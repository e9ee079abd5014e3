/* SPDX-License-Identifier: MIT */
/*
 * What exits, hypercalls, events and grants cost, in ticks of the TSC. The same image runs as a
 * guest of Bulkhead and as dom0 of Xen (dom0=pvh). The command line says which part it plays:
 *
 *   (nothing)   measures what one domain can do alone
 *   peer=N      then what takes two, with domain N, which is its partner
 *   loop=N      all of it, and then all operations again and again; with
 *   partner=N   serves domain N until it is dismissed
 */

#include "tests/bench/bench.h"

#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/version.h>
#include "hyp/lib/string.h"
#include "tests/bench/measure.h"

#define MSR_EFER 0xc0000080
#define SETTLE   10000 /* exits, in which the host's log empties */
/* The PIT: Bulkhead's guests have none, and Xen's dom0 is neither let at it nor gets another. */
#define FREE_PORT 0x43

static uint32_t self_port;

bool bench_take(uint32_t port)
{
    uint64_t bit = 1UL << port % 64;

    rt_shared.vcpu_info[0].evtchn_upcall_pending = 0;
    rt_shared.vcpu_info[0].evtchn_pending_sel = 0;
    return __atomic_fetch_and(&rt_shared.evtchn_pending[port / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

static void null_hypercall(void)
{
    if (HYPERCALL2(__HYPERVISOR_xen_version, XENVER_version, 0) < 0x40000)
        measure_failed(-1);
}

static void cpuid(void)
{
    uint32_t a = 0, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

static void rdmsr(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(MSR_EFER));
}

static void in(void)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"((uint16_t)FREE_PORT));
    if (v != 0xff)
        measure_failed(v);
}

static void yield(void)
{
    if (HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0))
        measure_failed(-1);
}

/* The port is masked: the hypervisor sets its bit, and that is all. */
static void send_masked(void)
{
    rt_notify(self_port);
    if (!bench_take(self_port))
        measure_failed(-1);
}

/* The handler, rt_upcall(), has run before the hypercall's next instruction. */
static void send(void)
{
    __asm__ volatile("sti" : : : "memory");
    rt_notify(self_port);
    __asm__ volatile("cli" : : : "memory");
    if (rt_shared.vcpu_info[0].evtchn_upcall_pending || !bench_take(self_port))
        measure_failed(-1);
}

static void events(void)
{
    evtchn_bind_ipi_t bind = {.vcpu = 0};

    if (HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &bind))
        rt_panic("no event channel");
    self_port = bind.port;
    rt_shared.evtchn_mask[self_port / 64] |= 1UL << self_port % 64;
    measure("event-masked", send_masked);
    rt_shared.evtchn_mask[self_port / 64] &= ~(1UL << self_port % 64);
    measure("event-self", send);
}

void bench_settle(void)
{
    for (unsigned i = 0; i < SETTLE; i++)
        cpuid();
}

static void alone(void)
{
    bench_settle();
    measure("hypercall", null_hypercall);
    measure("cpuid", cpuid);
    measure("rdmsr", rdmsr);
    measure("in", in);
    measure("yield", yield);
    events();
}

static bool number(const char *word, uint16_t *n)
{
    size_t length = strlen(word);
    const char *c = rt_cmdline + length;

    if (strncmp(rt_cmdline, word, length))
        return false;
    for (*n = 0; *c >= '0' && *c <= '9'; c++)
        *n = (uint16_t)(*n * 10 + *c - '0');
    return true;
}

/* Reboot and not power-off: Xen resets the machine then, but halts for ever when dom0 powers off.
 */
static void init(void)
{
    uint64_t start = rt_now(); /* since the hypervisor was started */
    uint16_t other;
    bool serve = number("partner=", &other), loop = !serve && number("loop=", &other);
    bool two = loop || (!serve && number("peer=", &other));

    grants_init();
    if (serve) {
        pair_serve(other);
    } else {
        measure_note("start-ns", start);
        alone();
        grants_give(rt_domid());
        grants_copy(rt_domid(), "own-copy-64", "own-copy-4096");
        if (two)
            pair_measure(other);
        measure_print();
        if (loop)
            measure_forever();
        if (two)
            pair_end(other);
    }
    rt_shutdown(SHUTDOWN_reboot);
}

static void notified(uint32_t port)
{
    (void)port;
}

const struct component component = {COMPONENT_MAGIC, init, notified};

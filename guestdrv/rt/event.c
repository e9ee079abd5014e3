/* SPDX-License-Identifier: MIT */
/*
 * Event channels (2-level ABI), time and the loop. Interrupts are off but for the sleep, which the
 * upcall ends; ports are looked at in the loop, so that no handler interrupts another.
 */
#include "guestdrv/rt/internal.h"

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/vcpu.h>

#define CALLBACK_VECTOR (2UL << 56) /* HVM_PARAM_CALLBACK_TYPE_VECTOR */
#define NEAR_NS         50000UL     /* falling asleep and waking up take longer */

struct shared_info rt_shared __aligned(4096);

static uint64_t deadline = ~0UL;
static void (*tick)(void);
static uint32_t timer_port;

static struct vcpu_info *self(void)
{
    return &rt_shared.vcpu_info[0];
}

uint64_t rt_ticks_ns(uint64_t ticks)
{
    volatile struct vcpu_time_info *t = &self()->time;

    ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
    return (uint64_t)(((unsigned __int128)ticks * t->tsc_to_system_mul) >> 32);
}

uint64_t rt_now(void)
{
    volatile struct vcpu_time_info *t = &self()->time;
    uint32_t version, lo, hi;
    uint64_t ns;

    do {
        version = t->version;
        __asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
        ns = t->system_time + rt_ticks_ns(((uint64_t)hi << 32 | lo) - t->tsc_timestamp);
    } while ((version & 1) || version != t->version);
    return ns;
}

void rt_set_timer(uint64_t when, void (*fn)(void))
{
    vcpu_set_singleshot_timer_t arg = {.timeout_abs_ns = when};

    deadline = when;
    tick = fn;
    if (when > rt_now() + NEAR_NS)
        HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &arg);
}

void rt_unmask(uint32_t port)
{
    struct evtchn_unmask arg = {port};

    HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, &arg);
}

int rt_bind_interdomain(uint16_t domid, uint32_t port)
{
    struct evtchn_bind_interdomain arg = {.remote_dom = domid, .remote_port = port};
    long rc = HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &arg);

    if (rc)
        return (int)rc;
    rt_unmask(arg.local_port);
    return (int)arg.local_port;
}

int rt_alloc_unbound(uint16_t domid)
{
    struct evtchn_alloc_unbound arg = {.dom = DOMID_SELF, .remote_dom = domid};
    long rc = HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &arg);

    if (rc)
        return (int)rc;
    rt_unmask(arg.port);
    return (int)arg.port;
}

int rt_bind_virq(unsigned virq)
{
    struct evtchn_bind_virq arg = {.virq = virq, .vcpu = 0};
    long rc = HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &arg);

    if (rc)
        return (int)rc;
    rt_unmask(arg.port);
    return (int)arg.port;
}

int rt_bind_pirq(unsigned pirq)
{
    struct evtchn_bind_pirq arg = {.pirq = pirq, .flags = 0};
    long rc = HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, &arg);

    if (rc)
        return (int)rc;
    rt_unmask(arg.port);
    return (int)arg.port;
}

void rt_notify(uint32_t port)
{
    struct evtchn_send arg = {port};

    HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &arg);
}

void rt_close(uint32_t port)
{
    struct evtchn_close arg = {port};

    HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &arg);
}

int rt_peer(uint32_t port, bool *bound)
{
    struct evtchn_status arg = {.dom = DOMID_SELF, .port = port};
    long rc = HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &arg);

    *bound = !rc && arg.status == EVTCHNSTAT_interdomain;
    if (rc)
        return (int)rc;
    if (*bound)
        return arg.u.interdomain.dom;
    return arg.status == EVTCHNSTAT_unbound ? arg.u.unbound.dom : -XEN_EINVAL;
}

void rt_upcall(void)
{
    self()->evtchn_upcall_pending = 0;
}

void event_init(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = (uint64_t)&rt_shared >> 12};
    struct xen_hvm_param callback = {.domid = DOMID_SELF,
                                     .index = HVM_PARAM_CALLBACK_IRQ,
                                     .value = CALLBACK_VECTOR | UPCALL_VECTOR};
    long rc = HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map);

    if (rc)
        rt_panic("shared info: error %ld", rc);
    rc = HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_set_param, &callback);
    if (rc)
        rt_panic("callback vector: error %ld", rc);
    rc = rt_bind_virq(VIRQ_TIMER);
    if (rc < 0)
        rt_panic("timer: error %ld", rc);
    timer_port = (uint32_t)rc;
}

/* Takes every pending unmasked port once. */
static bool dispatch(void)
{
    bool any = false;
    unsigned long words = __atomic_exchange_n(&self()->evtchn_pending_sel, 0, __ATOMIC_ACQ_REL);

    while (words) {
        unsigned w = (unsigned)__builtin_ctzl(words);
        unsigned long bits = __atomic_load_n(&rt_shared.evtchn_pending[w], __ATOMIC_ACQUIRE) &
                             ~rt_shared.evtchn_mask[w];

        words &= words - 1;
        __atomic_and_fetch(&rt_shared.evtchn_pending[w], ~bits, __ATOMIC_ACQ_REL);
        for (; bits; bits &= bits - 1) {
            uint32_t port = w * 64 + (uint32_t)__builtin_ctzl(bits);

            any = true;
            if (port != timer_port)
                component.notified(port);
        }
    }
    return any;
}

void event_loop(void)
{
    for (;;) {
        bool busy = dispatch();
        uint64_t now = rt_now();

        if (now >= deadline) {
            deadline = ~0UL;
            tick();
            continue;
        }
        if (busy || deadline - now <= NEAR_NS)
            continue;
        /* STI takes effect after the next instruction: an event between test and HLT ends the HLT.
         */
        __asm__ volatile("cli" : : : "memory");
        if (READ_ONCE(self()->evtchn_pending_sel))
            continue;
        __asm__ volatile("sti; hlt; cli" : : : "memory");
    }
}

/* SPDX-License-Identifier: MIT */
/* Time, timers, sleeping and waking: sched_op, vcpu_op, set_timer_op, hvm_op, multicall. */
#include "tests/guest/probe.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define SCHED(cmd, arg)     HYPERCALL2(__HYPERVISOR_sched_op, cmd, arg)
#define VCPU(cmd, id, arg)  HYPERCALL3(__HYPERVISOR_vcpu_op, cmd, id, arg)
#define MS                  1000000UL

static uint32_t timer_port;

static bool take(uint32_t port)
{
    return __atomic_fetch_and(&rt_shared.evtchn_pending[port / 64], ~(1UL << port % 64),
                              __ATOMIC_SEQ_CST) >>
               port % 64 &
           1;
}

static long poll(uint32_t port, uint64_t timeout)
{
    evtchn_port_t ports[1] = {port};
    sched_poll_t p = {.nr_ports = 1, .timeout = timeout};

    set_xen_guest_handle(p.ports, ports);
    return SCHED(SCHEDOP_poll, &p);
}

/* Ports that are masked wake a poll and nothing else. */
static void polling(void)
{
    evtchn_bind_ipi_t bind = {.vcpu = 0};
    evtchn_send_t send;
    uint64_t start = rt_now();

    EQUAL(HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &bind), 0);
    __atomic_fetch_or(&rt_shared.evtchn_mask[bind.port / 64], 1UL << bind.port % 64,
                      __ATOMIC_SEQ_CST);
    EQUAL(poll(bind.port, start + 20 * MS), 0);
    TRUE(rt_now() >= start + 20 * MS);
    send.port = bind.port;
    EQUAL(HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send), 0);
    EQUAL(poll(bind.port, 0), 0); /* pending: does not sleep */
    TRUE(take(bind.port));
    TRUE(poll(70000, 0) < 0);
    EQUAL(SCHED(SCHEDOP_poll, BAD_POINTER), -XEN_EFAULT);
}

/* A one-shot timer; those that run beside this probe may use the time up before it is set. When. */
static uint64_t shoot_in(uint64_t ns)
{
    vcpu_set_singleshot_timer_t shot = {.flags = VCPU_SSHOTTMR_future};
    long rc;

    do {
        shot.timeout_abs_ns = rt_now() + ns;
        rc = VCPU(VCPUOP_set_singleshot_timer, 0, &shot);
    } while (rc == -XEN_ETIME);
    EQUAL(rc, 0);
    return shot.timeout_abs_ns;
}

static void timers(void)
{
    evtchn_bind_virq_t bind = {.virq = VIRQ_TIMER, .vcpu = 0};
    vcpu_set_singleshot_timer_t shot = {.flags = VCPU_SSHOTTMR_future};
    uint64_t due;

    EQUAL(HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &bind), -XEN_EEXIST);
    for (timer_port = 1; timer_port < 10; timer_port++) { /* the runtime's */
        evtchn_status_t s = {.dom = DOMID_SELF, .port = timer_port};

        HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s);
        if (s.status == EVTCHNSTAT_virq && s.u.virq == VIRQ_TIMER)
            break;
    }
    TRUE(timer_port < 10);
    take(timer_port);
    due = shoot_in(10 * MS);
    EQUAL(poll(timer_port, 0), 0);
    TRUE(take(timer_port));
    TRUE(rt_now() >= due);
    shot.timeout_abs_ns = 1;
    EQUAL(VCPU(VCPUOP_set_singleshot_timer, 0, &shot), -XEN_ETIME);
    EQUAL(VCPU(VCPUOP_set_singleshot_timer, 0, BAD_POINTER), -XEN_EFAULT);
    EQUAL(HYPERCALL2(__HYPERVISOR_set_timer_op, rt_now() + 5 * MS, 0), 0);
    EQUAL(poll(timer_port, 0), 0);
    TRUE(take(timer_port));
    EQUAL(VCPU(VCPUOP_stop_periodic_timer, 0, 0), 0);
    EQUAL(VCPU(VCPUOP_stop_singleshot_timer, 0, 0), 0);
}

static void vcpus(void)
{
    static struct vcpu_runstate_info run;
    struct vcpu_register_runstate_memory_area area = {.addr.v = &run};

    EQUAL(VCPU(VCPUOP_is_up, 0, 0), 1);
    EQUAL(VCPU(VCPUOP_is_up, 1, 0), -XEN_ENOENT);
    EQUAL(VCPU(VCPUOP_is_up, 5000, 0), -XEN_ENOENT);
    EQUAL(VCPU(VCPUOP_register_runstate_memory_area, 0, &area), 0);
    SCHED(SCHEDOP_yield, 0);
    EQUAL(run.state, RUNSTATE_running);
    TRUE(run.state_entry_time > 0);
    EQUAL(VCPU(99, 0, 0), -XEN_ENOSYS);
}

static void parameters(void)
{
    struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_NR_PARAMS};
    struct xen_hvm_evtchn_upcall_vector vector = {.vcpu = 0, .vector = 15};

    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), -XEN_EINVAL);
    p.index = HVM_PARAM_CALLBACK_IRQ;
    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), 0);
    EQUAL(p.value >> 56, HVM_PARAM_CALLBACK_TYPE_VECTOR);
    p.domid = 31999;
    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_get_param, &p), -XEN_ESRCH);
    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &vector), -XEN_EINVAL);
    vector.vcpu = 9;
    vector.vector = 0x40;
    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &vector), -XEN_ENOENT);
    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, 99, 0), -XEN_ENOSYS);
}

/* What the guest computes from its TSC is the time that the host's timers go by. */
static void clock(void)
{
    struct xen_hvm_get_time t = {0};
    uint64_t before = rt_now(), after;

    EQUAL(HYPERCALL2(__HYPERVISOR_hvm_op, HVMOP_get_time, &t), 0);
    after = rt_now();
    TRUE(before <= t.now && t.now <= after);
}

static void multicalls(void)
{
    static multicall_entry_t calls[200];

    for (unsigned i = 0; i < 200; i++) {
        calls[i].op = i % 2 ? __HYPERVISOR_xen_version : 4000;
        calls[i].args[0] = XENVER_pagesize;
        calls[i].result = 1;
    }
    EQUAL(HYPERCALL2(__HYPERVISOR_multicall, calls, 200), 0);
    for (unsigned i = 0; i < 200; i++)
        EQUAL(calls[i].result, i % 2 ? 4096 : (unsigned long)-XEN_ENOSYS);
    EQUAL(HYPERCALL2(__HYPERVISOR_multicall, BAD_POINTER, 1), -XEN_EFAULT);
}

void probe_main(void)
{
    clock();
    polling();
    timers();
    vcpus();
    parameters();
    multicalls();
    EQUAL(SCHED(99, 0), -XEN_ENOSYS);
}

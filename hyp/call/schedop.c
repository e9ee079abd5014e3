/* SPDX-License-Identifier: MIT */
/* SCHEDOP_* (xen/sched.h): how a vCPU gives up its CPU, or its domain its life. */
#include <xen/errno.h>
#include "hyp/call/call.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/upcall.h"
#include "hyp/x86/vendor.h"

#define POLL_MAX 128 /* ports in one SCHEDOP_poll, as in Xen */

/* Blocking enables the upcall. */
static long block(struct vcpu *v)
{
    struct vcpu_info *info = vcpu_info_open(v);

    if (info) {
        WRITE_ONCE(info->evtchn_upcall_mask, 0);
        vcpu_info_close(v, info);
    }
    upcall_block(&v->arch);
    return 0;
}

static bool any_pending(struct domain *d, const evtchn_port_t *ports, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (evtchn_is_pending(d, ports[i]))
            return true;
    return false;
}

/* With interrupts off only an NMI counts: Linux polls so for a lock, with its upcall pending. */
static bool has_deliverable(struct vcpu *v)
{
    return READ_ONCE(v->arch.nmi_pending) ||
           ((vcpu_mode(&v->arch)->rflags & RFLAGS_IF) && vcpu_has_event(&v->arch));
}

/*
 * Sleeps until a port is pending, masked or not, or until the timeout, or until the vCPU has some
 * other event to take. Who makes a port pending looks at v->poll afterwards; here it is the other
 * way round, so that one of the two sees the other.
 */
static long poll(struct vcpu *v, gva_t arg)
{
    evtchn_port_t ports[POLL_MAX];
    struct sched_poll p;

    if (copy_from_guest(&v->arch, &p, arg, sizeof(p)))
        return vcpu_refuse(v, -XEN_EFAULT, "sched_op poll", "bad address");
    if (p.nr_ports > POLL_MAX)
        return vcpu_refuse(v, -XEN_EINVAL, "sched_op poll", "too many ports");
    if (copy_from_guest(&v->arch, ports, HANDLE_GVA(p.ports), p.nr_ports * sizeof(*ports)))
        return vcpu_refuse(v, -XEN_EFAULT, "sched_op poll", "bad address of ports");
    for (uint32_t i = 0; i < p.nr_ports; i++)
        if (ports[i] >= READ_ONCE(v->dom->evtchns.limit))
            return vcpu_refuse(v, -XEN_EINVAL, "sched_op poll", "bad port");
    sched_clear_wake(&v->sched);
    __atomic_store_n(&v->poll, 1, __ATOMIC_SEQ_CST);
    if (has_deliverable(v) || any_pending(v->dom, ports, p.nr_ports) ||
        (p.timeout && p.timeout <= now_ns())) {
        __atomic_store_n(&v->poll, 0, __ATOMIC_SEQ_CST);
        return 0;
    }
    if (p.timeout)
        timer_set(&v->poll_timer, p.timeout);
    else
        timer_cancel(&v->poll_timer); /* of a sleep before that an event ended */
    run_block();
    return 0;
}

static long shut_down(struct vcpu *v, gva_t arg)
{
    struct sched_shutdown s;

    if (copy_from_guest(&v->arch, &s, arg, sizeof(s)))
        return vcpu_refuse(v, -XEN_EFAULT, "sched_op shutdown", "bad address");
    domain_shutdown(v->dom, (uint8_t)s.reason, NULL);
    return 0;
}

long call_sched_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    gva_t arg = mk_gva(args[1]);

    switch ((uint32_t)args[0]) {
    case SCHEDOP_yield:
        upcall_yield(&v->arch);
        return 0;
    case SCHEDOP_block:
        return block(v);
    case SCHEDOP_shutdown:
        return shut_down(v, arg);
    case SCHEDOP_poll:
        return poll(v, arg);
    case SCHEDOP_remote_shutdown:
    case SCHEDOP_pin_override:
        return vcpu_refuse(v, -XEN_EPERM, "sched_op", "not for guests");
    case SCHEDOP_watchdog:
        return vcpu_refuse(v, -XEN_ENOSYS, "sched_op", "there is no watchdog");
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "sched_op", "unknown operation");
    }
}

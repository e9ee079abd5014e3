/* SPDX-License-Identifier: MIT */
/* EVTCHNOP_*: good, bad and boundary arguments; delivery within the domain itself. */
#include "tests/guest/probe.h"

#include <xen/event_channel.h>
#include <xen/vcpu.h>

#define OP(cmd, arg) HYPERCALL2(__HYPERVISOR_event_channel_op, cmd, arg)

static bool pending(uint32_t port)
{
    return rt_shared.evtchn_pending[port / 64] >> port % 64 & 1;
}

static void mask(uint32_t port, bool on)
{
    xen_ulong_t bit = 1UL << port % 64;

    if (on)
        __atomic_fetch_or(&rt_shared.evtchn_mask[port / 64], bit, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(&rt_shared.evtchn_mask[port / 64], ~bit, __ATOMIC_SEQ_CST);
}

static long status(uint32_t port)
{
    evtchn_status_t s = {.dom = DOMID_SELF, .port = port};
    long rc = OP(EVTCHNOP_status, &s);

    return rc ? rc : (long)s.status;
}

static void refusals(void)
{
    evtchn_alloc_unbound_t unbound = {.dom = 4321, .remote_dom = DOMID_SELF};
    evtchn_bind_interdomain_t inter = {.remote_dom = 31999, .remote_port = 1};
    evtchn_bind_virq_t virq = {.virq = NR_VIRQS, .vcpu = 0};
    evtchn_bind_ipi_t ipi = {.vcpu = 77};
    evtchn_send_t send = {.port = 4000};
    evtchn_close_t close = {.port = 0};

    EQUAL(OP(99, &send), -XEN_ENOSYS);
    EQUAL(OP(EVTCHNOP_send, BAD_POINTER), -XEN_EFAULT);
    EQUAL(OP(EVTCHNOP_send, &send), -XEN_EINVAL);
    EQUAL(OP(EVTCHNOP_close, &close), -XEN_EINVAL);
    EQUAL(OP(EVTCHNOP_alloc_unbound, &unbound), -XEN_ESRCH);
    EQUAL(OP(EVTCHNOP_bind_interdomain, &inter), -XEN_ESRCH);
    EQUAL(OP(EVTCHNOP_bind_virq, &virq), -XEN_EINVAL);
    EQUAL(OP(EVTCHNOP_bind_ipi, &ipi), -XEN_ENOENT);
    virq.virq = VIRQ_TIMER;
    virq.vcpu = 77;
    EQUAL(OP(EVTCHNOP_bind_virq, &virq), -XEN_ENOENT);
}

static void loop(void)
{
    evtchn_alloc_unbound_t unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    evtchn_bind_interdomain_t inter = {.remote_dom = DOMID_SELF};
    evtchn_send_t send;
    evtchn_unmask_t unmask;
    evtchn_close_t close;

    EQUAL(OP(EVTCHNOP_alloc_unbound, &unbound), 0);
    EQUAL(status(unbound.port), EVTCHNSTAT_unbound);
    inter.remote_port = unbound.port;
    EQUAL(OP(EVTCHNOP_bind_interdomain, &inter), 0);
    EQUAL(status(unbound.port), EVTCHNSTAT_interdomain);
    EQUAL(status(inter.local_port), EVTCHNSTAT_interdomain);
    EQUAL(OP(EVTCHNOP_bind_interdomain, &inter), -XEN_EINVAL); /* no longer unbound */

    mask(unbound.port, true);
    rt_shared.vcpu_info[0].evtchn_upcall_pending = 0;
    rt_shared.vcpu_info[0].evtchn_pending_sel = 0;
    __atomic_fetch_and(&rt_shared.evtchn_pending[unbound.port / 64], ~(1UL << unbound.port % 64),
                       __ATOMIC_SEQ_CST);
    send.port = inter.local_port;
    EQUAL(OP(EVTCHNOP_send, &send), 0);
    TRUE(pending(unbound.port));
    EQUAL(rt_shared.vcpu_info[0].evtchn_upcall_pending, 0); /* it is masked */
    unmask.port = unbound.port;
    EQUAL(OP(EVTCHNOP_unmask, &unmask), 0);
    EQUAL(rt_shared.vcpu_info[0].evtchn_upcall_pending, 1);
    TRUE(rt_shared.vcpu_info[0].evtchn_pending_sel >> unbound.port / 64 & 1);

    close.port = inter.local_port;
    EQUAL(OP(EVTCHNOP_close, &close), 0);
    EQUAL(status(inter.local_port), EVTCHNSTAT_closed);
    EQUAL(status(unbound.port), EVTCHNSTAT_unbound);
    close.port = unbound.port;
    EQUAL(OP(EVTCHNOP_close, &close), 0);
}

static void ipi(void)
{
    evtchn_bind_ipi_t bind = {.vcpu = 0};
    evtchn_bind_vcpu_t move;
    evtchn_send_t send;

    EQUAL(OP(EVTCHNOP_bind_ipi, &bind), 0);
    mask(bind.port, true);
    send.port = bind.port;
    EQUAL(OP(EVTCHNOP_send, &send), 0);
    TRUE(pending(bind.port));
    move = (evtchn_bind_vcpu_t){.port = bind.port, .vcpu = 0};
    EQUAL(OP(EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL); /* an IPI belongs to its vCPU */
}

/* All ports there are, and not one more. */
static void limit(void)
{
    evtchn_alloc_unbound_t unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    evtchn_close_t close;
    uint32_t last = 0, first = 0;
    long rc;

    while ((rc = OP(EVTCHNOP_alloc_unbound, &unbound)) == 0) {
        first = first ? first : unbound.port;
        last = unbound.port;
    }
    EQUAL(rc, -XEN_ENOSPC);
    EQUAL(last, 4095);
    for (close.port = first; close.port <= last; close.port++)
        EQUAL(OP(EVTCHNOP_close, &close), 0);
}

void probe_main(void)
{
    refusals();
    loop();
    ipi();
    limit();
}

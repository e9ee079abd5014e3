/* SPDX-License-Identifier: MIT */
/* vcpu_op (xen/vcpu.h) on vCPUs of one's own domain, set_timer_op, and vm_assist. */
#include <xen/errno.h>
#include "hyp/call/call.h"
#include "hyp/x86/upcall.h"

#define FAR_NS  (1ULL << 50) /* about 13 days */
#define SOON_NS 100000000ULL

/* One that got an INIT waits for its SIPI. */
static long up(struct vcpu *v)
{
    spin_guard(held, &v->dom->lock);

    if (!v->initialised || v->arch.wait_sipi)
        return -XEN_EINVAL;
    if (v->down && v->dom->state == BH_DOMAIN_RUNNING) {
        WRITE_ONCE(v->down, false);
        vcpu_info_time(v);
        run_start(v);
    }
    return 0;
}

/* With the last vCPU the domain powers off. */
static long down(struct vcpu *v)
{
    struct domain *d = v->dom;
    bool last = run_down(v, spin_lock(&d->lock));

    spin_unlock(&d->lock);
    if (last)
        domain_shutdown(d, SHUTDOWN_poweroff, "the last vCPU went down");
    return 0;
}

static long get_runstate(struct vcpu *v, struct vcpu *target, gva_t arg)
{
    struct vcpu_runstate_info r;

    vcpu_info_runstate(target, &r);
    return copy_to_guest(&v->arch, arg, &r, sizeof(r));
}

/* Puts the area at a linear address, 0: nowhere, in the place of the one before. */
static int replace_area(struct vcpu *v, struct vcpu *target, struct guest_area *area, uint64_t at,
                        size_t n)
{
    struct guest_area new = {.size = 0}, old;
    int rc = at ? area_set_gva(&new, &v->arch, mk_gva(at), n) : 0;

    if (rc)
        return rc;
    spin_lock(&target->area_lock);
    old = *area;
    *area = new;
    spin_unlock(&target->area_lock);
    area_clear(&old);
    return 0;
}

static long register_runstate(struct vcpu *v, struct vcpu *target, gva_t arg)
{
    struct vcpu_register_runstate_memory_area a;
    struct vcpu_runstate_info r;
    int rc = copy_from_guest(&v->arch, &a, arg, sizeof(a));

    if (!rc)
        rc = replace_area(v, target, &target->runstate_area, a.addr.p, sizeof(r));
    if (rc)
        return vcpu_refuse(v, rc, "vcpu_op runstate area", "bad address");
    vcpu_info_runstate(target, &r);
    vcpu_info_runstate_write(target, r.state);
    return 0;
}

static long register_time(struct vcpu *v, struct vcpu *target, gva_t arg)
{
    struct vcpu_register_time_memory_area a;
    int rc = copy_from_guest(&v->arch, &a, arg, sizeof(a));

    if (!rc)
        rc = replace_area(v, target, &target->time_area, a.addr.p, sizeof(struct vcpu_time_info));
    if (rc)
        return vcpu_refuse(v, rc, "vcpu_op time area", "bad address");
    vcpu_info_time(target);
    return 0;
}

/* Once for each vCPU, by itself or while it is down. */
static long register_info(struct vcpu *v, struct vcpu *target, gva_t arg)
{
    struct vcpu_register_vcpu_info a;

    if (copy_from_guest(&v->arch, &a, arg, sizeof(a)))
        return vcpu_refuse(v, -XEN_EFAULT, "vcpu_op vcpu_info", "bad address");
    if (a.offset > PAGE_SIZE - sizeof(struct vcpu_info))
        return vcpu_refuse(v, -XEN_ENXIO, "vcpu_op vcpu_info", "crosses a page");
    if (a.mfn >> GFN_BITS)
        return vcpu_refuse(v, -XEN_EINVAL, "vcpu_op vcpu_info", "bad frame");
    spin_guard(held, &v->dom->lock);
    if ((target != v && !target->down) ||
        vcpu_info_register(target, mk_gpa((a.mfn << PAGE_SHIFT) + a.offset)))
        return vcpu_refuse(v, -XEN_EINVAL, "vcpu_op vcpu_info", "bad frame or vCPU");
    return 0;
}

/*
 * set_timer_op (xen/xen.h): the same timer. Time that is negative, or far away, comes from old
 * Linux, which had a wrapped value or nothing to wait for: 100 ms, as in Xen, serves both without
 * using up a CPU.
 */
long call_set_timer_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    uint64_t at = args[0], now = now_ns();

    if ((int64_t)at < 0 || (at > now && at - now >= FAR_NS))
        at = now + SOON_NS;
    if (at)
        timer_set(&v->singleshot, at);
    else
        timer_cancel(&v->singleshot);
    return 0;
}

/* One's own only: a timer fires on the CPU that sets it, which is the one that runs v now. */
static long singleshot(struct vcpu *v, struct vcpu *target, gva_t arg, bool set)
{
    struct vcpu_set_singleshot_timer t;

    if (target != v)
        return vcpu_refuse(v, -XEN_EINVAL, "vcpu_op timer", "another vCPU's");
    if (!set) {
        timer_cancel(&v->singleshot);
        return 0;
    }
    if (copy_from_guest(&v->arch, &t, arg, sizeof(t)))
        return vcpu_refuse(v, -XEN_EFAULT, "vcpu_op timer", "bad address");
    if (t.flags & VCPU_SSHOTTMR_future && t.timeout_abs_ns < now_ns())
        return -XEN_ETIME;
    timer_set(&v->singleshot, t.timeout_abs_ns);
    return 0;
}

static long send_nmi(struct vcpu *v, struct vcpu *target, gva_t arg)
{
    if (arg.val)
        return vcpu_refuse(v, -XEN_EINVAL, "vcpu_op nmi", "takes no argument");
    if (!__atomic_exchange_n(&target->arch.nmi_pending, true, __ATOMIC_SEQ_CST))
        upcall_notify(&target->arch);
    return 0;
}

long call_vcpu_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    uint32_t id = (uint32_t)args[1];
    gva_t arg = mk_gva(args[2]);
    struct vcpu *target;

    if (id >= v->dom->nvcpus)
        return vcpu_refuse(v, -XEN_ENOENT, "vcpu_op", "no such vCPU");
    target = v->dom->vcpus[id];
    switch ((uint32_t)args[0]) {
    case VCPUOP_initialise:
        return vcpuinit(v, target, arg);
    case VCPUOP_up:
        return up(target);
    case VCPUOP_down:
        return down(target);
    case VCPUOP_is_up:
        return !READ_ONCE(target->down);
    case VCPUOP_get_runstate_info:
        return get_runstate(v, target, arg);
    case VCPUOP_register_runstate_memory_area:
        return register_runstate(v, target, arg);
    case VCPUOP_register_vcpu_time_memory_area:
        return register_time(v, target, arg);
    case VCPUOP_register_vcpu_info:
        return register_info(v, target, arg);
    case VCPUOP_set_singleshot_timer:
        return singleshot(v, target, arg, true);
    case VCPUOP_stop_singleshot_timer:
        return singleshot(v, target, arg, false);
    case VCPUOP_stop_periodic_timer: /* there never is one; Linux stops it before all else */
        return 0;
    case VCPUOP_send_nmi:
        return send_nmi(v, target, arg);
    case VCPUOP_get_physid: /* no vCPU is tied to one CPU for the guest to know */
        return -XEN_EINVAL;
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "vcpu_op", "unknown operation");
    }
}

/* The only thing that a guest with nested paging can ask for. */
long call_vm_assist(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    uint32_t cmd = (uint32_t)args[0];

    if ((uint32_t)args[1] != VMASST_TYPE_runstate_update_flag)
        return vcpu_refuse(v, -XEN_EINVAL, "vm_assist", "not for this kind of guest");
    if (cmd != VMASST_CMD_enable && cmd != VMASST_CMD_disable)
        return vcpu_refuse(v, -XEN_ENOSYS, "vm_assist", "unknown operation");
    WRITE_ONCE(v->dom->runstate_flag, cmd == VMASST_CMD_enable);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Several hypercalls in one (xen/xen.h struct multicall_entry). Each result goes into its entry; a
 * call that has to be continued leaves its remaining arguments there.
 */
#include <xen/errno.h>
#include "hyp/call/call.h"
#include "hyp/lib/string.h"

/* The entry at gva: 0, -XEN_ERESTART when it is to be done again, or -XEN_EFAULT. */
static long one(struct vcpu *v, gva_t gva)
{
    struct multicall_entry e;
    uint64_t args[CALL_ARGS];
    long rc;

    _Static_assert(sizeof(args) == sizeof(e.args), "arguments of an entry");
    if (copy_from_guest(&v->arch, &e, gva, sizeof(e)))
        return -XEN_EFAULT;
    memcpy(args, e.args, sizeof(args));
    if (e.op == __HYPERVISOR_multicall)
        rc = vcpu_refuse(v, -XEN_EINVAL, "multicall", "nested");
    else
        rc = call_dispatch(v, e.op, args);
    if (rc == -XEN_ERESTART)
        return copy_to_guest(&v->arch, mk_gva(gva.val + offsetof(struct multicall_entry, args)),
                             args, sizeof(args))
                   ? -XEN_EFAULT
                   : rc;
    e.result = (xen_ulong_t)rc;
    return copy_to_guest(&v->arch, mk_gva(gva.val + offsetof(struct multicall_entry, result)),
                         &e.result, sizeof(e.result));
}

/* A call that blocks or yields counts as preempted: the rest follows when v runs again. */
long call_multicall(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    uint32_t left = (uint32_t)args[1];
    long rc = 0;

    while (left) {
        rc = one(v, mk_gva(args[0]));
        if (rc)
            break;
        args[0] += sizeof(struct multicall_entry);
        left--;
        if (run_preempted())
            break;
    }
    args[1] = left;
    if (!rc && left)
        rc = -XEN_ERESTART;
    return rc == -XEN_EFAULT ? vcpu_refuse(v, rc, "multicall", "bad address") : rc;
}

/* SPDX-License-Identifier: MIT */
/*
 * physdev_op (xen/physdev.h) for a domain that owns the second serial port: its interrupt is all it
 * has. To others the whole call does not exist, as to Xen's PVH guests.
 */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include <xen/physdev.h>

#define SERIAL2_IRQ 3

static long eoi(struct vcpu *v, gva_t arg)
{
    struct physdev_eoi e;

    if (copy_from_guest(&v->arch, &e, arg, sizeof(e)))
        return -XEN_EFAULT;
    if (e.irq != SERIAL2_IRQ || !READ_ONCE(v->dom->evtchns.pirq_port))
        return vcpu_refuse(v, -XEN_EINVAL, "physdev eoi", "not this domain's interrupt");
    irq_unmask(SERIAL2_IRQ); /* nothing if it was unbound meanwhile */
    return 0;
}

/* A level interrupt stays masked until its end is told. */
static long status(struct vcpu *v, gva_t arg)
{
    struct physdev_irq_status_query q;

    if (copy_from_guest(&v->arch, &q, arg, sizeof(q)))
        return -XEN_EFAULT;
    if (q.irq != SERIAL2_IRQ)
        return -XEN_EINVAL;
    q.flags = XENIRQSTAT_needs_eoi;
    return copy_to_guest(&v->arch, arg, &q, sizeof(q));
}

long call_physdev_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    gva_t arg = mk_gva(args[1]);

    switch ((uint32_t)args[0]) {
    case PHYSDEVOP_eoi:
        return eoi(v, arg);
    case PHYSDEVOP_irq_status_query:
        return status(v, arg);
    default:
        return -XEN_ENOSYS;
    }
}

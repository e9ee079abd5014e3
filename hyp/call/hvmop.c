/* SPDX-License-Identifier: MIT */
/* HVMOP_* (xen/hvm/hvm_op.h): a domain's parameters, its upcall vectors, the time. */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include <xen/hvm/hvm_op.h>
#include "hyp/x86/upcall.h"

#define VECTOR_MIN          0x10
#define CALLBACK_TYPE_SHIFT 56

/* What a guest may write, and what it may read besides; all else is the toolstack's, as in Xen. */
#define WRITABLE                                                                                   \
    (BIT(HVM_PARAM_CALLBACK_IRQ) | BIT(HVM_PARAM_STORE_EVTCHN) | BIT(HVM_PARAM_CONSOLE_EVTCHN) |   \
     BIT(HVM_PARAM_VM_GENERATION_ID_ADDR))
#define READABLE                                                                                   \
    (WRITABLE | BIT(HVM_PARAM_STORE_PFN) | BIT(HVM_PARAM_CONSOLE_PFN) | BIT(HVM_PARAM_VM86_TSS) |  \
     BIT(HVM_PARAM_VM86_TSS_SIZED) | BIT(HVM_PARAM_ACPI_IOPORTS_LOCATION) |                        \
     BIT(HVM_PARAM_ALTP2M) | BIT(HVM_PARAM_X87_FIP_WIDTH))
_Static_assert(HVM_NR_PARAMS <= 64, "a bit for each parameter");

/* Only a vector can be delivered: there is neither an I/O APIC nor a PCI bus. */
static void set_callback(struct domain *d, uint64_t value)
{
    bool vector = value >> CALLBACK_TYPE_SHIFT == HVM_PARAM_CALLBACK_TYPE_VECTOR &&
                  (uint8_t)value >= VECTOR_MIN;

    WRITE_ONCE(d->arch.callback_vector, vector ? (uint8_t)value : 0);
    for (uint32_t i = 0; i < d->nvcpus; i++) /* what came before there was a vector */
        if (vector && upcall_event_pending(&d->vcpus[i]->arch))
            upcall_notify(&d->vcpus[i]->arch);
}

static long param(struct vcpu *v, gva_t arg, bool set)
{
    struct domain *d = v->dom;
    struct xen_hvm_param p;
    int rc;

    if (copy_from_guest(&v->arch, &p, arg, sizeof(p)))
        return vcpu_refuse(v, -XEN_EFAULT, "hvm_op param", "bad address");
    if (p.index >= HVM_NR_PARAMS)
        return vcpu_refuse(v, -XEN_EINVAL, "hvm_op param", "no such parameter");
    rc = domain_only_self(v, p.domid);
    if (rc)
        return vcpu_refuse(v, rc, "hvm_op param", "another domain's");
    if (!((set ? WRITABLE : READABLE) & BIT(p.index)))
        return vcpu_refuse(v, -XEN_EPERM, "hvm_op param", "not for guests");
    spin_guard(held, &d->lock);
    if (!set) {
        p.value = d->params[p.index];
        return copy_to_guest(&v->arch, arg, &p, sizeof(p));
    }
    d->params[p.index] = p.value;
    if (p.index == HVM_PARAM_CALLBACK_IRQ)
        set_callback(d, p.value);
    return 0;
}

static long set_upcall_vector(struct vcpu *v, gva_t arg)
{
    struct xen_hvm_evtchn_upcall_vector u;
    struct vcpu *target;

    if (copy_from_guest(&v->arch, &u, arg, sizeof(u)))
        return vcpu_refuse(v, -XEN_EFAULT, "hvm_op upcall vector", "bad address");
    if (u.vector < VECTOR_MIN)
        return vcpu_refuse(v, -XEN_EINVAL, "hvm_op upcall vector", "vector below 16");
    if (u.vcpu >= v->dom->nvcpus)
        return vcpu_refuse(v, -XEN_ENOENT, "hvm_op upcall vector", "no such vCPU");
    target = v->dom->vcpus[u.vcpu];
    WRITE_ONCE(target->upcall_vector, u.vector);
    if (upcall_event_pending(&target->arch)) /* its edge has gone another way */
        vlapic_raise(&target->arch, u.vector);
    return 0;
}

static long get_time(struct vcpu *v, gva_t arg)
{
    struct xen_hvm_get_time t = {now_ns()};

    return copy_to_guest(&v->arch, arg, &t, sizeof(t));
}

long call_hvm_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    gva_t arg = mk_gva(args[1]);

    switch (args[0]) {
    case HVMOP_set_param:
        return param(v, arg, true);
    case HVMOP_get_param:
        return param(v, arg, false);
    case HVMOP_set_evtchn_upcall_vector:
        return set_upcall_vector(v, arg);
    case HVMOP_get_time:
        return get_time(v, arg);
    case HVMOP_pagetable_dying: /* Linux asks at boot whether it is there */
        return -XEN_ENOSYS;
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "hvm_op", "unknown operation");
    }
}

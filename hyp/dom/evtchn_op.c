/* SPDX-License-Identifier: MIT */
/* EVTCHNOP_* (xen/event_channel.h): copies the arguments in once, checks them, carries them out. */
#include <xen/errno.h>
#include "hyp/dom/evtchn_private.h"
#include "hyp/lib/string.h"

union arg {
    struct evtchn_bind_interdomain bind_interdomain;
    struct evtchn_bind_virq bind_virq;
    struct evtchn_bind_pirq bind_pirq;
    struct evtchn_close close;
    struct evtchn_send send;
    struct evtchn_status status;
    struct evtchn_alloc_unbound alloc_unbound;
    struct evtchn_bind_ipi bind_ipi;
    struct evtchn_bind_vcpu bind_vcpu;
    struct evtchn_unmask unmask;
    struct evtchn_reset reset;
    struct evtchn_init_control init_control;
    struct evtchn_expand_array expand_array;
    struct evtchn_set_priority set_priority;
};

static struct vcpu *vcpu_nr(struct domain *d, uint32_t n)
{
    return n < d->nvcpus && n < MAX_VCPUS ? d->vcpus[n] : NULL;
}

static uint16_t number_of(struct vcpu *v, domid_t id)
{
    return id == DOMID_SELF ? v->dom->id : id;
}

/* A port as result, or the error. */
static int give(int rc, evtchn_port_t *port)
{
    if (rc < 0)
        return rc;
    *port = (evtchn_port_t)rc;
    return 0;
}

static int do_alloc_unbound(struct vcpu *v, union arg *a)
{
    struct evtchn_alloc_unbound *op = &a->alloc_unbound;
    int rc = domain_only_self(v, op->dom);

    return rc ? rc : give(evtchn_alloc_unbound(v->dom, number_of(v, op->remote_dom)), &op->port);
}

static int do_bind_interdomain(struct vcpu *v, union arg *a)
{
    struct evtchn_bind_interdomain *op = &a->bind_interdomain;
    struct domain *remote = domain_get(number_of(v, op->remote_dom));
    int rc;

    if (!remote)
        return -XEN_ESRCH;
    rc = evtchn_bind_interdomain(v->dom, remote, op->remote_port);
    domain_put(remote);
    return give(rc, &op->local_port);
}

/* The only global VIRQ that we send is VIRQ_DOM_EXC, to the control domain and the store. */
static bool may_watch_domains(const struct bundle_domain *r)
{
    return r->privileges & BUNDLE_PRIV_CONTROL || r->class == BUNDLE_CLASS_XS;
}

static int do_bind_virq(struct vcpu *v, union arg *a)
{
    struct evtchn_bind_virq *op = &a->bind_virq;
    struct vcpu *target = vcpu_nr(v->dom, op->vcpu);

    if (op->virq >= NR_VIRQS)
        return -XEN_EINVAL;
    if (evtchn_virq_is_global(op->virq)) {
        if (op->vcpu)
            return -XEN_EINVAL;
        if (op->virq != VIRQ_DOM_EXC || !may_watch_domains(v->dom->record))
            return -XEN_EPERM;
    }
    return target ? give(evtchn_bind_virq(target, op->virq), &op->port) : -XEN_ENOENT;
}

static int do_bind_pirq(struct vcpu *v, union arg *a)
{
    if (a->bind_pirq.pirq > 15)
        return -XEN_EINVAL;
    if (a->bind_pirq.pirq != 3 || !(v->dom->record->privileges & BUNDLE_PRIV_SERIAL2))
        return -XEN_EPERM;
    return give(evtchn_bind_pirq(v->dom, a->bind_pirq.pirq), &a->bind_pirq.port);
}

static int do_bind_ipi(struct vcpu *v, union arg *a)
{
    struct vcpu *target = vcpu_nr(v->dom, a->bind_ipi.vcpu);

    return target ? give(evtchn_bind_ipi(target), &a->bind_ipi.port) : -XEN_ENOENT;
}

static int do_close(struct vcpu *v, union arg *a)
{
    return evtchn_close(v->dom, a->close.port);
}

static int do_send(struct vcpu *v, union arg *a)
{
    return evtchn_send(v->dom, a->send.port);
}

static int do_status(struct vcpu *v, union arg *a)
{
    int rc = domain_only_self(v, a->status.dom);

    return rc ? rc : evtchn_get_status(v->dom, &a->status);
}

static int do_bind_vcpu(struct vcpu *v, union arg *a)
{
    struct vcpu *target = vcpu_nr(v->dom, a->bind_vcpu.vcpu);

    return target ? evtchn_bind_vcpu(target, a->bind_vcpu.port) : -XEN_ENOENT;
}

static int do_unmask(struct vcpu *v, union arg *a)
{
    return evtchn_unmask(v->dom, a->unmask.port);
}

static int do_reset(struct vcpu *v, union arg *a)
{
    int rc = domain_only_self(v, a->reset.dom);

    return rc ? rc : evtchn_reset(v->dom);
}

static int do_init_control(struct vcpu *v, union arg *a)
{
    struct evtchn_init_control *op = &a->init_control;
    struct vcpu *target = vcpu_nr(v->dom, op->vcpu);

    op->link_bits = EVTCHN_FIFO_LINK_BITS;
    return target ? evtchn_fifo_init_control(target, mk_gfn(op->control_gfn), op->offset)
                  : -XEN_ENOENT;
}

static int do_expand_array(struct vcpu *v, union arg *a)
{
    return evtchn_fifo_expand(v->dom, mk_gfn(a->expand_array.array_gfn));
}

static int do_set_priority(struct vcpu *v, union arg *a)
{
    return evtchn_set_priority(v->dom, a->set_priority.port, a->set_priority.priority);
}

#define OP(name, out)                                                                              \
    [EVTCHNOP_##name] = {do_##name, "evtchn " #name, sizeof(struct evtchn_##name), out}

static const struct {
    int (*fn)(struct vcpu *v, union arg *a);
    const char *name;
    uint8_t size;
    bool out; /* the struct goes back on success */
} ops[] = {
    OP(bind_interdomain, true), OP(bind_virq, true),     OP(bind_pirq, true),
    OP(close, false),           OP(send, false),         OP(status, true),
    OP(alloc_unbound, true),    OP(bind_ipi, true),      OP(bind_vcpu, false),
    OP(unmask, false),          OP(reset, false),        OP(init_control, true),
    OP(expand_array, false),    OP(set_priority, false),
};

static const char *reason(int rc)
{
    static const char *const texts[] = {
        [XEN_EPERM] = "not permitted",  [XEN_ENOENT] = "no such vCPU",
        [XEN_ESRCH] = "no such domain", [XEN_ENOMEM] = "out of space",
        [XEN_EFAULT] = "bad address",   [XEN_EEXIST] = "already bound",
        [XEN_ENOSPC] = "out of space",
    };
    const char *text = -rc < (int)ARRAY_SIZE(texts) ? texts[-rc] : NULL;

    return text ? text : "bad port or argument";
}

long evtchn_op(struct vcpu *v, unsigned cmd, gva_t arg)
{
    union arg a;
    int rc;

    if (cmd >= ARRAY_SIZE(ops))
        return vcpu_refuse(v, -XEN_ENOSYS, "event_channel_op", "unknown operation");
    memset(&a, 0, sizeof(a));
    rc = copy_from_guest(&v->arch, &a, arg, ops[cmd].size);
    if (!rc)
        rc = ops[cmd].fn(v, &a);
    if (!rc && ops[cmd].out)
        rc = copy_to_guest(&v->arch, arg, &a, ops[cmd].size);
    return !rc || rc == -XEN_ERESTART ? rc : vcpu_refuse(v, rc, ops[cmd].name, reason(rc));
}

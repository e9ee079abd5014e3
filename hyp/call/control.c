/* SPDX-License-Identifier: MIT */
/* The control domain's own hypercall (hyp/abi/control.h). Its caller's privilege was checked. */
#include <xen/errno.h>
#include "hyp/call/call.h"
#include "hyp/lib/string.h"

static long next(struct vcpu *v, gva_t arg)
{
    struct bh_control_next n;
    struct domain *d;

    if (copy_from_guest(&v->arch, &n, arg, sizeof(n)))
        return vcpu_refuse(v, -XEN_EFAULT, "control next", "bad address");
    d = domain_next(n.domid);
    if (!d)
        return -XEN_ENOENT;
    memset(&n, 0, sizeof(n));
    spin_lock(&d->lock);
    n.domid = d->id;
    n.state = d->state;
    n.class = d->record->class;
    n.vcpus = d->nvcpus;
    n.console_port = d->console_port;
    n.shutdown_reason = d->shutdown_reason;
    n.memory = READ_ONCE(d->arch.p2m.ram_frames) * PAGE_SIZE;
    memcpy(n.uuid, d->record->uuid, sizeof(n.uuid));
    _Static_assert(sizeof(n.name) == BUNDLE_NAME_SIZE, "a domain's name");
    memcpy(n.name, d->record->name, sizeof(n.name));
    spin_unlock(&d->lock);
    domain_put(d);
    return copy_to_guest(&v->arch, arg, &n, sizeof(n));
}

static long put_line(struct vcpu *v, gva_t arg)
{
    struct bh_control_log l;
    char text[BH_LOG_MAX];
    struct domain *d;

    if (copy_from_guest(&v->arch, &l, arg, sizeof(l)))
        return vcpu_refuse(v, -XEN_EFAULT, "control log", "bad address");
    if (l.len > sizeof(text) || l.domid > UINT16_MAX)
        return vcpu_refuse(v, -XEN_EINVAL, "control log", "bad length or domain");
    if (copy_from_guest(&v->arch, text, mk_gva(l.text), l.len))
        return vcpu_refuse(v, -XEN_EFAULT, "control log", "bad text address");
    d = domain_get((uint16_t)l.domid);
    if (!d)
        return -XEN_ESRCH;
    consoleio_line(d, spin_lock(&d->lock), text, l.len);
    spin_unlock(&d->lock);
    domain_put(d);
    return 0;
}

long call_control(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    gva_t arg = mk_gva(args[1]);

    switch (args[0]) {
    case BH_CONTROL_next:
        return next(v, arg);
    case BH_CONTROL_log:
        return put_line(v, arg);
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "control", "unknown command");
    }
}

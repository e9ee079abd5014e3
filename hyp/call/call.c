/* SPDX-License-Identifier: MIT */
/* From the instruction to the handler, and the families that live in hyp/dom. */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include "hyp/x86/upcall.h"
#include "hyp/x86/vendor.h"
#include "hyp/x86/watch.h"

static long event_channel_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    return evtchn_op(v, (unsigned)args[0], mk_gva(args[1]));
}

static long grant_table_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    gva_t arg = mk_gva(args[1]);
    unsigned count = (unsigned)args[2];
    long rc = grant_op(v, (unsigned)args[0], &arg, &count);

    if (rc == -XEN_ERESTART) {
        args[1] = arg.val;
        args[2] = count;
    }
    return rc;
}

/* Refused to every guest that is not the hardware's owner, as in Xen. */
static long privileged_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    (void)args;
    return vcpu_refuse(v, -XEN_EPERM, "hypercall", "for a control domain of Xen's");
}

#define CALL(name, fn)  [__HYPERVISOR_##name] = {#name, fn, 0, 0}
#define CALL_PRIV(name) [__HYPERVISOR_##name] = {#name, privileged_op, 0, 0}

static const struct {
    const char *name;
    call_fn *fn;
    uint32_t needs; /* BUNDLE_PRIV_* */
    int error;      /* without that */
} calls[] = {
    CALL(memory_op, call_memory_op),
    CALL(multicall, call_multicall),
    CALL(set_timer_op, call_set_timer_op),
    CALL(xen_version, call_xen_version),
    CALL(console_io, call_console_io),
    CALL(grant_table_op, grant_table_op),
    CALL(vm_assist, call_vm_assist),
    CALL(vcpu_op, call_vcpu_op),
    CALL(sched_op, call_sched_op),
    CALL(event_channel_op, event_channel_op),
    CALL(hvm_op, call_hvm_op),
    CALL_PRIV(platform_op),
    CALL_PRIV(sysctl),
    CALL_PRIV(domctl),
    [__HYPERVISOR_physdev_op] = {"physdev_op", call_physdev_op, BUNDLE_PRIV_SERIAL2, -XEN_ENOSYS},
    [BH_HYPERVISOR_control] = {"control", call_control, BUNDLE_PRIV_CONTROL, -XEN_EPERM},
};

long call_dispatch(struct vcpu *v, uint64_t nr, uint64_t args[CALL_ARGS])
{
    if (nr >= ARRAY_SIZE(calls) || !calls[nr].fn) {
        log_limited(&v->refusals, "%s: hypercall %lu: there is none", v->dom->record->name, nr);
        return -XEN_ENOSYS;
    }
    if (calls[nr].needs & ~v->dom->record->privileges)
        return vcpu_refuse(v, calls[nr].error, calls[nr].name, "not for this class of domain");
    WATCH(note("hypercall", nr, v->dom->record->name));
    return calls[nr].fn(v, args);
}

bool upcall_hypercall(struct x86_vcpu *v)
{
    struct gprs *r = &v->regs;
    uint64_t args[CALL_ARGS] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
    const struct vcpu_mode *mode = vcpu_mode(v);
    long rc;

    if (mode->cpl)
        rc = vcpu_refuse(vcpu_of(v), -XEN_EPERM, "hypercall", "not from the guest's kernel");
    else if (!mode->code64)
        rc = vcpu_refuse(vcpu_of(v), -XEN_ENOSYS, "hypercall", "not from 64-bit code");
    else
        rc = call_dispatch(vcpu_of(v), r->rax, args);
    if (rc != -XEN_ERESTART) {
        r->rax = (uint64_t)rc;
        return true;
    }
    r->rdi = args[0];
    r->rsi = args[1];
    r->rdx = args[2];
    r->r10 = args[3];
    r->r8 = args[4];
    r->r9 = args[5];
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Control hypercall: a domain's vCPUs. */
#include <xen/errno.h>
#include "hyp/call/controlcall.h"
#include "hyp/x86/upcall.h"
#include "hyp/x86/vendor.h"

#define ALL (~0U)

long controlvcpu_info(struct control *c)
{
    const struct vcpu *v = c->v;
    uint64_t time[SCHED_STATES], since;
    enum sched_state state = sched_times(&c->v->sched, now_ns(), time, &since);
    struct bh_vcpu_info i = {.online = !READ_ONCE(v->down),
                             .cpu = READ_ONCE(v->sched.cpu),
                             .running = state == SCHED_RUNNING,
                             .blocked = state == SCHED_BLOCKED,
                             .cpu_time = time[SCHED_RUNNING],
                             .affinity = sched_affinity(&v->sched)};

    return control_give(c, &i, sizeof(i));
}

long controlvcpu_affinity(struct control *c)
{
    uint64_t mask = c->arg.a, exist = ncpus < 64 ? BIT(ncpus) - 1 : ~0UL;
    struct domain *d = c->d;

    if (mask && !(mask & exist))
        return control_refuse(c, -XEN_EINVAL, "none of these CPUs exists");
    if (c->arg.vcpu != ALL && (c->arg.vcpu >= d->nvcpus || !d->vcpus[c->arg.vcpu]))
        return control_refuse(c, -XEN_EINVAL, "no such vCPU");
    for (uint32_t i = 0; i < d->nvcpus; i++)
        if (d->vcpus[i] && (c->arg.vcpu == ALL || c->arg.vcpu == i))
            run_move(d->vcpus[i], mask);
    if (c->arg.vcpu == ALL)
        d->record->affinity = mask;
    return 0;
}

long controlvcpu_context(struct control *c)
{
    enum bh_domain_state state = c->d->state;
    const struct gprs *g = &c->v->arch.regs;
    struct bh_vcpu_context r;
    struct vcpu_state s;

    if (state != BH_DOMAIN_READY && state != BH_DOMAIN_SHUTDOWN && !c->d->paused)
        return control_refuse(c, -XEN_EBUSY, "it runs, or is not built");
    if (!sched_is_off(&c->v->sched)) /* on its way to a stop */
        return -XEN_ERESTART;
    vendor->get_state(&c->v->arch, &s);
    r = (struct bh_vcpu_context){
        g->rax,   g->rbx,   g->rcx,   g->rdx,   g->rsi,   g->rdi,    g->rbp,   s.rsp,
        g->r8,    g->r9,    g->r10,   g->r11,   g->r12,   g->r13,    g->r14,   g->r15,
        s.rip,    s.rflags, s.cr0,    s.cr2,    s.cr3,    s.cr4,     s.efer,   s.cs.sel,
        s.ss.sel, s.ds.sel, s.es.sel, s.fs.sel, s.gs.sel, s.fs.base, s.gs.base};
    return control_give(c, &r, sizeof(r));
}

long controlvcpu_trigger(struct control *c)
{
    bool end = c->arg.a == BH_TRIGGER_RESET;

    if (c->arg.a > BH_TRIGGER_INIT)
        return control_refuse(c, -XEN_EINVAL, "unknown trigger");
    c->reason = end ? SHUTDOWN_reboot : SHUTDOWN_poweroff;
    if (c->arg.a == BH_TRIGGER_INIT) {
        end = run_init(c->v, c->held);
    } else if (c->arg.a == BH_TRIGGER_NMI) {
        __atomic_store_n(&c->v->arch.nmi_pending, true, __ATOMIC_SEQ_CST);
        upcall_notify(&c->v->arch);
    }
    c->then = end ? CONTROL_SHUTDOWN : 0;
    return 0;
}

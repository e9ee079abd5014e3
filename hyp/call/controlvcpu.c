/* SPDX-License-Identifier: MIT */
/* Control hypercall: a domain's vCPUs. */
#include <xen/errno.h>
#include "hyp/call/controlcall.h"
#include "hyp/x86/upcall.h"
#include "hyp/x86/vendor.h"

#define ALL (~0U)

/* The vCPU that is meant, which stays as long as the domain is locked; NULL: there is none. */
static struct vcpu *chosen(struct control *c, struct locked held)
{
    (void)held;
    return c->arg.vcpu < c->d->nvcpus ? c->d->vcpus[c->arg.vcpu] : NULL;
}

static long no_vcpu(struct control *c)
{
    return control_refuse(c, -XEN_EINVAL, "no such vCPU");
}

long controlvcpu_info(struct control *c)
{
    struct vcpu *v = chosen(c, spin_lock(&c->d->lock));
    uint64_t time[SCHED_STATES], since;
    struct bh_vcpu_info i = {.online = 0};
    enum sched_state state;

    if (v) {
        state = sched_times(&v->sched, now_ns(), time, &since);
        i = (struct bh_vcpu_info){
            .online = !READ_ONCE(v->down),
            .cpu = READ_ONCE(v->sched.cpu),
            .running = state == SCHED_RUNNING,
            .blocked = state == SCHED_BLOCKED,
            .cpu_time = time[SCHED_RUNNING],
            .affinity = sched_affinity(&v->sched),
        };
    }
    spin_unlock(&c->d->lock);
    return v ? control_give(c, &i, sizeof(i)) : no_vcpu(c);
}

long controlvcpu_affinity(struct control *c)
{
    uint64_t mask = c->arg.a, exist = ncpus < 64 ? BIT(ncpus) - 1 : ~0UL;
    struct domain *d = c->d;
    bool found = c->arg.vcpu == ALL;

    if (mask && !(mask & exist))
        return control_refuse(c, -XEN_EINVAL, "none of these CPUs exists");
    spin_lock(&d->lock);
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        if (!d->vcpus[i] || (c->arg.vcpu != ALL && c->arg.vcpu != i))
            continue;
        run_move(d->vcpus[i], mask);
        found = true;
    }
    if (c->arg.vcpu == ALL && !d->dying)
        d->record->affinity = mask;
    spin_unlock(&d->lock);
    return found ? 0 : no_vcpu(c);
}

static void fill(struct x86_vcpu *v, struct bh_vcpu_context *r)
{
    const struct gprs *g = &v->regs;
    struct vcpu_state s;

    vendor->get_state(v, &s);
    *r = (struct bh_vcpu_context){
        .rax = g->rax,
        .rbx = g->rbx,
        .rcx = g->rcx,
        .rdx = g->rdx,
        .rsi = g->rsi,
        .rdi = g->rdi,
        .rbp = g->rbp,
        .rsp = s.rsp,
        .r8 = g->r8,
        .r9 = g->r9,
        .r10 = g->r10,
        .r11 = g->r11,
        .r12 = g->r12,
        .r13 = g->r13,
        .r14 = g->r14,
        .r15 = g->r15,
        .rip = s.rip,
        .rflags = s.rflags,
        .cr0 = s.cr0,
        .cr2 = s.cr2,
        .cr3 = s.cr3,
        .cr4 = s.cr4,
        .efer = s.efer,
        .cs = s.cs.sel,
        .ss = s.ss.sel,
        .ds = s.ds.sel,
        .es = s.es.sel,
        .fs = s.fs.sel,
        .gs = s.gs.sel,
        .fs_base = s.fs.base,
        .gs_base = s.gs.base,
    };
}

long controlvcpu_context(struct control *c)
{
    struct domain *d = c->d;
    struct vcpu *v = chosen(c, spin_lock(&d->lock));
    struct bh_vcpu_context r;
    bool rests = d->state == BH_DOMAIN_READY || d->state == BH_DOMAIN_SHUTDOWN || d->paused;
    bool off = v && sched_is_off(&v->sched);

    if (rests && off)
        fill(&v->arch, &r);
    spin_unlock(&d->lock);
    if (!v)
        return no_vcpu(c);
    if (!rests)
        return control_refuse(c, -XEN_EBUSY, "it runs, or is not built");
    return off ? control_give(c, &r, sizeof(r)) : -XEN_ERESTART; /* on its way to a stop */
}

/* The vCPU's domain is running; true: it is to end. */
static bool trigger(struct vcpu *v, uint64_t what, struct locked held)
{
    switch (what) {
    case BH_TRIGGER_NMI:
        __atomic_store_n(&v->arch.nmi_pending, true, __ATOMIC_SEQ_CST);
        upcall_notify(&v->arch);
        return false;
    case BH_TRIGGER_INIT:
        return run_init(v, held);
    default:
        return true;
    }
}

long controlvcpu_trigger(struct control *c)
{
    struct domain *d = c->d;
    struct locked held;
    struct vcpu *v;
    bool runs, end;

    if (c->arg.a > BH_TRIGGER_INIT)
        return control_refuse(c, -XEN_EINVAL, "unknown trigger");
    held = spin_lock(&d->lock);
    v = chosen(c, held);
    runs = d->state == BH_DOMAIN_RUNNING;
    end = v && runs && trigger(v, c->arg.a, held);
    spin_unlock(&d->lock);
    if (!v)
        return no_vcpu(c);
    if (!runs)
        return control_refuse(c, -XEN_EBUSY, "it does not run");
    if (end)
        domain_shutdown(d, c->arg.a == BH_TRIGGER_RESET ? SHUTDOWN_reboot : SHUTDOWN_poweroff,
                        "by the administrator");
    return 0;
}

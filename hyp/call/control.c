/* SPDX-License-Identifier: MIT */
/* The control domain's own hypercall (hyp/abi/control.h). Its caller's privilege was checked. */
#include <xen/errno.h>
#include "hyp/abi/version.h"
#include "hyp/call/controlcall.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"
#include "hyp/x86/vendor.h"

long control_give(struct control *c, const void *p, size_t n)
{
    if (c->arg.size < n)
        return control_refuse(c, -XEN_EINVAL, "the buffer is too small");
    if (copy_to_guest(&c->caller->arch, mk_gva(c->arg.buffer), p, n))
        return control_refuse(c, -XEN_EFAULT, "bad buffer address");
    c->arg.size = n;
    return 0;
}

long control_take(struct control *c, void *p, size_t n)
{
    if (c->arg.size < n)
        return control_refuse(c, -XEN_EINVAL, "the buffer is too small");
    if (copy_from_guest(&c->caller->arch, p, mk_gva(c->arg.buffer), n))
        return control_refuse(c, -XEN_EFAULT, "bad buffer address");
    return 0;
}

static void describe(struct domain *d, struct bh_domain_info *i)
{
    *i = (struct bh_domain_info){
        .domid = d->id,
        .state = d->state,
        .class = d->record->class,
        .vcpus = d->record->vcpus,
        .shutdown_reason = d->shutdown_reason,
        .console_port = d->console_port,
        .store_port = d->store_port,
        .weight = d->record->weight,
        .cap = d->record->cap,
        .memory = READ_ONCE(d->arch.p2m.ram_frames) * PAGE_SIZE,
        .memory_max = domain_memory_max(d),
        .created = d->created,
    };
    i->flags = (d->paused ? BH_DOMAIN_PAUSED : 0) | (d->by_call ? BH_DOMAIN_CREATED : 0);
    for (uint32_t n = 0; n < d->nvcpus; n++) {
        uint64_t time[SCHED_STATES], since;

        if (!d->vcpus[n])
            continue;
        sched_times(&d->vcpus[n]->sched, now_ns(), time, &since);
        i->cpu_time += time[SCHED_RUNNING];
        i->vcpus_online += !READ_ONCE(d->vcpus[n]->down);
    }
    memcpy(i->uuid, d->record->uuid, sizeof(i->uuid));
    _Static_assert(sizeof(i->name) == BUNDLE_NAME_SIZE, "a domain's name");
    memcpy(i->name, d->record->name, sizeof(i->name));
}

static long next(struct control *c)
{
    struct domain *d = domain_next(c->arg.domid);
    struct bh_domain_info info;

    if (!d)
        return -XEN_ENOENT;
    spin_lock(&d->lock);
    describe(d, &info);
    spin_unlock(&d->lock);
    domain_put(d);
    c->arg.domid = info.domid;
    return control_give(c, &info, sizeof(info));
}

static long put_line(struct control *c)
{
    char text[BH_LOG_MAX];
    long rc = c->arg.size > sizeof(text) ? control_refuse(c, -XEN_EINVAL, "too long")
                                         : control_take(c, text, c->arg.size);

    if (rc)
        return rc;
    spin_guard(held, &c->d->lock);
    consoleio_line(c->d, held, text, c->arg.size);
    return 0;
}

static long host(struct control *c)
{
    struct mem_stats m = mem_stats();
    uint64_t now = now_ns();
    struct bh_host_info i = {
        .version = BH_CONTROL_VERSION,
        .cpus = ncpus,
        .memory = m.total * PAGE_SIZE,
        .memory_free = m.free * PAGE_SIZE,
        .uptime = now,
        .tsc_khz = tsc_khz,
        .idle_time = now * ncpus - sched_busy(now),
    };

    format(i.vendor, sizeof(i.vendor), "%s", vendor->name);
    format(i.build, sizeof(i.build), "%s", BH_VERSION);
    _Static_assert(sizeof(i.name) == sizeof(domains_host), "a host's name");
    memcpy(i.name, domains_host, sizeof(i.name));
    return control_give(c, &i, sizeof(i));
}

static long read_log(struct control *c)
{
    char text[BH_LOG_MAX];
    size_t n = log_read(&c->arg.a, text, MIN(c->arg.size, sizeof(text)));

    return control_give(c, text, n);
}

enum needs {
    NOTHING, /* not even a domain of number domid */
    DOMAIN,
    LOCKED, /* it is locked, and not dying */
    VCPU,   /* the same, and a vCPU of it */
};

#define IN(state) BIT(BH_DOMAIN_##state)
#define ANY       (~0ULL)
#define BUILT     (ANY & ~IN(BUILDING))

#define COMMAND(cmd, fn, needs, states) [BH_CONTROL_##cmd] = {"control " #cmd, fn, needs, states}
static const struct command {
    const char *name;
    control_fn *fn;
    enum needs needs;
    uint64_t states; /* of a domain that is locked: those it may be in */
} commands[] = {
    COMMAND(next, next, NOTHING, ANY),
    COMMAND(log, put_line, DOMAIN, ANY),
    COMMAND(host, host, NOTHING, ANY),
    COMMAND(read_log, read_log, NOTHING, ANY),
    COMMAND(vcpu, controlvcpu_info, VCPU, ANY),
    COMMAND(create, controlload_create, NOTHING, ANY),
    COMMAND(load, controlload_load, LOCKED, IN(LOADING)),
    COMMAND(finish, controlload_finish, LOCKED, IN(LOADING)),
    COMMAND(unpause, controllife_unpause, LOCKED, IN(READY) | IN(RUNNING)),
    COMMAND(pause, controllife_pause, LOCKED, IN(READY) | IN(RUNNING)),
    COMMAND(shutdown, controllife_shutdown, LOCKED, IN(RUNNING)),
    COMMAND(destroy, controllife_destroy, DOMAIN, ANY),
    COMMAND(shares, controldom_shares, LOCKED, ANY),
    COMMAND(affinity, controlvcpu_affinity, LOCKED, ANY),
    COMMAND(memory_max, controldom_memory_max, LOCKED, BUILT),
    COMMAND(rename, controldom_rename, DOMAIN, ANY),
    COMMAND(read_memory, controldom_read_memory, LOCKED, BUILT),
    COMMAND(context, controlvcpu_context, VCPU, ANY),
    COMMAND(trigger, controlvcpu_trigger, VCPU, IN(RUNNING)),
    COMMAND(record, controldom_record, LOCKED, ANY),
};

static long apply_locked(struct control *c, const struct command *command)
{
    struct domain *d = c->d;
    spin_guard(held, &d->lock);

    c->held = held;
    if (c->arg.vcpu < d->nvcpus)
        c->v = d->vcpus[c->arg.vcpu];
    if (d->dying)
        return control_refuse(c, -XEN_EBUSY, "it is dying");
    if (command->needs == VCPU && !c->v)
        return control_refuse(c, -XEN_EINVAL, "no such vCPU");
    if (!(command->states & BIT(d->state)))
        return control_refuse(c, -XEN_EBUSY, "not in this state");
    return command->fn(c);
}

static long apply(struct control *c, const struct command *command)
{
    long rc;

    if (command->needs != NOTHING) {
        c->d = c->arg.domid <= UINT16_MAX ? domain_get((uint16_t)c->arg.domid) : NULL;
        if (!c->d)
            return -XEN_ESRCH;
    }
    rc = command->needs >= LOCKED ? apply_locked(c, command) : command->fn(c);
    if (c->then == CONTROL_SHUTDOWN)
        domain_shutdown(c->d, c->reason, "by the administrator");
    else if (c->then == CONTROL_DESTROY)
        domain_destroy(c->d, false);
    if (c->then == CONTROL_CHANGED || c->then == CONTROL_DESTROY)
        domain_changed();
    if (c->d)
        domain_put(c->d);
    return rc;
}

long call_control(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    struct control c = {.caller = v};
    const struct command *command;
    long rc;

    if (args[0] >= ARRAY_SIZE(commands))
        return vcpu_refuse(v, -XEN_ENOSYS, "control", "unknown command");
    command = &commands[args[0]];
    if (copy_from_guest(&v->arch, &c.arg, mk_gva(args[1]), sizeof(c.arg)))
        return vcpu_refuse(v, -XEN_EFAULT, command->name, "bad address");
    rc = apply(&c, command);
    if (copy_to_guest(&v->arch, mk_gva(args[1]), &c.arg, sizeof(c.arg)))
        rc = control_refuse(&c, -XEN_EFAULT, "bad address");
    if (c.why)
        vcpu_refuse(v, rc, command->name, c.why);
    return rc;
}

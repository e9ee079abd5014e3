/* SPDX-License-Identifier: MIT */
/* What the hypervisor tells a vCPU in its guest's memory: vcpu_info, pvclock, runstate. */
#include <xen/errno.h>
#include "hyp/dom/dom.h"
#include "hyp/lib/string.h"

_Static_assert(RUNSTATE_running == (int)SCHED_RUNNING && RUNSTATE_runnable == (int)SCHED_READY &&
                   RUNSTATE_blocked == (int)SCHED_BLOCKED && RUNSTATE_offline == (int)SCHED_OFF,
               "the scheduler's states are the guest's");

long vcpu_refuse(struct vcpu *v, long error, const char *call, const char *why)
{
    log_limited(&v->refusals, "%s: %s: %s (%ld)", v->dom->record->name, call, why, error);
    return error;
}

struct vcpu_info *vcpu_info_open(struct vcpu *v)
{
    if (__atomic_load_n(&v->info.size, __ATOMIC_ACQUIRE))
        return area_open(&v->info);
    return v->arch.id < XEN_LEGACY_MAX_VCPUS ? &v->dom->shared->vcpu_info[v->arch.id] : NULL;
}

void vcpu_info_close(struct vcpu *v, struct vcpu_info *info)
{
    if (v->arch.id >= XEN_LEGACY_MAX_VCPUS || info != &v->dom->shared->vcpu_info[v->arch.id])
        area_close(info);
}

int vcpu_info_register(struct vcpu *v, gpa_t gpa)
{
    static const struct vcpu_info none;
    const struct vcpu_info *old = &none;
    struct guest_area area;
    struct vcpu_info *info;
    int rc;

    if (v->info.size || gpa.val % 8 || gpa.val % PAGE_SIZE + sizeof(*info) > PAGE_SIZE)
        return -XEN_EINVAL;
    area = (struct guest_area){.size = 0};
    rc = area_set_gpa(&area, &v->dom->arch, gpa, sizeof(*info));
    if (rc)
        return rc;
    if (v->arch.id < XEN_LEGACY_MAX_VCPUS)
        old = &v->dom->shared->vcpu_info[v->arch.id];
    area_write(&area, 0, old, sizeof(*old));
    memcpy(v->info.frame, area.frame, sizeof(area.frame));
    v->info.offset = area.offset;
    __atomic_store_n(&v->info.size, area.size, __ATOMIC_SEQ_CST);
    /* An event may still have gone to the old place: everything counts as pending, as in Xen. */
    info = vcpu_info_open(v);
    __atomic_store_n(&info->evtchn_pending_sel, ~0UL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
    vcpu_info_close(v, info);
    vcpu_info_time(v);
    run_wake(v);
    return 0;
}

static void write_time(volatile struct vcpu_time_info *to, const struct vcpu_time_info *from)
{
    to->version = from->version;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    to->tsc_timestamp = from->tsc_timestamp;
    to->system_time = from->system_time;
    to->tsc_to_system_mul = from->tsc_to_system_mul;
    to->tsc_shift = from->tsc_shift;
    to->flags = from->flags;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    to->version = from->version + 1;
}

/* The scale of a TSC at another frequency than the host's is not exact: it is not called stable. */
void vcpu_info_time(struct vcpu *v)
{
    const struct tsc *tsc = &v->dom->arch.tsc;
    uint64_t now = rdtsc();
    struct vcpu_time_info t = {
        .tsc_timestamp = tsc_at(tsc, now),
        .system_time = tsc_to_ns(now),
        .tsc_to_system_mul = tsc->mul,
        .tsc_shift = tsc->shift,
        .flags = features.invariant_tsc && !tsc->ratio ? XEN_PVCLOCK_TSC_STABLE_BIT : 0,
    };
    struct vcpu_info *info;
    spin_guard(held, &v->area_lock);

    t.version = v->time_version + 1;
    v->time_version += 2;
    info = vcpu_info_open(v);
    if (info) {
        write_time(&info->time, &t);
        vcpu_info_close(v, info);
    }
    if (!v->time_area.size)
        return;
    area_write(&v->time_area, 0, &t, sizeof(t));
    area_write(&v->time_area, 0, &v->time_version, sizeof(v->time_version));
}

void vcpu_info_wallclock(struct domain *d)
{
    uint64_t ns = wallclock_boot_ns();
    volatile struct shared_info *s = d->shared;

    s->wc_version = 1;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    s->wc_sec = (uint32_t)(ns / 1000000000);
    s->wc_sec_hi = (uint32_t)(ns / 1000000000 >> 32);
    s->wc_nsec = (uint32_t)(ns % 1000000000);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    s->wc_version = 2;
}

void vcpu_info_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
    uint64_t since;

    memset(out, 0, sizeof(*out));
    out->state = (int)sched_times(&v->sched, now_ns(), out->time, &since);
    out->state_entry_time = since;
}

void vcpu_info_runstate_write(struct vcpu *v, int state)
{
    struct vcpu_runstate_info r;
    const size_t at = offsetof(struct vcpu_runstate_info, state_entry_time);
    uint64_t entry;

    if (!__atomic_load_n(&v->runstate_area.size, __ATOMIC_ACQUIRE))
        return;
    vcpu_info_runstate(v, &r);
    if (r.state != state) /* about to change: the new state begins now */
        r.state_entry_time = now_ns();
    r.state = state;
    entry = r.state_entry_time;
    spin_guard(held, &v->area_lock);
    if (!v->runstate_area.size)
        return;
    if (v->dom->runstate_flag)
        r.state_entry_time |= XEN_RUNSTATE_UPDATE;
    area_write(&v->runstate_area, at, &r.state_entry_time, sizeof(entry));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    area_write(&v->runstate_area, 0, &r, sizeof(r));
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    area_write(&v->runstate_area, at, &entry, sizeof(entry));
}

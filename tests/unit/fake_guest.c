/* SPDX-License-Identifier: MIT */
/*
 * A guest whose linear addresses are host pointers, 0 is bad: in place of hyp/x86/copy.c,
 * hyp/dom/area.c and hyp/dom/vcpuinfo.c.
 */
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "mm/arch.h"
#include "tests/unit/fake_dom.h"

unsigned fake_refused;

long vcpu_refuse(struct vcpu *v, long error, const char *call, const char *why)
{
    if (!v || !call || !why)
        abort();
    __atomic_fetch_add(&fake_refused, 1, __ATOMIC_SEQ_CST);
    return error;
}

struct vcpu_info *vcpu_info_open(struct vcpu *v)
{
    return v->arch.id < 32 ? &v->dom->shared->vcpu_info[v->arch.id] : NULL;
}

void vcpu_info_close(struct vcpu *v, struct vcpu_info *info)
{
    (void)v;
    (void)info;
}

int copy_from_guest(struct x86_vcpu *v, void *dst, gva_t src, size_t n)
{
    (void)v;
    if (!src.val)
        return -XEN_EFAULT;
    memcpy(dst, (const void *)src.val, n);
    return 0;
}

int copy_to_guest(struct x86_vcpu *v, gva_t dst, const void *src, size_t n)
{
    (void)v;
    if (!dst.val)
        return -XEN_EFAULT;
    memcpy((void *)dst.val, src, n);
    return 0;
}

void copy_frames(hfn_t to, size_t to_at, hfn_t from, size_t from_at, size_t n)
{
    uint8_t *w = arch_slot_map(to), *r = arch_slot_map(from);

    memmove(w + to_at, r + from_at, n);
    arch_slot_unmap(r);
    arch_slot_unmap(w);
}

int area_set_gpa(struct guest_area *a, struct x86_domain *d, gpa_t gpa, size_t n)
{
    hfn_t f;

    if (gpa.val % PAGE_SIZE + n > PAGE_SIZE)
        return -XEN_EINVAL;
    if (p2m_pin(&d->p2m, gpa_to_gfn(gpa), &f))
        return -XEN_EFAULT;
    *a = (struct guest_area){{f, HFN_NONE}, (uint32_t)(gpa.val % PAGE_SIZE), (uint32_t)n};
    return 0;
}

void area_clear(struct guest_area *a)
{
    if (a->size)
        frame_unpin(a->frame[0]);
    *a = (struct guest_area){0};
}

void *area_open(const struct guest_area *a)
{
    if (!a->size)
        abort();
    return (char *)arch_slot_map(a->frame[0]) + a->offset;
}

void area_close(void *p)
{
    arch_slot_unmap(p);
}

/* Registration: fake_dom.c's domains keep vcpu_info in the shared page. */
int vcpu_info_register(struct vcpu *v, gpa_t gpa)
{
    return v->info.size ? -XEN_EINVAL : area_set_gpa(&v->info, &v->dom->arch, gpa, 64);
}

int area_set_gva(struct guest_area *a, struct x86_vcpu *v, gva_t gva, size_t n)
{
    return area_set_gpa(a, v->dom, mk_gpa(gva.val), n);
}

void vcpu_info_time(struct vcpu *v)
{
    (void)v;
}

void vcpu_info_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
    *out = (struct vcpu_runstate_info){.state = v->down ? RUNSTATE_offline : RUNSTATE_running};
}

void vcpu_info_runstate_write(struct vcpu *v, int state)
{
    area_close(v->runstate_area.size ? area_open(&v->runstate_area) : arch_slot_map(mk_hfn(1)));
    (void)state;
}

/* SPDX-License-Identifier: MIT */
#include "hyp/dom/area.h"

#include <xen/errno.h>
#include "hyp/lib/string.h"
#include "mm/arch.h"

/* size is published last: who finds it set may use the rest. */
static int set(struct guest_area *a, struct x86_domain *d, gpa_t first, gpa_t last, size_t n)
{
    uint32_t offset = (uint32_t)(first.val % PAGE_SIZE);
    hfn_t f[2] = {HFN_NONE, HFN_NONE};
    int rc = p2m_pin(&d->p2m, gpa_to_gfn(first), &f[0]);

    if (!rc && offset + n > PAGE_SIZE) {
        rc = p2m_pin(&d->p2m, gpa_to_gfn(last), &f[1]);
        if (rc)
            frame_unpin(f[0]);
    }
    if (rc)
        return rc;
    memcpy(a->frame, f, sizeof(f));
    a->offset = offset;
    __atomic_store_n(&a->size, (uint32_t)n, __ATOMIC_RELEASE);
    return 0;
}

int area_set_gpa(struct guest_area *a, struct x86_domain *d, gpa_t gpa, size_t n)
{
    if (!n || n > PAGE_SIZE || gpa.val + n < gpa.val)
        return -XEN_EINVAL;
    return set(a, d, gpa, mk_gpa(gpa.val + n - 1), n);
}

int area_set_gva(struct guest_area *a, struct x86_vcpu *v, gva_t gva, size_t n)
{
    gpa_t first, last;

    if (!n || n > PAGE_SIZE || gva.val + n < gva.val)
        return -XEN_EINVAL;
    if (guest_walk(v, gva, true, &first) || guest_walk(v, mk_gva(gva.val + n - 1), true, &last))
        return -XEN_EFAULT;
    return set(a, v->dom, first, last, n);
}

void area_clear(struct guest_area *a)
{
    if (!a->size)
        return;
    __atomic_store_n(&a->size, 0, __ATOMIC_RELEASE);
    frame_unpin(a->frame[0]);
    if (!hfn_eq(a->frame[1], HFN_NONE))
        frame_unpin(a->frame[1]);
}

void area_write(const struct guest_area *a, size_t at, const void *src, size_t n)
{
    const uint8_t *p = src;

    at += a->offset;
    while (n) {
        size_t offset = at % PAGE_SIZE, part = MIN(n, PAGE_SIZE - offset);
        uint8_t *window = arch_slot_map(a->frame[at / PAGE_SIZE]);

        memcpy(window + offset, p, part);
        arch_slot_unmap(window);
        at += part;
        p += part;
        n -= part;
    }
}

void *area_open(const struct guest_area *a)
{
    return (uint8_t *)arch_slot_map(a->frame[0]) + a->offset;
}

void area_close(void *p)
{
    arch_slot_unmap((void *)((uintptr_t)p & PAGE_MASK));
}

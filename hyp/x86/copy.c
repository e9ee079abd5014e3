/* SPDX-License-Identifier: MIT */
#include "hyp/x86/copy.h"

#include <xen/errno.h>
#include "hyp/lib/string.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/vendor.h"
#include "mm/arch.h"

#define PTE_PRESENT  BIT(0)
#define PTE_WRITABLE BIT(1)
#define PTE_LARGE    BIT(7)
#define PTE_ADDR     0x000ffffffffff000UL

static int copy_page(struct x86_domain *d, void *buf, gpa_t a, size_t n, bool to_guest)
{
    uint8_t *window;
    hfn_t f;
    int rc = p2m_get(&d->p2m, gpa_to_gfn(a), to_guest, &f);

    if (rc)
        return rc;
    window = arch_slot_map(f);
    if (to_guest)
        memcpy(window + a.val % PAGE_SIZE, buf, n);
    else
        memcpy(buf, window + a.val % PAGE_SIZE, n);
    arch_slot_unmap(window);
    frame_put(f);
    return 0;
}

static size_t in_page(uint64_t a, size_t n)
{
    return MIN(n, PAGE_SIZE - a % PAGE_SIZE);
}

static int copy_gpa(struct x86_domain *d, uint8_t *buf, gpa_t a, size_t n, bool to_guest)
{
    while (n) {
        size_t part = in_page(a.val, n);
        int rc = copy_page(d, buf, a, part, to_guest);

        if (rc)
            return rc;
        buf += part;
        a.val += part;
        n -= part;
    }
    return 0;
}

int copy_from_gpa(struct x86_domain *d, void *dst, gpa_t src, size_t n)
{
    return copy_gpa(d, dst, src, n, false);
}

int copy_to_gpa(struct x86_domain *d, gpa_t dst, const void *src, size_t n)
{
    return copy_gpa(d, (void *)(uintptr_t)src, dst, n, true);
}

/*
 * One walk of the guest's tables (SDM vol. 3 ch. 4), levels down to 1. Entries of width bytes, each
 * level translates bits bits.
 */
static int walk(struct x86_vcpu *v, const struct vcpu_mode *m, uint64_t va, bool write, gpa_t *out)
{
    bool wide = m->cr4 & CR4_PAE, longmode = m->efer & EFER_LMA;
    unsigned bits = wide ? 9 : 10, levels = longmode ? 4 : wide ? 3 : 2;
    uint64_t table = m->cr3 & (longmode ? PTE_ADDR : wide ? 0xffffffe0UL : 0xfffff000UL);

    for (unsigned level = levels; level; level--) {
        unsigned shift = PAGE_SHIFT + (level - 1) * bits;
        uint64_t index = va >> shift & (BIT(bits) - 1), entry = 0;
        size_t width = wide ? 8 : 4;
        bool leaf = level == 1;

        if (copy_from_gpa(v->dom, &entry, mk_gpa(table + index * width), width))
            return -XEN_EFAULT;
        if (!(entry & PTE_PRESENT))
            return -XEN_EFAULT;
        if (level == 3 && levels == 3)
            entry |= PTE_WRITABLE; /* a PDPTE of PAE paging has no such bit */
        else if (entry & PTE_LARGE && (level == 2 || level == 3) && (wide || m->cr4 & CR4_PSE))
            leaf = true;
        if (write && !(entry & PTE_WRITABLE) && m->cr0 & CR0_WP)
            return -XEN_EFAULT;
        table = entry & PTE_ADDR;
        if (leaf) {
            uint64_t offset = BIT(shift) - 1;

            if (level == 2 && !wide) /* PSE-36 */
                table = (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
            *out = mk_gpa((table & ~offset) | (va & offset));
            return 0;
        }
    }
    return -XEN_EFAULT;
}

static bool canonical(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

int guest_walk(struct x86_vcpu *v, gva_t va, bool write, gpa_t *out)
{
    struct vcpu_mode m;

    vendor->get_mode(v, &m);
    if (!(m.efer & EFER_LMA))
        va.val = (uint32_t)va.val;
    else if (!canonical(va.val))
        return -XEN_EFAULT;
    if (!(m.cr0 & CR0_PG)) {
        *out = mk_gpa(va.val);
        return 0;
    }
    return walk(v, &m, va.val, write, out);
}

static int copy_gva(struct x86_vcpu *v, uint8_t *buf, gva_t a, size_t n, bool to_guest)
{
    while (n) {
        size_t part = in_page(a.val, n);
        gpa_t gpa;

        if (guest_walk(v, a, to_guest, &gpa) || copy_page(v->dom, buf, gpa, part, to_guest))
            return -XEN_EFAULT;
        buf += part;
        a.val += part;
        n -= part;
    }
    return 0;
}

int copy_from_guest(struct x86_vcpu *v, void *dst, gva_t src, size_t n)
{
    return copy_gva(v, dst, src, n, false);
}

int copy_to_guest(struct x86_vcpu *v, gva_t dst, const void *src, size_t n)
{
    return copy_gva(v, (void *)(uintptr_t)src, dst, n, true);
}

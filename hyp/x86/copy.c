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

/*
 * What a copy works with: the p2m, whose lock keeps every frame where it is, so that no reference
 * is needed, and a window that is moved from frame to frame.
 */
struct copy {
    struct p2m *p2m;
    struct locked held;
    uint8_t *window; /* NULL: not yet open */
};

static struct copy begin(struct x86_domain *d)
{
    return (struct copy){.p2m = &d->p2m, .held = spin_lock(&d->p2m.lock)};
}

static void end(struct copy *c)
{
    if (c->window)
        arch_slot_unmap(c->window);
    spin_unlock(&c->p2m->lock);
}

/* The byte at a, in the window; NULL: there is none, or it may not be written. */
static inline uint8_t *look(struct copy *c, gpa_t a, bool write)
{
    hfn_t f = p2m_peek(c->p2m, gpa_to_gfn(a), write, c->held);

    if (hfn_eq(f, HFN_NONE))
        return NULL;
    c->window = c->window ? arch_slot_move(c->window, f) : arch_slot_map(f);
    return c->window + a.val % PAGE_SIZE;
}

static int copy_page(struct copy *c, void *buf, gpa_t a, size_t n, bool to_guest)
{
    uint8_t *at = look(c, a, to_guest);

    if (!at)
        return -XEN_EFAULT;
    if (to_guest)
        memcpy(at, buf, n);
    else
        memcpy(buf, at, n);
    return 0;
}

static size_t in_page(uint64_t a, size_t n)
{
    return MIN(n, PAGE_SIZE - a % PAGE_SIZE);
}

static int copy_gpa(struct x86_domain *d, uint8_t *buf, gpa_t a, size_t n, bool to_guest)
{
    struct copy c = begin(d);
    int rc = 0;

    while (n && !rc) {
        size_t part = in_page(a.val, n);

        rc = copy_page(&c, buf, a, part, to_guest);
        buf += part;
        a.val += part;
        n -= part;
    }
    end(&c);
    return rc;
}

int copy_from_gpa(struct x86_domain *d, void *dst, gpa_t src, size_t n)
{
    return copy_gpa(d, dst, src, n, false);
}

int copy_to_gpa(struct x86_domain *d, gpa_t dst, const void *src, size_t n)
{
    return copy_gpa(d, (void *)(uintptr_t)src, dst, n, true);
}

/* One walk of the guest's tables (SDM vol. 3 ch. 4), levels down to 1, bits of the address each. */
static int walk(struct copy *c, const struct vcpu_mode *m, uint64_t va, bool write, gpa_t *out,
                bool *writable)
{
    bool wide = m->cr4 & CR4_PAE, longmode = m->efer & EFER_LMA;
    unsigned bits = wide ? 9 : 10, levels = longmode ? 4 : wide ? 3 : 2;
    uint64_t table = m->cr3 & (longmode ? PTE_ADDR : wide ? 0xffffffe0UL : 0xfffff000UL);
    size_t width = wide ? 8 : 4;

    *writable = true;
    for (unsigned level = levels; level; level--) {
        unsigned shift = PAGE_SHIFT + (level - 1) * bits;
        uint64_t index = va >> shift & (BIT(bits) - 1);
        uint8_t *at = look(c, mk_gpa(table + index * width), false);
        uint64_t entry;
        bool leaf = level == 1;

        if (!at)
            return -XEN_EFAULT;
        entry = wide ? READ_ONCE(*(uint64_t *)(void *)at) : READ_ONCE(*(uint32_t *)(void *)at);
        if (!(entry & PTE_PRESENT))
            return -XEN_EFAULT;
        if (level == 3 && levels == 3)
            entry |= PTE_WRITABLE; /* a PDPTE of PAE paging has no such bit */
        else if (entry & PTE_LARGE && (level == 2 || level == 3) && (wide || m->cr4 & CR4_PSE))
            leaf = true;
        if (!(entry & PTE_WRITABLE) && m->cr0 & CR0_WP)
            *writable = false;
        if (write && !*writable)
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

/*
 * As a CPU may keep a translation until the instruction is over, so do we until the exit has been
 * handled: what a hypercall gives back mostly goes where its arguments came from.
 */
static int translate(struct x86_vcpu *v, struct copy *c, gva_t va, bool write, gpa_t *out)
{
    const struct vcpu_mode *m = vcpu_mode(v);
    unsigned slot = va.val >> PAGE_SHIFT & 1;
    int rc;

    if (!(m->efer & EFER_LMA))
        va.val = (uint32_t)va.val;
    else if (!canonical(va.val))
        return -XEN_EFAULT;
    if (!(m->cr0 & CR0_PG)) {
        *out = mk_gpa(va.val);
        return 0;
    }
    if (v->walked[slot].page == (va.val & PAGE_MASK) && (!write || v->walked[slot].writable)) {
        *out = mk_gpa(v->walked[slot].gpa.val + va.val % PAGE_SIZE);
        return 0;
    }
    v->walked[slot].page = NO_PAGE;
    rc = walk(c, m, va.val, write, out, &v->walked[slot].writable);
    if (!rc) {
        v->walked[slot].page = va.val & PAGE_MASK;
        v->walked[slot].gpa = mk_gpa(out->val & PAGE_MASK);
    }
    return rc;
}

int guest_walk(struct x86_vcpu *v, gva_t va, bool write, gpa_t *out)
{
    struct copy c = begin(v->dom);
    int rc = translate(v, &c, va, write, out);

    end(&c);
    return rc;
}

static int copy_gva(struct x86_vcpu *v, uint8_t *buf, gva_t a, size_t n, bool to_guest)
{
    struct copy c = begin(v->dom);
    int rc = 0;

    while (n && !rc) {
        size_t part = in_page(a.val, n);
        gpa_t gpa;

        if (translate(v, &c, a, to_guest, &gpa) || copy_page(&c, buf, gpa, part, to_guest))
            rc = -XEN_EFAULT;
        buf += part;
        a.val += part;
        n -= part;
    }
    end(&c);
    return rc;
}

int copy_from_guest(struct x86_vcpu *v, void *dst, gva_t src, size_t n)
{
    return copy_gva(v, dst, src, n, false);
}

int copy_to_guest(struct x86_vcpu *v, gva_t dst, const void *src, size_t n)
{
    return copy_gva(v, (void *)(uintptr_t)src, dst, n, true);
}

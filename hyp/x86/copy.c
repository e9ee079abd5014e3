/* SPDX-License-Identifier: MIT */
#include "hyp/x86/copy.h"

#include <xen/errno.h>
#include "hyp/lib/string.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/vendor.h"
#include "hyp/x86/window.h"

#define PTE_PRESENT        BIT(0)
#define PTE_WRITABLE       BIT(1)
#define PTE_LARGE          BIT(7)
#define PTE_ACCESSED_DIRTY (BIT(5) | BIT(6))
#define PTE_ADDR           0x000ffffffffff000UL

/*
 * What a copy works with: the p2m, whose lock keeps every frame where it is, so that no reference
 * is needed, and a window that is moved from frame to frame.
 */
struct copy {
    struct p2m *p2m;
    struct locked held;
    struct window window;
};

static inline struct copy begin(struct x86_domain *d)
{
    return (struct copy){&d->p2m, spin_lock(&d->p2m.lock), window_open()};
}

static inline void end(struct copy *c)
{
    window_close(c->window);
    spin_unlock(&c->p2m->lock);
}

/* Copies within the frame f from offset at on; HFN_NONE: -XEN_EFAULT. */
static inline int copy_frame(struct copy *c, hfn_t f, uint64_t at, void *buf, size_t n,
                             bool to_guest)
{
    uint8_t *p;

    if (hfn_eq(f, HFN_NONE))
        return -XEN_EFAULT;
    p = window_aim(c->window, f) + at;
    if (to_guest)
        memcpy(p, buf, n);
    else
        memcpy(buf, p, n);
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
        enum p2m_type t;
        hfn_t f = p2m_peek(c.p2m, gpa_to_gfn(a), to_guest, &t, c.held);

        rc = copy_frame(&c, f, a.val % PAGE_SIZE, buf, part, to_guest);
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

void copy_frames(hfn_t to, size_t to_at, hfn_t from, size_t from_at, size_t n)
{
    struct window w = window_open(), r = window_open();
    uint8_t *page = window_aim(w, to);

    if (hfn_eq(to, from)) /* may overlap, which two windows would hide */
        memmove(page + to_at, page + from_at, n);
    else
        memcpy(page + to_at, window_aim(r, from) + from_at, n);
    window_close(r);
    window_close(w);
}

/* Reads the next entry on the way, at gpa a; false: there is no memory, or it is not present. */
static bool step(struct copy *c, struct walked *w, gpa_t a, bool wide)
{
    struct walked_entry *e = &w->way[w->steps++];
    enum p2m_type t;
    uint8_t *at;

    e->gpa = a;
    e->table = p2m_peek(c->p2m, gpa_to_gfn(a), false, &t, c->held);
    w->own &= t == P2M_RAM;
    if (hfn_eq(e->table, HFN_NONE))
        return false;
    at = window_aim(c->window, e->table) + a.val % PAGE_SIZE;
    e->value = wide ? READ_ONCE(*(uint64_t *)(void *)at) : READ_ONCE(*(uint32_t *)(void *)at);
    return e->value & PTE_PRESENT;
}

/* One walk of the guest's tables (SDM vol. 3 ch. 4), levels down to 1, bits of the address each. */
static int walk(struct copy *c, const struct vcpu_mode *m, uint64_t va, struct walked *w)
{
    bool wide = m->cr4 & CR4_PAE, longmode = m->efer & EFER_LMA;
    unsigned bits = wide ? 9 : 10, levels = longmode ? 4 : wide ? 3 : 2;
    uint64_t table = m->cr3 & (longmode ? PTE_ADDR : wide ? 0xffffffe0UL : 0xfffff000UL);

    w->writable = w->own = true;
    w->steps = 0;
    for (unsigned level = levels; level; level--) {
        unsigned shift = PAGE_SHIFT + (level - 1) * bits;
        uint64_t index = va >> shift & (BIT(bits) - 1), offset = BIT(shift) - 1, entry;
        bool leaf = level == 1;

        if (!step(c, w, mk_gpa(table + index * (wide ? 8 : 4)), wide))
            return -XEN_EFAULT;
        entry = w->way[w->steps - 1].value;
        if (level == 3 && levels == 3)
            entry |= PTE_WRITABLE; /* a PDPTE of PAE paging has no such bit */
        else if (entry & PTE_LARGE && (level == 2 || level == 3) && (wide || m->cr4 & CR4_PSE))
            leaf = true;
        if (!(entry & PTE_WRITABLE) && m->cr0 & CR0_WP)
            w->writable = false;
        table = entry & PTE_ADDR;
        if (leaf) {
            if (level == 2 && !wide) /* PSE-36 */
                table = (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
            w->gpa = mk_gpa((table & ~offset) | (va & offset & PAGE_MASK));
            return 0;
        }
    }
    return -XEN_EFAULT;
}

/* Are the tables on the way no longer where they were? */
static __attribute__((noinline)) bool tables_moved(struct copy *c, const struct walked *w)
{
    for (unsigned i = 0; i < w->steps; i++) {
        const struct walked_entry *e = &w->way[i];
        enum p2m_type t;
        hfn_t f = p2m_peek(c->p2m, gpa_to_gfn(e->gpa), false, &t, c->held);

        if (!hfn_eq(f, e->table) || t != P2M_RAM)
            return true;
    }
    return false;
}

/* Would a walk find today what it found then? In long mode only; accessed and dirty don't count. */
static bool holds(struct copy *c, const struct vcpu_mode *m, struct walked *w)
{
    const struct walked_entry *end = w->way + w->steps;
    struct window window = c->window;

    if (!w->own || m->cr3 != w->cr3 || (m->cr0 ^ w->cr0) & CR0_WP || !(m->efer & EFER_LMA))
        return false;
    if (w->gen != c->p2m->ram_gen && tables_moved(c, w))
        return false;
    w->gen = c->p2m->ram_gen;
    for (const struct walked_entry *e = w->way; e < end; e++) {
        uint8_t *at = window_aim(window, e->table) + e->gpa.val % PAGE_SIZE;

        if ((READ_ONCE(*(uint64_t *)(void *)at) ^ e->value) & ~PTE_ACCESSED_DIRTY)
            return false;
    }
    return true;
}

static bool canonical(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

/* Makes w what the guest's tables say of va now. */
static __attribute__((noinline)) int look_up(struct copy *c, const struct vcpu_mode *m, uint64_t va,
                                             struct walked *w)
{
    w->page = NO_PAGE;
    w->frame = HFN_NONE;
    if (!(m->cr0 & CR0_PG)) {
        w->gpa = mk_gpa(va & PAGE_MASK);
        w->writable = true;
        return 0;
    }
    if (walk(c, m, va, w))
        return -XEN_EFAULT;
    w->page = va & PAGE_MASK;
    w->cr0 = m->cr0;
    w->cr3 = m->cr3;
    w->gen = c->p2m->ram_gen;
    return 0;
}

/*
 * The page of va; NULL: there is none. As a CPU may keep a translation until the instruction is
 * over, so do we until the exit has been handled: what a hypercall gives back mostly goes where its
 * arguments came from. The next one does not trust it, but reads the entries on the way again.
 */
static inline struct walked *translate(struct x86_vcpu *v, struct copy *c, gva_t va, bool write)
{
    const struct vcpu_mode *m = vcpu_mode(v);
    struct walked *w = va.val & PAGE_SIZE ? &v->walked[1] : &v->walked[0];

    if (!(m->efer & EFER_LMA))
        va.val = (uint32_t)va.val;
    else if (!canonical(va.val))
        return NULL;
    if ((w->page != (va.val & PAGE_MASK) || (w->exit != v->exits && !holds(c, m, w))) &&
        look_up(c, m, va.val, w))
        return NULL;
    w->exit = v->exits;
    return write && !w->writable ? NULL : w;
}

/* The frame behind the page w, as p2m_peek() says. */
static inline hfn_t frame_behind(struct copy *c, struct walked *w, bool write)
{
    enum p2m_type t;
    hfn_t f;

    if (likely(!hfn_eq(w->frame, HFN_NONE) && w->frame_gen == c->p2m->ram_gen &&
               (!write || w->frame_writable)))
        return w->frame;
    f = p2m_peek(c->p2m, gpa_to_gfn(w->gpa), write, &t, c->held);
    w->frame = t == P2M_RAM ? f : HFN_NONE;
    w->frame_gen = c->p2m->ram_gen;
    w->frame_writable = write;
    return f;
}

int guest_walk(struct x86_vcpu *v, gva_t va, bool write, gpa_t *out)
{
    struct copy c = begin(v->dom);
    const struct walked *w = translate(v, &c, va, write);

    end(&c);
    if (!w)
        return -XEN_EFAULT;
    *out = mk_gpa(w->gpa.val + va.val % PAGE_SIZE);
    return 0;
}

/* All within one page. */
static inline __attribute__((always_inline)) int copy_within(struct x86_vcpu *v, uint8_t *buf,
                                                             gva_t a, size_t n, bool to_guest)
{
    struct copy c = begin(v->dom);
    struct walked *w = translate(v, &c, a, to_guest);
    int rc = -XEN_EFAULT;

    if (w)
        rc = copy_frame(&c, frame_behind(&c, w, to_guest), a.val % PAGE_SIZE, buf, n, to_guest);
    end(&c);
    return rc;
}

static __attribute__((noinline)) int copy_across(struct x86_vcpu *v, uint8_t *buf, gva_t a,
                                                 size_t n, bool to_guest)
{
    int rc = 0;

    while (n && !rc) {
        size_t part = in_page(a.val, n);

        rc = copy_within(v, buf, a, part, to_guest);
        buf += part;
        a.val += part;
        n -= part;
    }
    return rc;
}

int copy_from_guest(struct x86_vcpu *v, void *dst, gva_t src, size_t n)
{
    if (likely(n && in_page(src.val, n) == n))
        return copy_within(v, dst, src, n, false);
    return copy_across(v, dst, src, n, false);
}

int copy_to_guest(struct x86_vcpu *v, gva_t dst, const void *src, size_t n)
{
    uint8_t *buf = (uint8_t *)(uintptr_t)src;

    if (likely(n && in_page(dst.val, n) == n))
        return copy_within(v, buf, dst, n, true);
    return copy_across(v, buf, dst, n, true);
}

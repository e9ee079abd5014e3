/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_add_to_physmap, _batch and XENMEM_remove_from_physmap (xen/memory.h): where a domain sees
 * the hypervisor's pages, and its own. Memory that was at the place before is freed, as in Xen. The
 * domain's lock is held for each page, so that a move never counts against the memory's limit.
 */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include <xen/memory.h>
#include "mm/arch.h"

#define FLUSH_BATCH 64U /* pages */

/* The frame of memory that was at gfn comes back in *ram, HFN_NONE if it was none, to be given back
 * after a flush. */
static int take(struct domain *d, gfn_t gfn, hfn_t *ram)
{
    hfn_t f;
    enum p2m_type t = p2m_lookup(&d->arch.p2m, gfn, &f, NULL);
    int rc;

    *ram = HFN_NONE;
    if (t == P2M_NONE)
        return -XEN_ENOENT;
    if (t == P2M_GRANT_RW || t == P2M_GRANT_RO) /* there is a call for that */
        return -XEN_EINVAL;
    rc = p2m_unmap_idle_noflush(&d->arch.p2m, gfn, &f, &t);
    if (!rc && t == P2M_RAM)
        *ram = f;
    return rc;
}

static void give_back(struct domain *d, const hfn_t *ram, unsigned n)
{
    arch_p2m_flush(&d->arch.p2m);
    for (unsigned i = 0; i < n; i++)
        if (!hfn_eq(ram[i], HFN_NONE))
            frame_put(ram[i]);
}

int physmap_free(struct domain *d, gfn_t gfn, uint64_t n)
{
    hfn_t ram[FLUSH_BATCH];
    unsigned taken = 0;
    int rc = 0;

    for (uint64_t i = 0; !rc && i < n; i++) {
        rc = take(d, gfn_add(gfn, i), &ram[taken]);
        if (!rc && ++taken == FLUSH_BATCH) {
            give_back(d, ram, taken);
            taken = 0;
        }
    }
    if (taken)
        give_back(d, ram, taken);
    return rc;
}

/* Makes room at gfn. */
static int clear(struct domain *d, gfn_t gfn)
{
    int rc = physmap_free(d, gfn, 1);

    return rc == -XEN_ENOENT ? 0 : rc;
}

static int show(struct domain *d, const void *page, gfn_t gfn)
{
    hfn_t f, there;
    int rc;

    if (!page)
        return -XEN_EINVAL;
    f = arch_hva_to_hfn(page);
    if (p2m_lookup(&d->arch.p2m, gfn, &there, NULL) == P2M_HYP && hfn_eq(f, there))
        return 0;
    rc = clear(d, gfn);
    return rc ? rc : p2m_map(&d->arch.p2m, gfn, f, ORDER_4K, P2M_HYP);
}

/* Memory goes from one place to another; when the new one cannot be had, back again. */
static int move(struct domain *d, gfn_t from, gfn_t to)
{
    hfn_t f;
    int rc;

    if (to.val >> GFN_BITS || p2m_lookup(&d->arch.p2m, from, &f, NULL) != P2M_RAM)
        return -XEN_EINVAL;
    if (gfn_eq(from, to))
        return 0;
    rc = clear(d, to);
    if (!rc)
        rc = take(d, from, &f);
    if (rc)
        return rc;
    arch_p2m_flush(&d->arch.p2m);
    if (hfn_eq(f, HFN_NONE))
        return -XEN_EINVAL;
    rc = p2m_map(&d->arch.p2m, to, f, ORDER_4K, P2M_RAM);
    if (rc && p2m_map(&d->arch.p2m, from, f, ORDER_4K, P2M_RAM))
        frame_put(f);
    return rc;
}

/* Version 1 of the grant table has no status frames, so that bit of idx names none. */
static int add_one(struct domain *d, uint32_t space, uint64_t idx, gfn_t gfn)
{
    spin_guard(held, &d->lock);

    if (gfn.val >> GFN_BITS)
        return -XEN_EINVAL;
    if (space == XENMAPSPACE_shared_info && !idx)
        return show(d, d->shared, gfn);
    if (space == XENMAPSPACE_grant_table && idx < GRANT_MAX_FRAMES)
        return show(d, grant_frame(d, (uint32_t)idx), gfn);
    if (space == XENMAPSPACE_gmfn || space == XENMAPSPACE_gmfn_range)
        return move(d, mk_gfn(idx), gfn);
    return -XEN_EINVAL;
}

long physmap_add(struct vcpu *v, gva_t arg, uint32_t start)
{
    struct xen_add_to_physmap a;
    uint32_t size;
    int rc;

    if (copy_from_guest(&v->arch, &a, arg, sizeof(a)))
        return vcpu_refuse(v, -XEN_EFAULT, "add_to_physmap", "bad address");
    if (a.space == XENMAPSPACE_gmfn_foreign)
        return vcpu_refuse(v, -XEN_ENOSYS, "add_to_physmap", "foreign memory");
    rc = domain_only_self(v, a.domid);
    size = a.space == XENMAPSPACE_gmfn_range ? a.size : 1;
    if (!rc && start > size)
        rc = -XEN_EILSEQ;
    for (uint32_t i = start; !rc && i < size; i++) {
        if (i > start && run_preempted())
            return i;
        rc = add_one(v->dom, a.space, a.idx + i, mk_gfn(a.gpfn + i));
    }
    return rc ? vcpu_refuse(v, rc, "add_to_physmap", "bad domain, index or frame") : 0;
}

/* Item i of a batch: 0, its own error having been told, or -XEN_EFAULT. */
static int batch_one(struct vcpu *v, const struct xen_add_to_physmap_batch *b, uint32_t i)
{
    xen_ulong_t idx;
    xen_pfn_t gpfn;
    int32_t rc;

    if (copy_from_guest(&v->arch, &idx, mk_gva(HANDLE_GVA(b->idxs).val + i * sizeof(idx)),
                        sizeof(idx)) ||
        copy_from_guest(&v->arch, &gpfn, mk_gva(HANDLE_GVA(b->gpfns).val + i * sizeof(gpfn)),
                        sizeof(gpfn)))
        return -XEN_EFAULT;
    rc = add_one(v->dom, b->space, idx, mk_gfn(gpfn));
    return copy_to_guest(&v->arch, mk_gva(HANDLE_GVA(b->errs).val + i * sizeof(rc)), &rc,
                         sizeof(rc));
}

long physmap_add_batch(struct vcpu *v, gva_t arg, uint32_t start)
{
    struct xen_add_to_physmap_batch b;
    int rc;

    if (copy_from_guest(&v->arch, &b, arg, sizeof(b)))
        return vcpu_refuse(v, -XEN_EFAULT, "add_to_physmap_batch", "bad address");
    rc = domain_only_self(v, b.domid);
    if (b.space == XENMAPSPACE_gmfn_range || (b.space != XENMAPSPACE_gmfn_foreign && b.u.res0))
        rc = -XEN_EOPNOTSUPP;
    else if (!rc && b.space == XENMAPSPACE_gmfn_foreign)
        rc = -XEN_EPERM;
    else if (!rc && start > b.size)
        rc = -XEN_EILSEQ;
    for (uint32_t i = start; !rc && i < b.size; i++) {
        if (i > start && run_preempted())
            return i;
        rc = batch_one(v, &b, i);
    }
    return rc ? vcpu_refuse(v, rc, "add_to_physmap_batch", "bad domain, space or address") : 0;
}

long physmap_remove(struct vcpu *v, gva_t arg)
{
    struct xen_remove_from_physmap r;
    int rc;

    if (copy_from_guest(&v->arch, &r, arg, sizeof(r)))
        return vcpu_refuse(v, -XEN_EFAULT, "remove_from_physmap", "bad address");
    rc = domain_only_self(v, r.domid);
    if (!rc) {
        spin_guard(held, &v->dom->lock);
        rc = physmap_free(v->dom, mk_gfn(r.gpfn), 1);
    }
    return rc ? vcpu_refuse(v, rc, "remove_from_physmap", "bad domain or frame") : 0;
}

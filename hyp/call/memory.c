/* SPDX-License-Identifier: MIT */
/* memory_op (xen/memory.h): how much memory a domain has, and where. */
#include "hyp/call/call.h"

#include <xen/errno.h>
#include <xen/memory.h>
#include "hyp/dom/record.h"
#include "mm/arch.h"

/*
 * As in Xen the command's upper bits say what was done before a continuation: pages, extents, or
 * for reservations steps of at most 64 pages.
 */
#define EXTENT_SHIFT 6
#define CMD_MASK     ((1U << EXTENT_SHIFT) - 1)
#define STEP_ORDER   6U /* of what is freed at a time */

struct reservation {
    struct domain *d;
    uint64_t extents; /* guest-linear address of the list */
    uint32_t steps, order;
};

/* An entry of the memory map, as the BIOS gives it (INT 0x15, EAX 0xe820). */
struct e820_entry {
    uint64_t addr, size;
    uint32_t type;
} __packed;

/* An extent whole or not at all; 1: not yet. */
static int populate(struct domain *d, gfn_t gfn, unsigned order)
{
    uint64_t n = BIT(order);

    if (gfn.val >> GFN_BITS || (gfn.val + n - 1) >> GFN_BITS)
        return -XEN_EINVAL;
    if (d->arch.p2m.ram_frames + n > d->memory_max)
        return -XEN_ENOMEM;
    return ram_add(d, gfn, order);
}

/* Steps of one extent. */
static unsigned sub_order(unsigned order)
{
    return order > STEP_ORDER ? order - STEP_ORDER : 0;
}

/* Step number i of the list: how many are done with it, 0: call again; or an error. */
static int change(struct vcpu *v, const struct reservation *r, uint32_t i, bool add)
{
    unsigned sub = sub_order(r->order);
    uint64_t at = r->extents + (i >> sub) * sizeof(xen_pfn_t), n = BIT(r->order - sub);
    xen_pfn_t gfn;
    int rc = copy_from_guest(&v->arch, &gfn, mk_gva(at), sizeof(gfn));

    if (rc)
        return rc;
    spin_guard(held, &r->d->lock);
    if (!add) {
        rc = physmap_free(r->d, mk_gfn(gfn + (i & (BIT(sub) - 1)) * n), n);
        return rc ? rc : 1;
    }
    rc = populate(r->d, mk_gfn(gfn), r->order);
    return rc < 0 ? rc : rc ? 0 : (int)BIT(sub);
}

/*
 * As in Xen the result is the number of extents done, whatever has stopped it. What
 * increase_reservation allocates would have no address in a guest with its own physical space.
 */
static long reservation_op(struct vcpu *v, uint32_t cmd, uint32_t start, uint64_t args[CALL_ARGS])
{
    struct xen_memory_reservation m;
    struct reservation r;
    bool begun = false;
    uint32_t i;
    int rc = 0;

    if (copy_from_guest(&v->arch, &m, mk_gva(args[1]), sizeof(m)))
        rc = -XEN_EFAULT;
    else if (m.extent_order > ORDER_2M || m.mem_flags & XENMEMF_vnode ||
             m.nr_extents > UINT32_MAX >> EXTENT_SHIFT >> sub_order(m.extent_order))
        rc = -XEN_EINVAL;
    else
        rc = domain_only_self(v, m.domid);
    if (!rc && cmd == XENMEM_increase_reservation)
        rc = -XEN_EOPNOTSUPP;
    if (rc) {
        vcpu_refuse(v, rc, "memory_op reservation", "bad argument or domain");
        return start;
    }
    r = (struct reservation){v->dom, HANDLE_GVA(m.extent_start).val,
                             (uint32_t)m.nr_extents << sub_order(m.extent_order), m.extent_order};
    for (i = start; i < r.steps; i += (uint32_t)rc) {
        if (begun && run_preempted()) {
            args[0] = cmd | i << EXTENT_SHIFT;
            return -XEN_ERESTART;
        }
        begun = true;
        rc = change(v, &r, i, cmd == XENMEM_populate_physmap);
        if (rc < 0) {
            if (rc != -XEN_ENOMEM) /* the balloon driver tries again and again */
                vcpu_refuse(v, rc, "memory_op reservation", "bad extent");
            break;
        }
    }
    return i >> sub_order(m.extent_order);
}

static long memory_map(struct vcpu *v, gva_t arg)
{
    struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX];
    struct xen_memory_map m;
    uint32_t n = record_memmap(v->dom->record, map);

    if (copy_from_guest(&v->arch, &m, arg, sizeof(m)))
        return -XEN_EFAULT;
    m.nr_entries = MIN(m.nr_entries, n);
    for (uint32_t i = 0; i < m.nr_entries; i++) {
        struct e820_entry e = {map[i].addr, map[i].size, map[i].type};
        gva_t to = mk_gva(HANDLE_GVA(m.buffer).val + i * sizeof(e));

        if (copy_to_guest(&v->arch, to, &e, sizeof(e)))
            return -XEN_EFAULT;
    }
    return copy_to_guest(&v->arch, arg, &m, sizeof(m));
}

/* Of the domain's own space: how the host's memory is arranged is not the guest's business. */
static long maximum_gfn(struct domain *d)
{
    struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX];
    uint32_t n = record_memmap(d->record, map);

    return (long)((map[n - 1].addr + map[n - 1].size - 1) >> PAGE_SHIFT);
}

static long query(struct vcpu *v, uint32_t cmd, gva_t arg)
{
    struct xen_memory_domain m;
    int rc;

    if (copy_from_guest(&v->arch, &m, arg, sizeof(m)))
        return vcpu_refuse(v, -XEN_EFAULT, "memory_op", "bad address");
    rc = domain_only_self(v, m.domid);
    if (rc)
        return vcpu_refuse(v, rc, "memory_op", "another domain's memory");
    if (cmd == XENMEM_current_reservation)
        return (long)READ_ONCE(v->dom->arch.p2m.ram_frames);
    return cmd == XENMEM_maximum_reservation ? (long)v->dom->memory_max : maximum_gfn(v->dom);
}

/* The rest, which no continuation leads to. */
static long simple_op(struct vcpu *v, uint32_t cmd, gva_t arg)
{
    switch (cmd) {
    case XENMEM_remove_from_physmap:
        return physmap_remove(v, arg);
    case XENMEM_maximum_ram_page:
        return maximum_gfn(v->dom);
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return query(v, cmd, arg);
    case XENMEM_memory_map:
        return memory_map(v, arg);
    case XENMEM_exchange:
    case XENMEM_get_vnumainfo:
        return -XEN_EOPNOTSUPP;
    case XENMEM_machphys_mapping:
        return -XEN_ENOSYS;
    case XENMEM_machine_memory_map:
    case XENMEM_set_memory_map:
        return vcpu_refuse(v, -XEN_EPERM, "memory_op", "not for guests");
    default:
        return vcpu_refuse(v, -XEN_ENOSYS, "memory_op", "unknown operation");
    }
}

long call_memory_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    uint32_t cmd = args[0] & CMD_MASK, start = (uint32_t)args[0] >> EXTENT_SHIFT;
    gva_t arg = mk_gva(args[1]);
    long rc;

    switch (cmd) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return reservation_op(v, cmd, start, args);
    case XENMEM_add_to_physmap:
        rc = physmap_add(v, arg, start);
        break;
    case XENMEM_add_to_physmap_batch:
        rc = physmap_add_batch(v, arg, start);
        break;
    default:
        return start ? -XEN_EINVAL : simple_op(v, cmd, arg);
    }
    if (rc <= 0)
        return rc;
    args[0] = cmd | (uint32_t)rc << EXTENT_SHIFT;
    return -XEN_ERESTART;
}

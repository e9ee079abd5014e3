/* SPDX-License-Identifier: MIT */
/* Control hypercall: what a domain has, and what it may have. */
#include <xen/errno.h>
#include "hyp/call/controlcall.h"
#include "hyp/dom/record.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"

long controldom_shares(struct control *c)
{
    struct bundle_domain *r = c->d->record;
    bool dying;

    if ((c->arg.a != ~0UL && (!c->arg.a || c->arg.a > RECORD_MAX_WEIGHT)) ||
        (c->arg.b != ~0UL && c->arg.b > RECORD_MAX_CAP))
        return control_refuse(c, -XEN_EINVAL, "bad weight or cap");
    spin_lock(&c->d->lock);
    dying = c->d->dying;
    if (!dying) {
        r->weight = c->arg.a == ~0UL ? r->weight : (uint32_t)c->arg.a;
        r->cap = c->arg.b == ~0UL ? r->cap : (uint32_t)c->arg.b;
        run_shares(c->d, r->weight, r->cap);
    }
    spin_unlock(&c->d->lock);
    return dying ? control_refuse(c, -XEN_EBUSY, "it is dying") : 0;
}

/* What it is built with again after a reboot is its target: the record's maximum is not below. */
long controldom_memory_max(struct control *c)
{
    struct domain *d = c->d;
    bool fits;

    if (c->arg.a % PAGE_SIZE || c->arg.a > RECORD_MAX_MEMORY)
        return control_refuse(c, -XEN_EINVAL, "not a multiple of 4096, or more than 8 TiB");
    spin_lock(&d->lock);
    fits = !d->dying && d->state >= BH_DOMAIN_LOADING && domain_set_memory_max(d, c->arg.a);
    if (fits)
        d->record->memory_max = MAX(c->arg.a, d->record->memory_target);
    spin_unlock(&d->lock);
    return fits ? 0 : control_refuse(c, -XEN_EBUSY, "it has more, or is not built, or dying");
}

long controldom_rename(struct control *c)
{
    char name[BUNDLE_NAME_SIZE] = "";
    int rc;

    if (c->arg.size >= sizeof(name))
        return control_refuse(c, -XEN_EINVAL, "too long");
    if (copy_from_guest(&c->caller->arch, name, mk_gva(c->arg.buffer), c->arg.size))
        return control_refuse(c, -XEN_EFAULT, "bad buffer address");
    if (!record_name_valid(name))
        return control_refuse(c, -XEN_EINVAL, "not a printable name");
    rc = domain_rename(c->d, name);
    if (rc)
        return control_refuse(c, rc, "the name is in use, or it is dying");
    domain_changed();
    return 0;
}

/* The first frame from *gfn on that has memory, as the memory map says: 0, -XEN_ENOENT,
 * -XEN_ERESTART. */
static int find_memory(struct domain *d, uint64_t *gfn, hfn_t *f)
{
    struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX];
    uint32_t n = record_memmap(d->record, map);
    bool begun = false;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t end = (map[i].addr + map[i].size) / PAGE_SIZE;

        for (*gfn = MAX(*gfn, map[i].addr / PAGE_SIZE); *gfn < end; ++*gfn) {
            if (begun && run_preempted())
                return -XEN_ERESTART;
            if (!p2m_get(&d->arch.p2m, mk_gfn(*gfn), false, f))
                return 0;
            begun = true;
        }
    }
    return -XEN_ENOENT;
}

long controldom_read_memory(struct control *c)
{
    struct domain *d = c->d;
    void *window;
    hfn_t f;
    long rc = -XEN_EBUSY;

    spin_lock(&d->lock);
    if (!d->dying && d->state >= BH_DOMAIN_LOADING)
        rc = find_memory(d, &c->arg.a, &f);
    spin_unlock(&d->lock);
    if (rc)
        return rc == -XEN_EBUSY ? control_refuse(c, rc, "not built, or dying") : rc;
    window = arch_slot_map(f);
    rc = control_give(c, window, PAGE_SIZE);
    arch_slot_unmap(window);
    frame_put(f);
    return rc;
}

long controldom_record(struct control *c)
{
    long rc;

    spin_lock(&c->d->lock);
    record_seal(c->d->record);
    rc = control_give(c, c->d->record, sizeof(*c->d->record));
    spin_unlock(&c->d->lock);
    return rc;
}

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

    if ((c->arg.a != ~0UL && (!c->arg.a || c->arg.a > RECORD_MAX_WEIGHT)) ||
        (c->arg.b != ~0UL && c->arg.b > RECORD_MAX_CAP))
        return control_refuse(c, -XEN_EINVAL, "bad weight or cap");
    r->weight = c->arg.a == ~0UL ? r->weight : (uint32_t)c->arg.a;
    r->cap = c->arg.b == ~0UL ? r->cap : (uint32_t)c->arg.b;
    run_shares(c->d, r->weight, r->cap);
    return 0;
}

/* What it is built with again after a reboot is its target: the record's maximum is not below. */
long controldom_memory_max(struct control *c)
{
    struct domain *d = c->d;

    if (c->arg.a % PAGE_SIZE || c->arg.a > RECORD_MAX_MEMORY)
        return control_refuse(c, -XEN_EINVAL, "not a multiple of 4096, or more than 8 TiB");
    if (!domain_set_memory_max(d, c->arg.a))
        return control_refuse(c, -XEN_EBUSY, "it has more");
    d->record->memory_max = MAX(c->arg.a, d->record->memory_target);
    return 0;
}

long controldom_rename(struct control *c)
{
    char name[BUNDLE_NAME_SIZE] = "";
    long rc = c->arg.size < sizeof(name) ? control_take(c, name, c->arg.size) : -XEN_EINVAL;

    if (rc == -XEN_EINVAL || (!rc && !record_name_valid(name)))
        return control_refuse(c, -XEN_EINVAL, "not a printable name, or too long");
    if (!rc)
        rc = domain_rename(c->d, name);
    if (!rc)
        c->then = CONTROL_CHANGED;
    else if (rc != -XEN_EFAULT)
        c->why = "the name is in use, or it is dying";
    return rc;
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
    void *window;
    hfn_t f;
    long rc;

    rc = find_memory(c->d, &c->arg.a, &f);
    if (rc)
        return rc;
    window = arch_slot_map(f);
    rc = control_give(c, window, PAGE_SIZE);
    arch_slot_unmap(window);
    frame_put(f);
    return rc;
}

long controldom_record(struct control *c)
{
    record_seal(c->d->record);
    return control_give(c, c->d->record, sizeof(*c->d->record));
}

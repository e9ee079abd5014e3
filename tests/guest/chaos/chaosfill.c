/* SPDX-License-Identifier: MIT */
/* Random arguments that are valid more often than not, and never harm the guest itself. */
#include "tests/guest/chaos/chaos.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include "hyp/lib/string.h"

#define US 1000UL

uint64_t chaos_gfn(struct rng *r)
{
    static const uint64_t bad[] = {1UL << 36, (1UL << 36) - 70000, 1UL << 40, 1UL << 63, 1UL << 28};

    if (!rng_below(r, 12))
        return bad[rng_below(r, ARRAY_SIZE(bad))];
    return VICTIMS + rng_below(r, rng_below(r, 4) ? NVICTIMS / 2 : NVICTIMS);
}

uint16_t chaos_domid(struct rng *r)
{
    switch (rng_below(r, 8)) {
    case 0:
        return rt_domid();
    case 1:
        return (uint16_t)rng_below(r, 8);
    case 2:
        return (uint16_t)(DOMID_SELF + rng_below(r, 8));
    case 3:
        return (uint16_t)rng_next(r);
    default:
        return DOMID_SELF;
    }
}

uint32_t chaos_port(struct rng *r)
{
    static const uint32_t limits[] = {64, 600, 4100, 140000};

    return rng_below(r, 20) ? (uint32_t)rng_below(r, limits[rng_below(r, 4)])
                            : (uint32_t)rng_next(r);
}

static uint32_t vcpu(struct rng *r)
{
    return (uint32_t)(rng_below(r, 16) ? rng_below(r, 2) : rng_next(r) >> rng_below(r, 63));
}

uint64_t chaos_bad_pointer(struct rng *r)
{
    static const uint64_t bad[] = {
        0,           8,          BAD_POINTER,        0x8000000000000000, 0x800000000000,
        0x7ffffffff, 0xfffffff8, 0xffffffff80000000, 0xfffffffffffffff8, 0xffff800000000000,
        1UL << 46,   0xe0000000, 0x00007ffffffffff0, 0xd0000ffc,
    };

    return rng_below(r, 4) ? bad[rng_below(r, ARRAY_SIZE(bad))] : rng_next(r);
}

/* The read-only image is among it: a write there has to be refused. */
uint64_t chaos_anywhere(struct attacker *a)
{
    struct rng *r = &a->rng;

    switch (rng_below(r, 8)) {
    case 0:
        return chaos_bad_pointer(r);
    case 1:
        return 0x100000 + rng_below(r, 4096);
    case 2:
        return (VICTIMS << 12) + rng_below(r, NVICTIMS * 4096);
    default:
        return a->results + rng_below(r, 8192);
    }
}

/* Lists of frames: beyond them there is nothing. */
static uint64_t list(struct attacker *a)
{
    if (!rng_below(&a->rng, 16))
        return chaos_bad_pointer(&a->rng);
    return a->lists + rng_below(&a->rng, 1024) * sizeof(uint64_t);
}

static uint32_t length(struct rng *r)
{
    static const uint32_t limits[] = {3, 3, 3, 20, 20, 20, 300, 70000};

    return rng_below(r, 30) ? (uint32_t)rng_below(r, limits[rng_below(r, 8)])
                            : (uint32_t)rng_next(r);
}

static void evtchn_pages(struct attacker *a, unsigned cmd, void *p)
{
    struct rng *r = &a->rng;
    struct evtchn_init_control *control = p;
    struct evtchn_expand_array *array = p;

    if (cmd == EVTCHNOP_expand_array) {
        array->array_gfn = chaos_gfn(r);
        return;
    }
    control->control_gfn = chaos_gfn(r);
    control->offset = (uint32_t)(rng_below(r, 4) ? rng_below(r, 512) * 8 : rng_next(r));
    control->vcpu = vcpu(r);
}

void chaos_evtchn(struct attacker *a, unsigned cmd, void *p)
{
    struct rng *r = &a->rng;
    uint32_t *words = p;

    switch (cmd) {
    case EVTCHNOP_init_control:
    case EVTCHNOP_expand_array:
        evtchn_pages(a, cmd, p);
        break;
    case EVTCHNOP_bind_interdomain: /* domain, port */
        words[0] = chaos_domid(r);
        words[1] = chaos_port(r);
        break;
    case EVTCHNOP_bind_virq: /* number, vCPU */
        words[0] = (uint32_t)rng_below(r, 26);
        words[1] = vcpu(r);
        break;
    case EVTCHNOP_bind_ipi:
        words[0] = vcpu(r);
        break;
    case EVTCHNOP_bind_vcpu:
        words[0] = chaos_port(r);
        words[1] = vcpu(r);
        break;
    case EVTCHNOP_status: /* domain, port */
        words[0] = chaos_domid(r);
        words[1] = chaos_port(r);
        break;
    case EVTCHNOP_alloc_unbound: /* two domains */
    case EVTCHNOP_reset:
        words[0] = chaos_domid(r) | (uint32_t)chaos_domid(r) << 16;
        break;
    default: /* port, and what more there is */
        words[0] = chaos_port(r);
        words[1] = (uint32_t)rng_below(r, 17);
    }
}

/*
 * The hypervisor may see the union of one version and the flags of another: a reference has to be
 * harmless as a frame number, too.
 */
static void grant_copy(struct attacker *a, struct gnttab_copy *c)
{
    struct rng *r = &a->rng;

    memset(c, 0, sizeof(*c));
    c->flags = (uint16_t)rng_below(r, 4);
    for (unsigned i = 0; i < 2; i++) {
        struct gnttab_copy_ptr *side = i ? &c->dest : &c->source;
        uint64_t gfn = chaos_gfn(r);

        if (c->flags & (i ? GNTCOPY_dest_gref : GNTCOPY_source_gref))
            side->u.ref = (grant_ref_t)(VICTIMS + rng_below(r, GRANTS + 8 - VICTIMS));
        else
            side->u.gmfn = gfn;
        side->domid = chaos_domid(r);
        side->offset = (uint16_t)rng_below(r, 4200);
    }
    c->len = (uint16_t)(rng_below(r, 8) ? rng_below(r, 300) : rng_next(r));
}

void chaos_grant(struct attacker *a, unsigned cmd, void *p)
{
    struct rng *r = &a->rng;

    if (cmd == GNTTABOP_map_grant_ref) {
        *(struct gnttab_map_grant_ref *)p = (struct gnttab_map_grant_ref){
            .host_addr = chaos_gfn(r) << 12 | (rng_below(r, 20) ? 0 : rng_below(r, 4096)),
            .flags = (uint32_t)(rng_below(r, 10) ? GNTMAP_host_map | (rng_next(r) & GNTMAP_readonly)
                                                 : rng_next(r)),
            .ref = (grant_ref_t)rng_below(r, GRANTS + 8),
            .dom = rng_below(r, 2) ? rt_domid() : chaos_domid(r)};
    } else if (cmd == GNTTABOP_unmap_grant_ref || cmd == GNTTABOP_unmap_and_replace) {
        *(struct gnttab_unmap_grant_ref *)p =
            (struct gnttab_unmap_grant_ref){.host_addr = rng_below(r, 40) ? chaos_gfn(r) << 12 : 0,
                                            .dev_bus_addr = rng_below(r, 4) ? 0 : rng_next(r),
                                            .handle = (grant_handle_t)rng_below(r, 1024)};
    } else if (cmd == GNTTABOP_copy) {
        grant_copy(a, p);
    } else { /* two small numbers, then a list or nothing */
        uint32_t *words = p;

        words[0] = (uint32_t)(rng_below(r, 2) ? chaos_domid(r) : rng_below(r, GRANTS));
        words[1] = (uint32_t)rng_below(r, cmd == GNTTABOP_setup_table ? 70 : GRANTS);
        ((uint64_t *)p)[2] = ((uint64_t *)p)[1] = chaos_anywhere(a);
    }
}

static void batch(struct attacker *a, struct xen_add_to_physmap_batch *b)
{
    struct rng *r = &a->rng;

    *b = (struct xen_add_to_physmap_batch){
        .domid = chaos_domid(r), .space = (uint16_t)rng_below(r, 6), .size = (uint16_t)length(r)};
    b->idxs.p = (void *)list(a);
    b->gpfns.p = (void *)list(a);
    b->errs.p = (void *)(rng_below(r, 4) ? a->results + rng_below(r, 4096) : chaos_bad_pointer(r));
}

void chaos_memory(struct attacker *a, unsigned cmd, void *p)
{
    static const uint8_t orders[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 9, 10, 18, 63, 64, 255};
    struct rng *r = &a->rng;

    if (cmd <= XENMEM_decrease_reservation || cmd == XENMEM_populate_physmap) {
        struct xen_memory_reservation *m = p;

        *m = (struct xen_memory_reservation){
            .nr_extents = rng_below(r, 20) ? length(r) : rng_next(r),
            .extent_order = orders[rng_below(r, ARRAY_SIZE(orders))],
            .mem_flags = (uint32_t)(rng_below(r, 10) ? 0 : rng_next(r)),
            .domid = chaos_domid(r)};
        m->extent_start.p = (void *)list(a);
    } else if (cmd == XENMEM_add_to_physmap) {
        *(struct xen_add_to_physmap *)p = (struct xen_add_to_physmap){
            .domid = chaos_domid(r),
            .size = (uint16_t)length(r),
            .space = (unsigned)(rng_below(r, 20) ? rng_below(r, 6) : rng_next(r)),
            .idx = rng_below(r, 2) ? chaos_gfn(r) : rng_below(r, 70),
            .gpfn = chaos_gfn(r)};
        if (((struct xen_add_to_physmap *)p)->idx < VICTIMS) /* not the image's frames */
            ((struct xen_add_to_physmap *)p)->space &= 1;
    } else if (cmd == XENMEM_add_to_physmap_batch) {
        batch(a, p);
    } else if (cmd == XENMEM_remove_from_physmap) {
        *(struct xen_remove_from_physmap *)p =
            (struct xen_remove_from_physmap){.domid = chaos_domid(r), .gpfn = chaos_gfn(r)};
    } else { /* a domain or a count, then a pointer */
        *(uint64_t *)p = rng_below(r, 2) ? chaos_domid(r) : rng_below(r, 10);
        ((uint64_t *)p)[1] = chaos_anywhere(a);
    }
}

void chaos_vcpu(struct attacker *a, unsigned cmd, void *p)
{
    struct rng *r = &a->rng;

    if (cmd == VCPUOP_set_singleshot_timer) {
        struct vcpu_set_singleshot_timer *t = p;

        t->timeout_abs_ns = rng_below(r, 4) ? rt_now() + rng_below(r, 100 * US) : rng_next(r);
        t->flags = (uint32_t)rng_below(r, 4);
    } else if (cmd == VCPUOP_register_vcpu_info) {
        struct vcpu_register_vcpu_info *i = p;

        i->mfn = chaos_gfn(r);
        i->offset = (uint32_t)rng_below(r, 4200);
    } else if (cmd == VCPUOP_initialise) { /* has been */
        memset(p, (int)rng_next(r), 200);
    } else { /* an area: its address */
        *(uint64_t *)p = rng_below(r, 10) ? (VICTIMS << 12) + rng_below(r, NVICTIMS * 4096)
                                          : chaos_bad_pointer(r);
    }
}

/* A poll that ends soon: nobody would wake the vCPU. Any other operation has no argument. */
void chaos_sched(struct attacker *a, unsigned cmd, void *p)
{
    struct sched_poll *s = p;
    struct rng *r = &a->rng;

    (void)cmd;
    *s = (struct sched_poll){
        .nr_ports = (unsigned)(rng_below(r, 10) ? rng_below(r, 9) : rng_next(r)),
        .timeout = rng_below(r, 2) ? 1 + rng_below(r, 1000) : rt_now() + rng_below(r, 100 * US)};
    s->ports.p = (void *)chaos_anywhere(a);
}

void chaos_hvm(struct attacker *a, unsigned cmd, void *p)
{
    struct rng *r = &a->rng;
    uint32_t *words = p;

    words[0] = cmd == HVMOP_set_evtchn_upcall_vector ? vcpu(r) : chaos_domid(r);
    words[1] = (uint32_t)(rng_below(r, 10) ? rng_below(r, HVM_NR_PARAMS + 3) : rng_next(r));
    ((uint64_t *)p)[1] = rng_below(r, 4) ? (2UL << 56) + rng_below(r, 256) : rng_next(r);
}

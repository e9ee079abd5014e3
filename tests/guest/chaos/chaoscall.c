/* SPDX-License-Identifier: MIT */
/* Which hypercall, and where what it points to lies. */
#include "tests/guest/chaos/chaos.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include "hyp/lib/string.h"

#define NO_OPERATION 30 /* from here on no family has one that does harm */
#define BATCH        6
#define ROOM         8192U
#define NGRANTS      13U /* operations */
#define FILL         24U /* bytes that a fill_fn may write, however small the structure */

/* n structures of size bytes each, in all versions; where the hypercall shall look for them. */
static uint64_t place(struct attacker *a, fill_fn *fill, unsigned cmd, size_t size, unsigned n)
{
    struct rng *r = &a->rng;
    uint32_t bytes = (uint32_t)(ROUND_UP(size, 8) * n + FILL), at;
    uint32_t room = ROOM - a->used - bytes;

    at = a->used + (uint32_t)(a->used ? 0 : rng_below(r, room / 8) * 8);
    if (!a->used && rng_below(r, 4) == 0 && bytes > 8) /* over the end of the first page */
        at = 4096 - (uint32_t)rng_below(r, bytes / 8) * 8;
    for (unsigned v = 0; v < VERSIONS; v++)
        for (unsigned i = 0; i < n; i++)
            fill(a, cmd, a->versions[v] + at + i * size);
    a->used = a->used ? a->used + bytes : 0;
    switch (rng_below(r, 16)) {
    case 0:
        return chaos_bad_pointer(r);
    case 1:
    case 2:
    case 3:
        return (uint64_t)a->versions[0] + at;
    default:
        return a->window + at;
    }
}

static void grants(struct attacker *a, struct call *c)
{
    static const uint8_t sizes[NGRANTS] = {sizeof(struct gnttab_map_grant_ref),
                                           sizeof(struct gnttab_unmap_grant_ref),
                                           sizeof(struct gnttab_setup_table),
                                           32,
                                           32,
                                           sizeof(struct gnttab_copy),
                                           sizeof(struct gnttab_query_size),
                                           sizeof(struct gnttab_unmap_and_replace),
                                           sizeof(struct gnttab_set_version),
                                           sizeof(struct gnttab_get_status_frames),
                                           sizeof(struct gnttab_get_version),
                                           sizeof(struct gnttab_swap_grant_ref),
                                           32};
    static const uint8_t often[] = {GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref,
                                    GNTTABOP_copy};
    struct rng *r = &a->rng;
    unsigned cmd = rng_below(r, 2) ? often[rng_below(r, 3)] : rng_below(r, NGRANTS);
    unsigned n = cmd <= 1 || cmd == GNTTABOP_copy || cmd == GNTTABOP_swap_grant_ref
                     ? 1 + rng_below(r, BATCH)
                     : 1;

    c->args[0] = cmd;
    c->args[1] = place(a, chaos_grant, cmd, sizes[cmd], n);
    c->args[2] = n;
}

static void memory(struct attacker *a, struct call *c)
{
    static const uint8_t known[] = {
        XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_decrease_reservation,
        XENMEM_populate_physmap,     XENMEM_populate_physmap,     XENMEM_populate_physmap,
        XENMEM_add_to_physmap,       XENMEM_add_to_physmap,       XENMEM_add_to_physmap_batch,
        XENMEM_remove_from_physmap,  XENMEM_memory_map,           XENMEM_maximum_ram_page,
        XENMEM_current_reservation,  XENMEM_maximum_reservation,  XENMEM_maximum_gpfn};
    struct rng *r = &a->rng;
    unsigned cmd = rng_below(r, 20) ? known[rng_below(r, ARRAY_SIZE(known))]
                                    : NO_OPERATION + rng_below(r, 64 - NO_OPERATION);

    c->args[1] = place(a, chaos_memory, cmd, 64, 1);
    c->args[0] = cmd | (rng_below(r, 20) ? 0 : rng_next(r) << 6); /* done before */
}

static void vcpus(struct attacker *a, struct call *c)
{
    struct rng *r = &a->rng;
    unsigned cmd = rng_below(r, 16);

    c->args[0] = cmd;
    c->args[1] = rng_below(r, 16) ? rng_below(r, 2) : rng_next(r);
    if (cmd == VCPUOP_down) /* the second vCPU only, by the first, which starts it again */
        c->args[1] = a->id ? 7 : 1;
    if (cmd == VCPUOP_get_runstate_info)
        c->args[2] = chaos_anywhere(a);
    else if (cmd != VCPUOP_up && (cmd != VCPUOP_send_nmi || !rng_below(r, 4)))
        c->args[2] = place(a, chaos_vcpu, cmd, 224, 1);
}

static void sched(struct attacker *a, struct call *c)
{
    static const uint8_t known[] = {SCHEDOP_yield, SCHEDOP_block,           SCHEDOP_poll,
                                    SCHEDOP_poll,  SCHEDOP_remote_shutdown, SCHEDOP_watchdog,
                                    NO_OPERATION};
    unsigned cmd = known[rng_below(&a->rng, ARRAY_SIZE(known))];

    c->args[0] = cmd;
    c->args[1] = place(a, chaos_sched, cmd, sizeof(struct sched_poll), 1);
    if (!rng_below(&a->rng, 16)) {
        c->args[0] = SCHEDOP_shutdown;
        c->args[1] = BAD_POINTER;
    }
}

static void simple(struct attacker *a, struct call *c)
{
    struct rng *r = &a->rng;

    switch (rng_below(r, 8)) {
    case 0:
        c->nr = __HYPERVISOR_vm_assist;
        c->args[0] = rng_below(r, 3);
        c->args[1] = rng_below(r, 7);
        break;
    case 1:
        c->nr = __HYPERVISOR_set_timer_op;
        c->args[0] = rng_below(r, 2) ? rng_next(r) : rt_now() + rng_below(r, 100000);
        break;
    case 2:
        c->nr = __HYPERVISOR_console_io;
        c->args[0] = rng_below(r, 30) ? CONSOLEIO_read : rng_below(r, 4);
        c->args[1] = rng_below(r, 4) ? rng_below(r, 300) : rng_next(r) << 31;
        c->args[2] = chaos_anywhere(a);
        break;
    case 3: /* one of those that there are not, or that are for others */
        do
            c->nr = rng_below(r, 4) ? rng_below(r, 64) : rng_next(r);
        while (c->nr < 34 &&
               BIT(c->nr) & (BIT(__HYPERVISOR_memory_op) | BIT(__HYPERVISOR_multicall) |
                             BIT(__HYPERVISOR_grant_table_op) | BIT(__HYPERVISOR_vcpu_op) |
                             BIT(__HYPERVISOR_sched_op) | BIT(__HYPERVISOR_event_channel_op)));
        for (unsigned i = 0; i < 6; i++)
            c->args[i] = rng_below(r, 2) ? chaos_anywhere(a) : rng_below(r, 64);
        break;
    default:
        c->nr = __HYPERVISOR_xen_version;
        c->args[0] = rng_below(r, 14);
        c->args[1] = chaos_anywhere(a);
    }
}

static void multicall(struct attacker *a, struct call *c)
{
    unsigned n = 1 + rng_below(&a->rng, 8);
    uint32_t at = 8;

    a->used = at + n * (uint32_t)sizeof(multicall_entry_t);
    for (unsigned i = 0; i < n; i++) {
        multicall_entry_t e = {0};
        struct call inner;

        chaos_call(a, &inner, false);
        e.op = inner.nr;
        memcpy(e.args, inner.args, sizeof(e.args));
        for (unsigned v = 0; v < VERSIONS; v++)
            memcpy(a->versions[v] + at + i * sizeof(e), &e, sizeof(e));
    }
    c->args[0] = rng_below(&a->rng, 16) ? a->window + at : chaos_bad_pointer(&a->rng);
    c->args[1] = n;
}

void chaos_call(struct attacker *a, struct call *c, bool several)
{
    static const uint8_t often[] = {__HYPERVISOR_memory_op,        __HYPERVISOR_grant_table_op,
                                    __HYPERVISOR_vcpu_op,          __HYPERVISOR_hvm_op,
                                    __HYPERVISOR_event_channel_op, __HYPERVISOR_event_channel_op,
                                    __HYPERVISOR_sched_op,         __HYPERVISOR_xen_version};
    struct rng *r = &a->rng;

    *c = (struct call){.nr = often[rng_below(r, ARRAY_SIZE(often))]};
    if (several && !rng_below(r, 32))
        c->nr = __HYPERVISOR_multicall;
    switch (c->nr) {
    case __HYPERVISOR_memory_op:
        memory(a, c);
        break;
    case __HYPERVISOR_grant_table_op:
        grants(a, c);
        break;
    case __HYPERVISOR_vcpu_op:
        vcpus(a, c);
        break;
    case __HYPERVISOR_hvm_op:
        c->args[0] = rng_below(r, 26);
        c->args[1] = place(a, chaos_hvm, (unsigned)c->args[0], 16, 1);
        break;
    case __HYPERVISOR_event_channel_op:
        c->args[0] = rng_below(r, 40) ? rng_below(r, 15) : rng_next(r);
        if (c->args[0] == EVTCHNOP_reset && rng_below(r, 50))
            c->args[0] = EVTCHNOP_send;
        c->args[1] = place(a, chaos_evtchn, (unsigned)c->args[0], 24, 1);
        break;
    case __HYPERVISOR_sched_op:
        sched(a, c);
        break;
    case __HYPERVISOR_multicall:
        multicall(a, c);
        break;
    default:
        simple(a, c);
    }
}

/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/callgen.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/version.h>
#include "tests/unit/fake_arch.h"
#include "tests/unit/fake_dom.h"

/* How a call takes its struct: after the command, before a count of them, or after a vCPU. */
enum shape { PTR, COUNTED, OF_VCPU, NUMBERS };

/*
 * A struct as a string, a letter for each field: D domain (16 bits), s space (16), W number (16), C
 * callback (64), P port, V vCPU, R grant reference, H grant handle, F mapping flags, O offset, S
 * space, o order, I number (32 bits each), g frame, y frame or reference, L address to map at, N
 * count, A address, X Y E lists, T time, B size of a buffer, M small number, Q number (64 bits
 * each), a digit: so many zero bytes. What is missing at the end is zero.
 */
struct kind {
    uint8_t nr;
    uint8_t shape;
    uint16_t cmd, size;
    const char *layout;
};

#define CALL(nr, shape, cmd, type, layout)                                                         \
    {                                                                                              \
        __HYPERVISOR_##nr, shape, cmd, sizeof(struct type), layout                                 \
    }
#define EVTCHN(op, layout)      CALL(event_channel_op, PTR, EVTCHNOP_##op, evtchn_##op, layout)
#define GRANT(op, type, layout) CALL(grant_table_op, COUNTED, GNTTABOP_##op, gnttab_##type, layout)
#define MEM(op, type, layout)   CALL(memory_op, PTR, XENMEM_##op, xen_##type, layout)
#define VCPU(op, type, layout)  CALL(vcpu_op, OF_VCPU, VCPUOP_##op, type, layout)
#define CONTROL(cmd, layout)                                                                       \
    {                                                                                              \
        BH_HYPERVISOR_control, PTR, BH_CONTROL_##cmd, sizeof(struct bh_control), layout            \
    }
#define BARE(nr, shape, cmd)                                                                       \
    {                                                                                              \
        __HYPERVISOR_##nr, shape, cmd, 0, ""                                                       \
    }

struct nothing {
    uint64_t text[128]; /* the most that XENVER_* write */
};

static const struct kind kinds[] = {
    EVTCHN(bind_interdomain, "D2P"),
    EVTCHN(bind_virq, "IV"),
    EVTCHN(bind_pirq, "II"),
    EVTCHN(close, "P"),
    EVTCHN(send, "P"),
    EVTCHN(status, "D2P"),
    EVTCHN(alloc_unbound, "DD"),
    EVTCHN(bind_ipi, "V"),
    EVTCHN(bind_vcpu, "PV"),
    EVTCHN(unmask, "P"),
    EVTCHN(reset, "D"),
    EVTCHN(init_control, "gOV"),
    EVTCHN(expand_array, "g"),
    EVTCHN(set_priority, "PI"),
    GRANT(map_grant_ref, map_grant_ref, "LFRD"),
    GRANT(unmap_grant_ref, unmap_grant_ref, "L8H"),
    GRANT(unmap_and_replace, unmap_and_replace, "LQH"),
    GRANT(setup_table, setup_table, "D2I8X"),
    GRANT(copy, copy, "yDW4yDW4WW"),
    GRANT(query_size, query_size, "D"),
    GRANT(set_version, set_version, "I"),
    GRANT(get_version, get_version, "D"),
    GRANT(get_status_frames, get_status_frames, "ID2X"),
    GRANT(swap_grant_ref, swap_grant_ref, "RR"),
    MEM(increase_reservation, memory_reservation, "XNoID"),
    MEM(decrease_reservation, memory_reservation, "XNoID"),
    MEM(populate_physmap, memory_reservation, "XNoID"),
    MEM(add_to_physmap, add_to_physmap, "DWSgg"),
    MEM(add_to_physmap_batch, add_to_physmap_batch, "DsW2XYE"),
    MEM(remove_from_physmap, remove_from_physmap, "D6g"),
    MEM(current_reservation, memory_domain, "D"),
    MEM(maximum_reservation, memory_domain, "D"),
    MEM(maximum_gpfn, memory_domain, "D"),
    MEM(memory_map, memory_map, "I4A"),
    BARE(memory_op, PTR, XENMEM_maximum_ram_page),
    CALL(hvm_op, PTR, HVMOP_set_param, xen_hvm_param, "D2IC"),
    CALL(hvm_op, PTR, HVMOP_get_param, xen_hvm_param, "D2I"),
    CALL(hvm_op, PTR, HVMOP_set_evtchn_upcall_vector, xen_hvm_evtchn_upcall_vector, "VI"),
    CALL(hvm_op, PTR, HVMOP_get_time, xen_hvm_get_time, ""),
    VCPU(initialise, vcpu_hvm_context, ""),
    VCPU(register_runstate_memory_area, vcpu_register_runstate_memory_area, "A"),
    VCPU(register_vcpu_time_memory_area, vcpu_register_time_memory_area, "A"),
    VCPU(register_vcpu_info, vcpu_register_vcpu_info, "gO"),
    VCPU(set_singleshot_timer, vcpu_set_singleshot_timer, "TI"),
    VCPU(get_runstate_info, vcpu_runstate_info, ""),
    BARE(vcpu_op, OF_VCPU, VCPUOP_up),
    BARE(vcpu_op, OF_VCPU, VCPUOP_down),
    BARE(vcpu_op, OF_VCPU, VCPUOP_is_up),
    BARE(vcpu_op, OF_VCPU, VCPUOP_send_nmi),
    BARE(vcpu_op, OF_VCPU, VCPUOP_stop_singleshot_timer),
    CALL(sched_op, PTR, SCHEDOP_poll, sched_poll, "XI4T"),
    CALL(sched_op, PTR, SCHEDOP_shutdown, sched_shutdown, "I"),
    BARE(sched_op, PTR, SCHEDOP_yield),
    BARE(sched_op, PTR, SCHEDOP_block),
    CALL(xen_version, PTR, XENVER_get_features, xen_feature_info, "I"),
    CALL(xen_version, PTR, XENVER_extraversion, nothing, ""),
    CALL(xen_version, PTR, XENVER_commandline, nothing, ""),
    CALL(xen_version, PTR, XENVER_guest_handle, nothing, ""),
    CALL(physdev_op, PTR, PHYSDEVOP_eoi, physdev_eoi, "I"),
    CALL(physdev_op, PTR, PHYSDEVOP_irq_status_query, physdev_irq_status_query, "I"),
    CONTROL(next, "I488AB"),
    CONTROL(log, "D2488AN"),
    BARE(console_io, NUMBERS, CONSOLEIO_write),
    BARE(set_timer_op, NUMBERS, 0),
    BARE(vm_assist, NUMBERS, VMASST_CMD_enable),
    BARE(multicall, NUMBERS, 0),
    CONTROL(host, "I488AB"),
    CONTROL(read_log, "D24N8AB"),
    CONTROL(vcpu, "D2V88AB"),
    CONTROL(create, "I488AB"),
    CONTROL(load, "D2VMMAB"),
    CONTROL(finish, "D2"),
    CONTROL(unpause, "D2"),
    CONTROL(pause, "D2"),
    CONTROL(shutdown, "D2VN"),
    CONTROL(destroy, "D2"),
    CONTROL(shares, "D2VNN"),
    CONTROL(affinity, "D2VN"),
    CONTROL(memory_max, "D2VQ"),
    CONTROL(rename, "D2488AN"),
    CONTROL(read_memory, "D24g8AB"),
    CONTROL(context, "D2V88AB"),
    CONTROL(trigger, "D2VN"),
    CONTROL(record, "D2488AB"),
};

unsigned callgen_kinds(void)
{
    return ARRAY_SIZE(kinds);
}

/* Frames of RAM, places for grants and moves, and the borders of what there can be. */
static uint64_t frame_number(struct fuzz *f)
{
    uint8_t b = fuzz_byte(f);

    if (b < 0xc0)
        return b;
    if (b < 0xe0)
        return (b & 7) * 512UL; /* room for large pages */
    return b < 0xf8 ? (1UL << GFN_BITS) - (b & 7) : fuzz_number(f);
}

static uint64_t domain_number(struct fuzz *f)
{
    static const uint16_t some[] = {1, 2, DOMID_SELF, 1, 2, 0, 3, DOMID_HYP};
    uint8_t b = fuzz_byte(f);

    return b < 0xf8 ? some[b % 8] : fuzz_bytes(f, 2);
}

uint64_t callgen_address(struct fuzz *f)
{
    uint8_t b = fuzz_byte(f);

    if (b < 0xc0)
        return CALLGEN_ARGS + b * 64UL;
    if (b < 0xe0) /* across the end of a page, or of RAM */
        return (b & 0x10 ? FAKE_RAM : 1 + b % 16UL) * PAGE_SIZE - (fuzz_byte(f) & 127);
    return b < 0xf0 ? 0 : fuzz_number(f);
}

static uint64_t small(struct fuzz *f, unsigned limit)
{
    uint8_t b = fuzz_byte(f);

    return b < 0xf0 ? b % limit : fuzz_number(f);
}

static uint64_t value(struct fuzz *f, char kind)
{
    static const uint64_t sizes[] = {4096, 0, 1, 64, 160, sizeof(struct bh_vcpu_context)};
    uint64_t a;

    switch (kind) {
    case 'D':
        return domain_number(f);
    case 's':
    case 'S':
        return small(f, 6);
    case 'P':
    case 'H':
    case 'N':
        return small(f, 24);
    case 'V':
        return small(f, 3);
    case 'R':
        return small(f, 16);
    case 'F':
        return small(f, 8) << 1; /* host_map 2, readonly 4, ... */
    case 'O':
        a = fuzz_byte(f);
        return a < 0xf0 ? a * 16 : PAGE_SIZE - (a & 15) * 8;
    case 'o':
        a = fuzz_byte(f);
        return a < 0xc0 ? ORDER_4K : a < 0xf8 ? ORDER_2M : a;
    case 'g':
        return frame_number(f);
    case 'y':
        return fuzz_byte(f) & 1 ? frame_number(f) : small(f, 16);
    case 'L':
        a = frame_number(f) << PAGE_SHIFT;
        return a + (fuzz_byte(f) < 0xf8 ? 0 : 8);
    case 'C':
        a = fuzz_byte(f);
        return a | (uint64_t)(fuzz_byte(f) % 4) << 56;
    case 'X':
    case 'Y':
    case 'E':
        a = fuzz_byte(f);
        return a < 0xe0 ? CALLGEN_LISTS + (uint64_t)(kind == 'X'   ? 0
                                                     : kind == 'Y' ? 1
                                                                   : 2) *
                                              PAGE_SIZE
                        : callgen_address(f);
    case 'A':
        return callgen_address(f);
    case 'B':
        a = fuzz_byte(f);
        return a < 0xe0 ? sizes[a % ARRAY_SIZE(sizes)] : fuzz_number(f);
    case 'M':
        return small(f, 3);
    case 'T':
        a = fuzz_byte(f);
        return a < 0x80 ? 1000000000UL + a * 1000 : fuzz_number(f);
    default:
        return fuzz_number(f);
    }
}

static size_t field_size(char kind)
{
    if (kind >= '1' && kind <= '9')
        return (size_t)(kind - '0');
    return strchr("DsW", kind) ? 2 : strchr("PVRHFOSoI", kind) ? 4 : 8;
}

void callgen_check(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t size = 0;

        for (const char *c = kinds[i].layout; *c; c++)
            size += field_size(*c);
        MUST(size <= kinds[i].size);
    }
}

void callgen_poke(struct domain *d, uint64_t gpa, const void *p, size_t n)
{
    const uint8_t *from = p;

    while (n) {
        size_t part = MIN(n, PAGE_SIZE - gpa % PAGE_SIZE);
        enum p2m_type t;
        hfn_t f;

        t = p2m_lookup(&d->arch.p2m, gpa_to_gfn(mk_gpa(gpa)), &f, NULL);
        if (t != P2M_NONE && t != P2M_GRANT_RO)
            memcpy(fake_frame(f) + gpa % PAGE_SIZE, from, part);
        from += part;
        gpa += part;
        n -= part;
    }
}

/* Registers that are accepted, but for what the data changes. */
static void context(struct fuzz *f, struct vcpu_hvm_context *c)
{
    unsigned changes = fuzz_byte(f), flat = 0xc93;

    memset(c, 0, sizeof(*c));
    if (changes & 0x80) {
        c->mode = VCPU_HVM_MODE_64B;
        c->cpu_regs.x86_64 = (struct vcpu_hvm_x86_64){
            .rip = 0x1000, .cr0 = 0x80000011, .cr3 = 0x5000, .cr4 = 0x20, .efer = 0x500};
    } else {
        c->cpu_regs.x86_32 = (struct vcpu_hvm_x86_32){.cr0 = 0x11,
                                                      .eip = 0x1000,
                                                      .cs_limit = ~0U,
                                                      .ss_limit = ~0U,
                                                      .ds_limit = ~0U,
                                                      .es_limit = ~0U,
                                                      .tr_limit = 0x67,
                                                      .cs_ar = 0xc9b,
                                                      .ss_ar = (uint16_t)flat,
                                                      .ds_ar = (uint16_t)flat,
                                                      .es_ar = (uint16_t)flat,
                                                      .tr_ar = 0x8b};
    }
    for (changes &= 3; changes; changes--) {
        size_t at = fuzz_byte(f) % (sizeof(*c) / 2) * 2;
        uint64_t v = fuzz_number(f);

        memcpy((uint8_t *)c + at, &v, 2);
    }
}

/* One struct at gpa. */
static void write_struct(struct fuzz *f, struct domain *d, const struct kind *k, uint64_t gpa)
{
    uint8_t buf[sizeof(struct nothing)] = {0};
    size_t at = 0;

    for (const char *c = k->layout; *c; c++) {
        size_t n = field_size(*c);

        if (*c > '9') {
            uint64_t v = value(f, *c);

            memcpy(buf + at, &v, n);
        }
        at += n;
    }
    if (k->nr == __HYPERVISOR_vcpu_op && k->cmd == VCPUOP_initialise)
        context(f, (struct vcpu_hvm_context *)(void *)buf);
    callgen_poke(d, gpa, buf, k->size);
}

void callgen_make(struct fuzz *f, struct domain *d, unsigned kind, uint64_t at, struct call *c)
{
    const struct kind *k = &kinds[kind];
    uint8_t how = fuzz_byte(f);
    unsigned n = k->shape == COUNTED ? 1 + (how >> 6) : 1;

    for (unsigned i = 0; i < n; i++)
        write_struct(f, d, k, at + i * (uint64_t)k->size);
    if ((how & 0x3f) == 0x3f)
        at = callgen_address(f);
    *c = (struct call){k->nr, {k->cmd, k->size ? at : 0, n}};
    if (k->shape == OF_VCPU) {
        c->args[1] = small(f, 3);
        c->args[2] = k->size ? at : 0;
    } else if (k->shape == NUMBERS) {
        c->args[0] = k->nr == __HYPERVISOR_multicall ? CALLGEN_CALLS : k->cmd;
        c->args[1] = fuzz_number(f);
        c->args[2] = callgen_address(f);
        if (k->nr == __HYPERVISOR_set_timer_op)
            c->args[0] = value(f, 'T');
    }
    if ((how & 0x3f) == 0x3e) /* as if continued */
        c->args[0] |= fuzz_number(f) << 6;
}

void callgen_raw(struct fuzz *f, struct call *c)
{
    c->nr = fuzz_byte(f) % 64;
    for (unsigned i = 0; i < 3; i++)
        c->args[i] = fuzz_byte(f) & 1 ? callgen_address(f) : fuzz_number(f);
}

void callgen_list(struct fuzz *f, struct domain *d)
{
    uint8_t how = fuzz_byte(f);
    uint64_t at = CALLGEN_LISTS + (how & 1) * PAGE_SIZE, first = frame_number(f);

    for (unsigned i = 0; i < 16; i++) {
        uint64_t v = how & 2 ? first + i * (how & 4 ? 512 : 1) : frame_number(f);

        callgen_poke(d, at + i * 8, &v, sizeof(v));
    }
}

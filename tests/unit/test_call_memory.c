/* SPDX-License-Identifier: MIT */
/* memory_op against a model of what is at each guest frame. */
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "mm/arch.h"
#include "tests/unit/check_main.h"
#include "tests/unit/fake_call.h"

#include <xen/memory.h>

#define GFNS  160U
#define ROUND 4000

int __real_p2m_map(struct p2m *p, gfn_t gfn, hfn_t f, unsigned order, enum p2m_type t);
int __wrap_p2m_map(struct p2m *p, gfn_t gfn, hfn_t f, unsigned order, enum p2m_type t);

static void (*at_collision)(void); /* another CPU, when something is there already */
static enum p2m_type model[GFNS];
static hfn_t frame_at[GFNS];

int __wrap_p2m_map(struct p2m *p, gfn_t gfn, hfn_t f, unsigned order, enum p2m_type t)
{
    int rc = __real_p2m_map(p, gfn, f, order, t);

    if (rc == -XEN_EEXIST && at_collision)
        at_collision();
    return rc;
}

static long mem(uint64_t cmd, void *arg)
{
    return hypercall(dom1->vcpus[0], __HYPERVISOR_memory_op, cmd, (uint64_t)arg, 0);
}

static void begin(void)
{
    fake_call_start();
    for (uint32_t i = 0; i < GFNS; i++) {
        model[i] = i < FAKE_RAM ? P2M_RAM : P2M_NONE;
        frame_at[i] = i < FAKE_RAM ? fake_ram(dom1, i) : HFN_NONE;
    }
}

static void check(void)
{
    uint64_t ram = 0;

    for (uint32_t i = 0; i < GFNS; i++) {
        hfn_t f = HFN_NONE;

        ck_assert_int_eq(p2m_lookup(&dom1->arch.p2m, mk_gfn(i), &f, NULL), model[i]);
        if (model[i] == P2M_RAM && !hfn_eq(frame_at[i], HFN_NONE))
            ck_assert_uint_eq(f.val, frame_at[i].val);
        frame_at[i] = f;
        ram += model[i] == P2M_RAM;
        if (model[i] == P2M_RAM)
            ck_assert_uint_eq(frame_of(f)->gfn, i);
    }
    ck_assert_uint_eq(dom1->arch.p2m.ram_frames, ram);
    ck_assert_uint_eq(mem(XENMEM_current_reservation, &(struct xen_memory_domain){DOMID_SELF}),
                      ram);
    ck_assert_uint_le(ram, dom1->memory_max);
}

static long reservation(unsigned cmd, xen_pfn_t *list, unsigned n, unsigned order)
{
    struct xen_memory_reservation r = {
        .extent_start = {list}, .nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

    return mem(cmd, &r);
}

static long add(unsigned space, uint64_t idx, uint64_t gfn, uint16_t size)
{
    struct xen_add_to_physmap a = {DOMID_SELF, size, space, idx, gfn};

    return mem(XENMEM_add_to_physmap, &a);
}

static bool is_grant(uint32_t g)
{
    return model[g] == P2M_GRANT_RO || model[g] == P2M_GRANT_RW;
}

static void set(uint32_t g, enum p2m_type t, hfn_t f)
{
    model[g] = t;
    frame_at[g] = f;
}

/* What a populate or decrease of n extents should do, and the number of them. */
static long expect(bool populate, const xen_pfn_t *list, unsigned n, unsigned order)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < 1U << order; k++) {
            uint64_t g = list[i] + k, ram = 0;

            for (uint32_t j = 0; j < GFNS; j++)
                ram += model[j] == P2M_RAM;
            if (populate && (model[g] != P2M_NONE || ram == dom1->memory_max)) {
                while (k--)
                    set((uint32_t)list[i] + k, P2M_NONE, HFN_NONE);
                return i;
            }
            if (!populate && (model[g] == P2M_NONE || is_grant((uint32_t)g)))
                return i;
            set((uint32_t)g, populate ? P2M_RAM : P2M_NONE, HFN_NONE);
        }
    return n;
}

static void random_reservation(void)
{
    unsigned n = (unsigned)rand() % 5, order = (unsigned)rand() % 4;
    bool populate = rand() % 2;
    xen_pfn_t list[4];

    for (unsigned i = 0; i < 4; i++)
        list[i] = (unsigned)rand() % (GFNS - 8);
    n = MIN(n, 4U);
    ck_assert_int_eq(reservation(populate ? XENMEM_populate_physmap : XENMEM_decrease_reservation,
                                 list, n, order),
                     expect(populate, list, n, order));
}

static void random_add(void)
{
    uint32_t to = (uint32_t)rand() % GFNS, from = (uint32_t)rand() % GFNS;
    bool page = rand() % 2, fails = is_grant(to);
    void *p = rand() % 2 ? (void *)dom1->shared : grant_frame(dom1, from % 4);
    long rc;

    if (page) {
        rc = p == dom1->shared ? add(XENMAPSPACE_shared_info, 0, to, 0)
                               : add(XENMAPSPACE_grant_table, from % 4, to, 0);
        if (!fails)
            set(to, P2M_HYP, arch_hva_to_hfn(p));
    } else {
        rc = add(XENMAPSPACE_gmfn, from, to, 0);
        fails = model[from] != P2M_RAM || (fails && from != to);
        if (!fails && from != to) {
            set(to, P2M_RAM, frame_at[from]);
            set(from, P2M_NONE, HFN_NONE);
        }
    }
    ck_assert_int_eq(rc, fails ? -XEN_EINVAL : 0);
}

static void random_remove(void)
{
    uint32_t g = (uint32_t)rand() % GFNS;
    struct xen_remove_from_physmap r = {DOMID_SELF, g};

    ck_assert_int_eq(mem(XENMEM_remove_from_physmap, &r), is_grant(g)            ? -XEN_EINVAL
                                                          : model[g] == P2M_NONE ? -XEN_ENOENT
                                                                                 : 0);
    if (!is_grant(g))
        set(g, P2M_NONE, HFN_NONE);
}

static void random_grant(void)
{
    static grant_handle_t handle;
    static uint32_t at;
    struct gnttab_map_grant_ref map = {.host_addr = (1 + (uint64_t)rand() % (GFNS - 1)) * PAGE_SIZE,
                                       .flags = GNTMAP_host_map,
                                       .dom = 2};
    struct gnttab_unmap_grant_ref unmap = {.handle = handle, .host_addr = at * PAGE_SIZE};

    if (at) {
        ck_assert_int_eq(hypercall(dom1->vcpus[0], __HYPERVISOR_grant_table_op,
                                   GNTTABOP_unmap_grant_ref, (uint64_t)&unmap, 1),
                         0);
        set(at, P2M_NONE, HFN_NONE);
        at = 0;
        return;
    }
    hypercall(dom1->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (uint64_t)&map,
              1);
    if (map.status)
        return;
    handle = map.handle;
    at = (uint32_t)(map.host_addr / PAGE_SIZE);
    set(at, P2M_GRANT_RW, HFN_NONE);
}

START_TEST(random_ops)
{
    srand((unsigned)_i);
    begin();
    ck_assert_int_eq(grant_set(dom2, 0, 1, mk_gfn(3)), 0);
    for (unsigned i = 0; i < ROUND; i++) {
        switch (rand() % 5) {
        case 0:
        case 1:
            random_reservation();
            break;
        case 2:
            random_add();
            break;
        case 3:
            random_remove();
            break;
        default:
            random_grant();
        }
        check();
    }
    fake_call_finish();
}
END_TEST

/* Long lists stop, tell in the command how far they are, and go on. */
START_TEST(continuations)
{
    static xen_pfn_t list[2000];
    static xen_ulong_t idx[300];
    static int errs[300];
    struct xen_add_to_physmap_batch b = {.domid = DOMID_SELF,
                                         .space = XENMAPSPACE_gmfn,
                                         .size = 300,
                                         .idxs = {idx},
                                         .gpfns = {list},
                                         .errs = {errs}};

    begin();
    fake_slow = true;
    dom1->memory_max = 4096;
    for (unsigned i = 0; i < 2000; i++)
        list[i] = 1000 + i;
    ck_assert_int_eq(reservation(XENMEM_populate_physmap, list, 2000, 0), 2000);
    ck_assert_uint_eq(fake_restarts, 1999);
    ck_assert_uint_eq(dom1->arch.p2m.ram_frames, 2064);
    ck_assert_int_eq(add(XENMAPSPACE_gmfn_range, 1000, 5000, 500), 0);
    for (unsigned i = 0; i < 300; i++) {
        idx[i] = 5000 + i;
        list[i] = 7000 + i;
    }
    idx[7] = 9999;
    ck_assert_int_eq(mem(XENMEM_add_to_physmap_batch, &b), 0);
    for (unsigned i = 0; i < 300; i++)
        ck_assert_int_eq(errs[i], i == 7 ? -XEN_EINVAL : 0);
    ck_assert_uint_eq(dom1->arch.p2m.ram_frames, 2064);
    ck_assert_int_eq(reservation(XENMEM_decrease_reservation, list, 300, 0), 7);
    fake_call_finish();
}
END_TEST

/* 2 MiB at once where it can be, in small pages where not. */
static void large(bool slow)
{
    xen_pfn_t list[2] = {1024, 4097};
    unsigned order;
    hfn_t f;

    begin();
    fake_slow = slow;
    dom1->memory_max = 64 + 1024;
    ck_assert_int_eq(reservation(XENMEM_populate_physmap, list, 2, 9), 2);
    ck_assert_int_eq(p2m_lookup(&dom1->arch.p2m, mk_gfn(1100), &f, &order), P2M_RAM);
    ck_assert_uint_eq(order, 9);
    ck_assert_int_eq(p2m_lookup(&dom1->arch.p2m, mk_gfn(4200), &f, &order), P2M_RAM);
    ck_assert_uint_eq(order, 0);
    list[0] = 8192;
    ck_assert_int_eq(reservation(XENMEM_populate_physmap, list, 1, 0), 0); /* full */
    list[0] = 1024;
    ck_assert_int_eq(reservation(XENMEM_decrease_reservation, list, 2, 9), 2);
    ck_assert_uint_eq(dom1->arch.p2m.ram_frames, 64);
    fake_call_finish();
}

START_TEST(large_at_once)
{
    large(false);
}
END_TEST

/* Eight pieces are scrubbed, eight freed, of each. */
START_TEST(large_in_pieces)
{
    large(true);
    ck_assert_uint_ge(fake_restarts, 2 * 15);
}
END_TEST

#define PINNED 5 /* frame of the block that domain 2 gets hold of */

static grant_handle_t handle;

/* Domain 2 maps a page of the block that is being populated. */
static void map_one(void)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = 100UL << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 8, .dom = 1};
    gva_t arg = mk_gva((uint64_t)&m);
    unsigned n = 1;

    ck_assert_int_eq(grant_op(dom2->vcpus[0], GNTTABOP_map_grant_ref, &arg, &n), 0);
    ck_assert_int_eq(m.status, GNTST_okay);
    handle = m.handle;
}

static void unmap_one(void)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = 100UL << PAGE_SHIFT, .handle = handle};
    gva_t arg = mk_gva((uint64_t)&u);
    unsigned n = 1;

    ck_assert_int_eq(grant_op(dom2->vcpus[0], GNTTABOP_unmap_grant_ref, &arg, &n), 0);
    ck_assert_int_eq(u.status, GNTST_okay);
}

/* What somebody holds of a block that cannot be populated stays the domain's, and counts. */
START_TEST(populate_fails_late)
{
    grant_entry_v1_t *e;
    xen_pfn_t first = 65;

    begin();
    dom1->memory_max = GFNS;
    set(72, P2M_RAM, HFN_NONE);
    ck_assert_int_eq(reservation(XENMEM_populate_physmap, &(xen_pfn_t){72}, 1, 0), 1);
    e = grant_frame(dom1, 0);
    e[8] = (grant_entry_v1_t){
        .flags = GTF_permit_access, .domid = 2, .frame = (uint32_t)first + PINNED};
    at_collision = map_one;
    ck_assert_int_eq(reservation(XENMEM_populate_physmap, &first, 1, 3), 0);
    at_collision = NULL;
    set((uint32_t)first + PINNED, P2M_RAM, HFN_NONE);
    check();
    unmap_one();
    fake_call_finish();
}
END_TEST

START_TEST(refusals)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = 2};
    struct xen_memory_domain other = {2}, none = {5};
    struct xen_add_to_physmap a = {.domid = 2};
    struct xen_memory_map map = {.nr_entries = 3};
    xen_pfn_t list[1] = {1UL << 40};

    begin();
    ck_assert_int_eq(mem(XENMEM_decrease_reservation, &r), 0);
    r.domid = 1;
    r.nr_extents = ~0UL;
    ck_assert_int_eq(mem(XENMEM_populate_physmap, &r), 0);
    ck_assert_int_eq(mem(XENMEM_populate_physmap, NULL), 0);
    ck_assert_int_eq(reservation(XENMEM_populate_physmap, list, 1, 10), 0);
    ck_assert_int_eq(reservation(XENMEM_populate_physmap, list, 1, 0), 0);
    ck_assert_int_eq(reservation(XENMEM_decrease_reservation, list, 1, 0), 0);
    ck_assert_int_eq(reservation(XENMEM_increase_reservation, list, 1, 0), 0);
    ck_assert_int_eq(mem(XENMEM_current_reservation, &other), -XEN_EPERM);
    ck_assert_int_eq(mem(XENMEM_current_reservation, &none), -XEN_ESRCH);
    ck_assert_int_eq(mem(XENMEM_add_to_physmap, &a), -XEN_EPERM);
    ck_assert_int_eq(mem(XENMEM_add_to_physmap, NULL), -XEN_EFAULT);
    ck_assert_int_eq(add(XENMAPSPACE_gmfn_foreign, 0, 0, 0), -XEN_ENOSYS);
    ck_assert_int_eq(add(XENMAPSPACE_shared_info, 1, 70, 0), -XEN_EINVAL);
    ck_assert_int_eq(add(XENMAPSPACE_shared_info, 0, 1UL << 40, 0), -XEN_EINVAL);
    ck_assert_int_eq(add(XENMAPSPACE_gmfn, 3, 1UL << 32, 0), -XEN_EINVAL);
    ck_assert_int_eq(add(XENMAPSPACE_gmfn, 3, (1UL << 32) - 1, 0), 0);
    ck_assert_uint_eq(frame_of(frame_at[3])->gfn, ~0U);
    ck_assert_int_eq(add(XENMAPSPACE_gmfn, (1UL << 32) - 1, 3, 0), 0);
    ck_assert_int_eq(add(XENMAPSPACE_grant_table, 64, 70, 0), -XEN_EINVAL);
    ck_assert_int_eq(add(XENMAPSPACE_grant_table, XENMAPIDX_grant_table_status, 70, 0),
                     -XEN_EINVAL);
    ck_assert_int_eq(add(9, 0, 70, 0), -XEN_EINVAL);
    ck_assert_int_eq(mem(XENMEM_exchange, NULL), -XEN_EOPNOTSUPP);
    ck_assert_int_eq(mem(XENMEM_machphys_mapping, NULL), -XEN_ENOSYS);
    ck_assert_int_eq(mem(XENMEM_maximum_gpfn | 1 << 6, &r), -XEN_EINVAL);
    ck_assert_int_eq(mem(63, NULL), -XEN_ENOSYS);
    ck_assert_int_eq(mem(XENMEM_memory_map, &map), -XEN_EFAULT);
    check();
    fake_call_finish();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, continuations);
    tcase_add_test(tc, large_at_once);
    tcase_add_test(tc, large_in_pieces);
    tcase_add_test(tc, populate_fails_late);
    tcase_add_test(tc, refusals);
    tcase_add_loop_test(tc, random_ops, 0, 6);
}

int main(void)
{
    return check_main("call memory", fill);
}

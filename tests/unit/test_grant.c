/* SPDX-License-Identifier: MIT */
/* Grants against a model: random and hostile requests, and domains that die in any order. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_arch.h"
#include "tests/unit/fake_dom.h"

#define FRAMES 16384UL
#define NDOMS  3U
#define WINDOW 1000U /* first gfn that is nobody's RAM */

static struct domain *dom[NDOMS + 1];
static uint64_t free_before;

static void start(void)
{
    fake_machine(FRAMES);
    hyp_free(hyp_alloc(0), 0);
    free_before = mem_stats().free;
    for (uint16_t i = 1; i <= NDOMS; i++)
        dom[i] = fake_domain(i, 1);
}

/* Kills in the order given; a zombie goes when the last user does. */
static void finish(const unsigned *order)
{
    unsigned left = NDOMS;

    for (unsigned i = 0; i < NDOMS; i++)
        for (unsigned k = 0; k <= i; k++)
            if (dom[order[k]] && fake_destroy(dom[order[k]])) {
                dom[order[k]] = NULL;
                left--;
            }
    for (unsigned k = 0; k < NDOMS; k++)
        if (dom[order[k]] && fake_destroy(dom[order[k]]))
            left--;
    ck_assert_uint_eq(left, 0);
    ck_assert_uint_eq(mem_stats().free, free_before);
    ck_assert_uint_eq(mem_stats().hyp, 0);
}

static long op(unsigned d, unsigned cmd, void *arg, unsigned count)
{
    gva_t a = mk_gva((uint64_t)arg);
    long rc;

    do
        rc = grant_op(dom[d]->vcpus[0], cmd, &a, &count);
    while (rc == -XEN_ERESTART);
    for (unsigned i = 1; i <= NDOMS; i++)
        ck_assert(!dom[i] || fake_idle(dom[i]));
    return rc;
}

static grant_entry_v1_t *entry(unsigned d, uint32_t ref)
{
    return &((grant_entry_v1_t *)grant_frame(dom[d], ref / 512))[ref % 512];
}

static void grant(unsigned d, uint32_t ref, unsigned to, uint32_t gfn, uint16_t flags)
{
    *entry(d, ref) =
        (grant_entry_v1_t){.flags = GTF_permit_access | flags, .domid = (domid_t)to, .frame = gfn};
}

static int map(unsigned d, unsigned granter, uint32_t ref, uint32_t flags, uint64_t gfn,
               grant_handle_t *handle)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = gfn << 12, .flags = flags, .ref = ref, .dom = (domid_t)granter};

    ck_assert_int_eq(op(d, GNTTABOP_map_grant_ref, &m, 1), 0);
    *handle = m.handle;
    return m.status;
}

static int unmap(unsigned d, grant_handle_t handle, uint64_t gfn)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = gfn << 12, .handle = handle};

    ck_assert_int_eq(op(d, GNTTABOP_unmap_grant_ref, &u, 1), 0);
    return u.status;
}

static enum p2m_type type_at(unsigned d, uint64_t gfn, hfn_t *f)
{
    return p2m_lookup(&dom[d]->arch.p2m, mk_gfn(gfn), f, NULL);
}

START_TEST(map_and_unmap)
{
    grant_handle_t a, b, h;
    hfn_t f, frame;

    start();
    frame = fake_ram(dom[1], 5);
    grant(1, 9, 2, 5, 0);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map | GNTMAP_readonly, WINDOW, &a), GNTST_okay);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access | GTF_reading);
    ck_assert_int_eq(type_at(2, WINDOW, &f), P2M_GRANT_RO);
    ck_assert(hfn_eq(f, frame));
    ck_assert_uint_eq(frame_of(frame)->pins, 1);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, WINDOW + 1, &b), GNTST_okay);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access | GTF_reading | GTF_writing);
    ck_assert_int_eq(type_at(2, WINDOW + 1, &f), P2M_GRANT_RW);
    ck_assert_uint_eq(grant_mapped_by_others(dom[1]), 1);

    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, WINDOW, &h), GNTST_general_error); /* taken */
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, 3, &h), GNTST_general_error);      /* own RAM */
    ck_assert_int_eq(map(3, 1, 9, GNTMAP_host_map, WINDOW, &h), GNTST_general_error); /* not his */

    entry(1, 9)->frame = 6; /* too late */
    ck_assert_int_eq(unmap(2, b, WINDOW), GNTST_general_error);
    ck_assert_int_eq(unmap(2, b, 0), GNTST_okay); /* nothing asked, nothing done */
    ck_assert_int_eq(unmap(2, b, WINDOW + 1), GNTST_okay);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access | GTF_reading);
    ck_assert_int_eq(unmap(2, b, WINDOW + 1), GNTST_bad_handle);
    ck_assert_int_eq(unmap(2, 12345, WINDOW), GNTST_bad_handle);
    ck_assert_int_eq(unmap(1, a, WINDOW), GNTST_bad_handle);
    ck_assert_int_eq(unmap(2, a, WINDOW), GNTST_okay);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access);
    ck_assert_uint_eq(frame_of(frame)->pins, 0);
    ck_assert_int_eq(type_at(2, WINDOW, &f), P2M_NONE);
    ck_assert_uint_eq(grant_mapped_by_others(dom[1]), 0);
    finish((unsigned[]){1, 2, 3});
}
END_TEST

START_TEST(refusals)
{
    struct gnttab_map_grant_ref odd = {.host_addr = (WINDOW << 12) + 8, .flags = GNTMAP_host_map};
    struct gnttab_unmap_and_replace r = {.host_addr = WINDOW << 12, .new_addr = 1 << 12};
    grant_handle_t h;

    start();
    grant(1, 9, 2, 5, GTF_readonly);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, WINDOW, &h), GNTST_general_error);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access | GTF_readonly);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_readonly, WINDOW, &h), GNTST_bad_gntref);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map | GNTMAP_contains_pte, WINDOW, &h),
                     GNTST_general_error);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_device_map, WINDOW, &h), GNTST_general_error);
    ck_assert_int_eq(map(2, 7, 9, GNTMAP_host_map, WINDOW, &h), GNTST_bad_domain);
    ck_assert_int_eq(map(2, DOMID_SELF, 9, GNTMAP_host_map, WINDOW, &h), GNTST_bad_domain);
    ck_assert_int_eq(map(2, 1, 512, GNTMAP_host_map, WINDOW, &h), GNTST_bad_gntref);
    ck_assert_int_eq(map(2, 1, ~0U, GNTMAP_host_map, WINDOW, &h), GNTST_bad_gntref);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, 1UL << 40, &h), GNTST_bad_virt_addr);
    ck_assert_int_eq(op(2, GNTTABOP_map_grant_ref, &odd, 1), 0);
    ck_assert_int_eq(odd.status, GNTST_bad_virt_addr);
    grant(1, 9, 2, WINDOW + 7, 0); /* no such frame */
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, WINDOW, &h), GNTST_bad_page);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access);
    entry(1, 9)->flags = GTF_accept_transfer;
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, WINDOW, &h), GNTST_general_error);

    /* what one has by grant cannot be granted on, nor copied by frame number */
    grant(1, 9, 2, 5, 0);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, WINDOW, &h), GNTST_okay);
    grant(2, 9, 3, WINDOW, 0);
    ck_assert_int_eq(map(3, 2, 9, GNTMAP_host_map, WINDOW, &h), GNTST_bad_page);
    ck_assert_int_eq(op(2, GNTTABOP_unmap_and_replace, &r, 1), 0);
    ck_assert_int_eq(r.status, GNTST_general_error);
    r.new_addr = 0;
    ck_assert_int_eq(op(2, GNTTABOP_unmap_and_replace, &r, 1), 0);
    ck_assert_int_eq(r.status, GNTST_okay);
    ck_assert_int_eq(op(2, GNTTABOP_map_grant_ref, NULL, 1), -XEN_EFAULT);
    ck_assert_int_eq(op(2, GNTTABOP_map_grant_ref, NULL, 0), 0);
    ck_assert_int_eq(op(2, GNTTABOP_map_grant_ref, NULL, ~0U), -XEN_EINVAL);
    ck_assert_int_eq(op(2, GNTTABOP_transfer, NULL, 1), -XEN_ENOSYS);
    ck_assert_int_eq(op(2, GNTTABOP_dump_table, NULL, 1), -XEN_ENOSYS);
    ck_assert_int_eq(op(2, GNTTABOP_cache_flush, NULL, 1), -XEN_EPERM);
    ck_assert_int_eq(op(2, 77, NULL, 1), -XEN_ENOSYS);
    finish((unsigned[]){3, 2, 1});
}
END_TEST

/* Who asks for what he was not granted costs the other domain nothing. */
START_TEST(refusals_cost_nothing)
{
    uint64_t hyp;
    grant_handle_t h;

    start();
    grant(1, 300, 3, 5, 0);
    map(2, 3, 0, GNTMAP_host_map, WINDOW, &h); /* what the mapper needs himself */
    hyp = mem_stats().hyp;
    ck_assert_int_eq(map(2, 1, 0, GNTMAP_host_map, WINDOW, &h), GNTST_general_error);
    ck_assert_int_eq(map(2, 1, 300, GNTMAP_host_map, WINDOW, &h), GNTST_general_error);
    ck_assert_uint_eq(mem_stats().hyp, hyp);
    finish((const unsigned[]){1, 2, 3});
}
END_TEST

START_TEST(queries)
{
    xen_pfn_t list[3] = {0};
    struct gnttab_query_size q = {.dom = DOMID_SELF};
    struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 3, .frame_list = {list}};
    struct gnttab_set_version set = {2};
    struct gnttab_get_version get = {.dom = DOMID_SELF};
    struct gnttab_get_status_frames st = {.dom = DOMID_SELF, .nr_frames = 1};
    struct gnttab_swap_grant_ref swap = {.ref_a = 8, .ref_b = 9};
    grant_handle_t h;

    start();
    ck_assert_int_eq(op(1, GNTTABOP_query_size, &q, 2), -XEN_EINVAL);
    ck_assert_int_eq(op(1, GNTTABOP_query_size, &q, 1), 0);
    ck_assert(q.status == GNTST_okay && q.nr_frames == 1 && q.max_nr_frames == 64);
    q.dom = 2;
    ck_assert_int_eq(op(1, GNTTABOP_query_size, &q, 1), 0);
    ck_assert_int_eq(q.status, GNTST_permission_denied);
    ck_assert_int_eq(op(1, GNTTABOP_setup_table, &s, 1), 0);
    ck_assert(s.status == GNTST_okay && list[2] == ~0UL && dom[1]->grants.nframes == 3);
    s.nr_frames = 65;
    ck_assert_int_eq(op(1, GNTTABOP_setup_table, &s, 1), 0);
    ck_assert_int_eq(s.status, GNTST_general_error);
    ck_assert_ptr_null(grant_frame(dom[1], 64));
    ck_assert_ptr_nonnull(grant_frame(dom[1], 63));
    ck_assert_int_eq(op(1, GNTTABOP_set_version, &set, 1), -XEN_ENOSYS);
    ck_assert_uint_eq(set.version, 1);
    ck_assert_int_eq(op(1, GNTTABOP_set_version, &set, 1), 0);
    set.version = 3;
    ck_assert_int_eq(op(1, GNTTABOP_set_version, &set, 1), -XEN_EINVAL);
    ck_assert_int_eq(op(1, GNTTABOP_get_version, &get, 1), 0);
    ck_assert_uint_eq(get.version, 1);
    get.dom = 7;
    ck_assert_int_eq(op(1, GNTTABOP_get_version, &get, 1), -XEN_ESRCH);
    ck_assert_int_eq(op(1, GNTTABOP_get_status_frames, &st, 1), 0);
    ck_assert_int_eq(st.status, GNTST_general_error);

    ck_assert_int_eq(grant_set(dom[1], 8, 2, mk_gfn(4)), 0);
    ck_assert_int_eq(grant_set(dom[1], 64 * 512, 2, mk_gfn(4)), -XEN_EINVAL);
    ck_assert_int_eq(op(1, GNTTABOP_swap_grant_ref, &swap, 1), 0);
    ck_assert(swap.status == GNTST_okay && !entry(1, 8)->flags && entry(1, 9)->frame == 4);
    ck_assert_int_eq(map(2, 1, 9, GNTMAP_host_map, WINDOW, &h), GNTST_okay);
    ck_assert_int_eq(op(1, GNTTABOP_swap_grant_ref, &swap, 1), 0);
    ck_assert_int_eq(swap.status, GNTST_eagain);
    finish((unsigned[]){1, 3, 2});
}
END_TEST

START_TEST(copies)
{
    struct gnttab_copy c = {.source = {.u.ref = 9, .domid = 1, .offset = 100},
                            .dest = {.u.gmfn = 7, .domid = DOMID_SELF, .offset = 8},
                            .len = 50,
                            .flags = GNTCOPY_source_gref};
    uint8_t *from, *to;

    start();
    from = fake_frame(fake_ram(dom[1], 5));
    to = fake_frame(fake_ram(dom[2], 7));
    memset(from, 0xab, 4096);
    grant(1, 9, 2, 5, GTF_readonly);
    ck_assert_int_eq(op(2, GNTTABOP_copy, &c, 1), 0);
    ck_assert_int_eq(c.status, GNTST_okay);
    ck_assert(to[7] == 0 && to[8] == 0xab && to[57] == 0xab && to[58] == 0);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access | GTF_readonly);
    ck_assert_uint_eq(frame_of(fake_ram(dom[1], 5))->pins, 0);

    c.dest.offset = 4047;
    ck_assert_int_eq(op(2, GNTTABOP_copy, &c, 1), 0);
    ck_assert_int_eq(c.status, GNTST_bad_copy_arg);
    c.dest = (struct gnttab_copy_ptr){.u.gmfn = 7, .domid = 1};
    ck_assert_int_eq(op(2, GNTTABOP_copy, &c, 1), 0);
    ck_assert_int_eq(c.status, GNTST_permission_denied);
    c.dest = (struct gnttab_copy_ptr){.u.ref = 9, .domid = 1};
    c.flags |= GNTCOPY_dest_gref; /* read-only */
    ck_assert_int_eq(op(2, GNTTABOP_copy, &c, 1), 0);
    ck_assert_int_eq(c.status, GNTST_general_error);
    ck_assert_uint_eq(entry(1, 9)->flags, GTF_permit_access | GTF_readonly);
    grant(1, 9, 2, 5, 0);
    memset(from, 0x11, 100);
    ck_assert_int_eq(op(2, GNTTABOP_copy, &c, 1), 0);
    ck_assert_int_eq(c.status, GNTST_okay);
    ck_assert(from[49] == 0xab && from[50] == 0x11);
    c.source = (struct gnttab_copy_ptr){.u.gmfn = WINDOW, .domid = DOMID_SELF};
    c.flags = GNTCOPY_dest_gref;
    ck_assert_int_eq(op(2, GNTTABOP_copy, &c, 1), 0);
    ck_assert_int_eq(c.status, GNTST_bad_page);
    finish((unsigned[]){2, 1, 3});
}
END_TEST

/* One flush for a batch, pieces of 64, and a fault in the middle that forgets nothing. */
START_TEST(batches)
{
    static struct gnttab_map_grant_ref m[200];
    static struct gnttab_unmap_grant_ref u[200];
    gva_t arg = mk_gva((uint64_t)m);
    unsigned count = 200;
    uint64_t flushes;

    start();
    for (unsigned i = 0; i < 200; i++) {
        grant(1, 10 + i, 2, i % FAKE_RAM, 0);
        m[i] = (struct gnttab_map_grant_ref){.host_addr = (uint64_t)(WINDOW + i) << 12,
                                             .flags = GNTMAP_host_map,
                                             .ref = 10 + i,
                                             .dom = 1};
    }
    ck_assert_int_eq(grant_op(dom[2]->vcpus[0], GNTTABOP_map_grant_ref, &arg, &count),
                     -XEN_ERESTART);
    ck_assert(count == 136 && arg.val == (uint64_t)&m[64]);
    ck_assert_int_eq(op(2, GNTTABOP_map_grant_ref, (void *)arg.val, count), 0);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_int_eq(m[i].status, GNTST_okay);
        u[i] = (struct gnttab_unmap_grant_ref){.host_addr = m[i].host_addr, .handle = m[i].handle};
    }
    ck_assert_uint_eq(grant_mapped_by_others(dom[1]), 200);
    flushes = fake_flushes;
    ck_assert_int_eq(op(2, GNTTABOP_unmap_grant_ref, u, 200), 0);
    ck_assert_uint_eq(fake_flushes - flushes, 4);
    ck_assert_uint_eq(grant_mapped_by_others(dom[1]), 0);
    for (unsigned i = 0; i < 200; i++)
        ck_assert_int_eq(u[i].status, GNTST_okay);
    finish((unsigned[]){1, 2, 3});
}
END_TEST

/* --- the model: every live handle --- */

struct mapping {
    bool live, readonly;
    unsigned granter;
    uint32_t ref;
    grant_handle_t handle;
    hfn_t frame;
};
#define SLOTS 40U
#define REFS  24U
static struct mapping model[NDOMS + 1][SLOTS]; /* by gfn - WINDOW */

static unsigned uses(unsigned granter, uint32_t ref, bool writers)
{
    unsigned n = 0;

    for (unsigned d = 1; d <= NDOMS; d++)
        for (unsigned s = 0; s < SLOTS; s++) {
            struct mapping *m = &model[d][s];

            n += m->live && m->granter == granter && m->ref == ref && !(writers && m->readonly);
        }
    return n;
}

static void random_map(unsigned d)
{
    unsigned granter = 1 + (unsigned)rand() % NDOMS, slot = (unsigned)rand() % SLOTS;
    uint32_t ref = (uint32_t)rand() % REFS;
    bool readonly = rand() % 2, first = !uses(granter, ref, false);
    grant_entry_v1_t e = *entry(granter, ref);
    struct mapping *m = &model[d][slot];
    hfn_t frame = fake_ram(dom[granter], e.frame);
    grant_handle_t h;
    int rc =
        map(d, granter, ref, GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0), WINDOW + slot, &h);

    if (m->live)
        ck_assert_int_ne(rc, GNTST_okay);
    if (first && ((e.flags & GTF_type_mask) != GTF_permit_access || e.domid != d ||
                  hfn_eq(frame, HFN_NONE) || (!readonly && (e.flags & GTF_readonly))))
        ck_assert_int_ne(rc, GNTST_okay);
    else if (first && !m->live)
        ck_assert_int_eq(rc, GNTST_okay);
    if (rc)
        return;
    *m = (struct mapping){true, readonly, granter, ref, h, frame};
    for (unsigned s = 0; !first && s < SLOTS; s++) /* an active entry means the frame it meant */
        if (s != slot && model[d][s].live && model[d][s].granter == granter &&
            model[d][s].ref == ref)
            m->frame = model[d][s].frame;
}

static void random_unmap(unsigned d)
{
    unsigned slot = (unsigned)rand() % SLOTS;
    struct mapping *m = &model[d][slot];
    bool wrong = rand() % 4 == 0;
    int rc;

    if (wrong || !m->live) {
        grant_handle_t h = (grant_handle_t)rand() % 64;

        for (unsigned s = 0; s < SLOTS; s++)
            if (model[d][s].live && model[d][s].handle == h) {
                ck_assert_int_eq(unmap(d, h, WINDOW + SLOTS + 1), GNTST_general_error);
                return;
            }
        ck_assert_int_eq(unmap(d, h, WINDOW + slot), GNTST_bad_handle);
        return;
    }
    rc = unmap(d, m->handle, WINDOW + slot);
    ck_assert_int_eq(rc, GNTST_okay);
    m->live = false;
    if (!uses(m->granter, m->ref, false))
        ck_assert_uint_eq(entry(m->granter, m->ref)->flags & (GTF_reading | GTF_writing), 0);
}

static void check_all(unsigned d)
{
    for (unsigned s = 0; s < SLOTS; s++) {
        struct mapping *m = &model[d][s];
        hfn_t f;
        enum p2m_type t = type_at(d, WINDOW + s, &f);

        if (!m->live) {
            ck_assert_int_eq(t, P2M_NONE);
            continue;
        }
        ck_assert_int_eq(t, m->readonly ? P2M_GRANT_RO : P2M_GRANT_RW);
        ck_assert(hfn_eq(f, m->frame));
        ck_assert_uint_ge(frame_of(f)->pins, 1);
        ck_assert_uint_eq(frame_of(f)->owner, m->granter);
    }
}

static void random_entry(unsigned d)
{
    uint32_t ref = (uint32_t)rand() % REFS;
    static const uint16_t flags[] = {0, GTF_permit_access, GTF_permit_access,
                                     GTF_permit_access | GTF_readonly, GTF_accept_transfer};

    *entry(d, ref) = (grant_entry_v1_t){.flags = flags[rand() % 5],
                                        .domid = (domid_t)(1 + rand() % NDOMS),
                                        .frame = (uint32_t)rand() % (FAKE_RAM + 4)};
}

static void random_copy(unsigned d)
{
    struct gnttab_copy c = {
        .source = {.u.ref = (uint32_t)rand() % REFS, .domid = (domid_t)(1 + rand() % NDOMS)},
        .dest = {.u.ref = (uint32_t)rand() % REFS, .domid = (domid_t)(1 + rand() % NDOMS)},
        .len = (uint16_t)rand(),
        .flags = (uint16_t)(rand() % 4)};

    if (rand() % 2)
        c.source.domid = DOMID_SELF;
    if (rand() % 2)
        c.dest.domid = DOMID_SELF;
    c.len %= 4200;
    ck_assert_int_eq(op(d, GNTTABOP_copy, &c, 1), 0);
}

static const unsigned orders[][NDOMS] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                         {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};

START_TEST(random_ops)
{
    srand(4000 + (unsigned)_i);
    memset(model, 0, sizeof(model));
    start();
    for (unsigned i = 0; i < 20000; i++) {
        unsigned d = 1 + (unsigned)rand() % NDOMS;

        switch (rand() % 8) {
        case 0:
        case 1:
        case 2:
            random_map(d);
            break;
        case 3:
        case 4:
            random_unmap(d);
            break;
        case 5:
            random_copy(d);
            break;
        default:
            random_entry(d);
        }
        check_all(d);
    }
    finish(orders[_i % 6]);
}
END_TEST

static bool stop;

static void *scribble(void *arg)
{
    unsigned seed = 9;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        volatile grant_entry_v1_t *e = (grant_entry_v1_t *)arg + rand_r(&seed) % REFS;

        e->flags = (uint16_t)(rand_r(&seed) % 32);
        e->frame = (uint32_t)rand_r(&seed) % (FAKE_RAM * 2);
        e->domid = (domid_t)(rand_r(&seed) % 4);
    }
    return NULL;
}

START_TEST(hostile)
{
    grant_handle_t h;
    pthread_t thread;

    srand(5000 + (unsigned)_i);
    start();
    stop = false;
    pthread_create(&thread, NULL, scribble, grant_frame(dom[1], 0));
    for (unsigned i = 0; i < 60000; i++) {
        unsigned d = 1 + (unsigned)rand() % NDOMS;

        if (rand() % 3)
            map(d, 1, (uint32_t)rand() % REFS, (uint32_t)rand() % 8,
                WINDOW + (unsigned)rand() % SLOTS, &h);
        else
            unmap(d, (grant_handle_t)rand() % SLOTS, WINDOW + (unsigned)rand() % SLOTS);
        random_copy(d);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    finish(orders[_i % 6]);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, map_and_unmap);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, refusals_cost_nothing);
    tcase_add_test(tc, queries);
    tcase_add_test(tc, copies);
    tcase_add_test(tc, batches);
    tcase_add_loop_test(tc, random_ops, 0, 6);
    tcase_add_loop_test(tc, hostile, 0, 6);
}

int main(void)
{
    return check_main("grant", fill);
}

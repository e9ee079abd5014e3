/* SPDX-License-Identifier: MIT */
/* The p2m in both formats, against a model. */
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "hyp/lib/util.h"
#include "mm/arch.h"
#include "mm/p2m.h"
#include "tests/unit/check_main.h"
#include "tests/unit/fake_arch.h"

#define FRAMES 16384UL
#define DOMAIN 3
#define GFNS   8192UL

static const struct p2m_format formats[] = {
    {.present = 7, .leaf = 6 << 3 | 1, .writable = 2, .exec = 4, .large = 0x80},
    {.present = 7, .leaf = 5, .writable = 2, .nx = 1UL << 63, .large = 0x80},
};

static struct p2m p2m;
static uint64_t free_before;

static void start(unsigned format)
{
    fake_machine(FRAMES);
    hyp_free(hyp_alloc(0), 0); /* the spare chunk is mapped from here on */
    free_before = mem_stats().free;
    ck_assert_int_eq(p2m_init(&p2m, &formats[format], DOMAIN), 0);
}

static void finish(void)
{
    unsigned slices = 0;

    while (!p2m_free_slice(&p2m, 100))
        slices++;
    ck_assert_uint_lt(slices, 10000);
    ck_assert_uint_eq(p2m.tables, 0);
    ck_assert_uint_eq(p2m.ram_frames, 0);
    ck_assert_uint_eq(mem_stats().free, free_before);
    ck_assert_uint_eq(mem_stats().hyp, 0);
}

START_TEST(nothing_there)
{
    hfn_t f;

    start((unsigned)_i);
    ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(5), &f, NULL), P2M_NONE);
    ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(1UL << GFN_BITS), &f, NULL), P2M_NONE);
    ck_assert_int_eq(p2m_get(&p2m, mk_gfn(~0UL), false, &f), -XEN_EFAULT);
    ck_assert_int_eq(p2m_unmap_noflush(&p2m, mk_gfn(5), &f, &(enum p2m_type){0}), -XEN_ENOENT);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(1UL << GFN_BITS), mk_hfn(8), 0, P2M_HYP), -XEN_EINVAL);
    finish();
}
END_TEST

/* What others hold stays, or a domain could have more than it may. */
START_TEST(busy_frame_stays)
{
    enum p2m_type t;
    hfn_t f, got;

    start((unsigned)_i);
    f = frame_alloc(0, DOMAIN);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(7), f, 0, P2M_RAM), 0);
    ck_assert(frame_pin(f, DOMAIN));
    ck_assert_int_eq(p2m_unmap_idle_noflush(&p2m, mk_gfn(7), &got, &t), -XEN_EBUSY);
    ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(7), &got, NULL), P2M_RAM);
    ck_assert_uint_eq(p2m.ram_frames, 1);
    frame_unpin(f);
    ck_assert_int_eq(p2m_unmap_idle_noflush(&p2m, mk_gfn(7), &got, &t), 0);
    frame_put(got);
    finish();
}
END_TEST

START_TEST(large_page_splits)
{
    enum p2m_type t;
    unsigned order;
    hfn_t big, f;

    start((unsigned)_i);
    big = frame_alloc(ORDER_2M, DOMAIN);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(1024), big, ORDER_2M, P2M_RAM), 0);
    ck_assert_uint_eq(p2m.ram_frames, 512);
    ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(1024 + 77), &f, &order), P2M_RAM);
    ck_assert_uint_eq(f.val, big.val + 77);
    ck_assert_uint_eq(order, ORDER_2M);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(1024 + 5), mk_hfn(9), 0, P2M_HYP), -XEN_EEXIST);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(1024), big, ORDER_2M, P2M_RAM), -XEN_EEXIST);
    ck_assert_int_eq(p2m_unmap_noflush(&p2m, mk_gfn(1024 + 77), &f, &t), 0);
    ck_assert_uint_eq(p2m.gen, 1);
    ck_assert_uint_eq(f.val, big.val + 77);
    frame_put(f);
    ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(1024 + 77), &f, NULL), P2M_NONE);
    ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(1024 + 78), &f, &order), P2M_RAM);
    ck_assert_uint_eq(order, ORDER_4K);
    ck_assert_uint_eq(f.val, big.val + 78);
    finish();
}
END_TEST

/* Where code may not be in large pages, it runs in the same page once that is split. */
START_TEST(code_in_small_pages)
{
    uint64_t rights = formats[_i].exec | formats[_i].nx, *e;
    enum p2m_type t;
    unsigned order;
    hfn_t big, f;

    start((unsigned)_i);
    p2m.code_4k = true;
    big = frame_alloc(ORDER_2M, DOMAIN);
    ck_assert_int_eq(p2m_split(&p2m, mk_gfn(512)), 0); /* nothing there */
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(512), big, ORDER_2M, P2M_RAM), 0);
    ck_assert(p2m_peek(&p2m, mk_gfn(512), true, &t, (struct locked){0}).val == big.val);
    e = p2m.recent[1].entry;
    ck_assert_uint_eq(*e & rights, formats[_i].nx);
    p2m.max_tables = p2m.tables;
    ck_assert_int_eq(p2m_split(&p2m, mk_gfn(777)), -XEN_ENOMEM);
    ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(777), &f, &order), P2M_RAM);
    ck_assert_uint_eq(order, ORDER_2M);
    p2m.max_tables++;
    ck_assert_int_eq(p2m_split(&p2m, mk_gfn(777)), 0);
    ck_assert_int_eq(p2m_split(&p2m, mk_gfn(777)), 0);
    for (unsigned i = 0; i < 512; i++) {
        const uint64_t *table = arch_hfn_to_hva(mk_hfn((*e & 0x000ffffffffff000UL) >> PAGE_SHIFT));

        ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(512 + i), &f, &order), P2M_RAM);
        ck_assert(order == ORDER_4K && f.val == big.val + i);
        ck_assert_uint_eq(table[i] & rights, formats[_i].exec);
    }
    ck_assert_uint_eq(p2m.gen, 0);
    finish();
}
END_TEST

START_TEST(references_and_rights)
{
    hfn_t f, mine, theirs;

    start((unsigned)_i);
    mine = frame_alloc(ORDER_4K, DOMAIN);
    theirs = frame_alloc(ORDER_4K, DOMAIN + 1);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(1), mine, 0, P2M_RAM), 0);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(2), theirs, 0, P2M_GRANT_RO), 0);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(3), mk_hfn(1), 0, P2M_HYP), 0);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(4), theirs, 0, P2M_GRANT_RW), 0);
    ck_assert_int_eq(p2m_get(&p2m, mk_gfn(1), true, &f), 0);
    ck_assert_uint_eq(f.val, mine.val);
    ck_assert_uint_eq(frame_of(mine)->refs, 2);
    frame_put(f);
    ck_assert_int_eq(p2m_pin(&p2m, mk_gfn(1), &f), 0);
    ck_assert(f.val == mine.val && frame_of(mine)->pins == 1);
    frame_unpin(f);
    for (unsigned g = 2; g < 5; g++) {
        ck_assert_int_eq(p2m_pin(&p2m, mk_gfn(g), &f), -XEN_EFAULT);
        ck_assert_int_eq(p2m_get(&p2m, mk_gfn(g), true, &f), -XEN_EFAULT);
        ck_assert_int_eq(p2m_get(&p2m, mk_gfn(g), false, &f), -XEN_EFAULT);
    }
    ck_assert_uint_eq(frame_of(theirs)->refs, 1);
    frame_of(mine)->type = FRAME_SHARED;
    ck_assert_int_eq(p2m_get(&p2m, mk_gfn(1), true, &f), -XEN_EFAULT);
    ck_assert_int_eq(p2m_get(&p2m, mk_gfn(1), false, &f), 0);
    ck_assert_int_eq(p2m_pin(&p2m, mk_gfn(1), &f), -XEN_EFAULT);
    frame_put(f);
    frame_put(theirs); /* a grant's reference is the grant table's, not the p2m's */
    finish();
}
END_TEST

START_TEST(table_limit)
{
    start((unsigned)_i);
    p2m.max_tables = 5;
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(0), mk_hfn(1), 0, P2M_HYP), 0); /* 4 tables */
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(512), mk_hfn(1), 0, P2M_HYP), 0);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(1024), mk_hfn(1), 0, P2M_HYP), -XEN_ENOMEM);
    ck_assert_uint_eq(p2m.tables, 5);
    ck_assert_int_eq(p2m_map(&p2m, mk_gfn(3), mk_hfn(1), 0, P2M_HYP), 0);
    finish();
}
END_TEST

/* Memory runs out at every possible place; what was there stays, and all comes back. */
START_TEST(out_of_memory)
{
    static void *hog[FRAMES];

    for (unsigned spare = 0; spare < 6; spare++) {
        unsigned n = 0;
        hfn_t f;
        int rc;

        start((unsigned)_i);
        ck_assert_int_eq(p2m_map(&p2m, mk_gfn(7), mk_hfn(1), 0, P2M_HYP), 0);
        while ((hog[n] = hyp_alloc(0)))
            n++;
        for (unsigned k = 0; k < spare; k++)
            hyp_free(hog[--n], 0);
        rc = p2m_map(&p2m, mk_gfn(1UL << 31), mk_hfn(2), 0, P2M_HYP);
        ck_assert_int_eq(rc, spare >= 3 ? 0 : -XEN_ENOMEM);
        ck_assert_uint_eq(p2m.tables, spare >= 3 ? 7 : 4);
        ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(7), &f, NULL), P2M_HYP);
        ck_assert_int_eq(p2m_lookup(&p2m, mk_gfn(1UL << 31), &f, NULL), rc ? P2M_NONE : P2M_HYP);
        while (n)
            hyp_free(hog[--n], 0);
        finish();
    }
}
END_TEST

struct model {
    uint64_t hfn;
    enum p2m_type t;
};

static void check_model(const struct model *m)
{
    for (uint64_t g = 0; g < GFNS; g++) {
        hfn_t f;
        enum p2m_type t = p2m_lookup(&p2m, mk_gfn(g), &f, NULL);

        ck_assert_int_eq(t, m[g].t);
        if (t != P2M_NONE)
            ck_assert_uint_eq(f.val, m[g].hfn);
    }
}

/* Frames for a block at g, or a foreign one; false: no memory. */
static bool random_map(struct model *m, uint64_t g, unsigned order)
{
    enum p2m_type t = order ? P2M_RAM : (enum p2m_type)(1 + rand() % 3);
    hfn_t f = t == P2M_RAM ? frame_alloc(order, DOMAIN) : mk_hfn(1 + (uint64_t)rand() % 100);
    bool taken = false;
    int rc;

    if (hfn_eq(f, HFN_NONE))
        return false;
    for (uint64_t i = 0; i < BIT(order); i++)
        taken |= m[g + i].t != P2M_NONE;
    rc = p2m_map(&p2m, mk_gfn(g), f, order, t);
    ck_assert_int_eq(rc, taken ? -XEN_EEXIST : 0);
    for (uint64_t i = 0; i < BIT(order); i++) {
        if (!rc)
            m[g + i] = (struct model){f.val + i, t};
        else if (t == P2M_RAM)
            frame_put(hfn_add(f, i));
    }
    return true;
}

START_TEST(random_against_model)
{
    static struct model m[GFNS];

    start((unsigned)_i);
    memset(m, 0, sizeof(m));
    srand((unsigned)_i + 1);
    for (unsigned step = 0; step < 40000; step++) {
        uint64_t g = (uint64_t)rand() % GFNS;
        enum p2m_type t;
        hfn_t f;
        int rc;

        if (rand() % 3 == 0) {
            random_map(m, g, ORDER_4K);
        } else if (rand() % 200 == 0) {
            random_map(m, g & ~511UL, ORDER_2M);
        } else {
            rc = p2m_unmap_noflush(&p2m, mk_gfn(g), &f, &t);
            ck_assert_int_eq(rc, m[g].t == P2M_NONE ? -XEN_ENOENT : 0);
            if (!rc) {
                ck_assert_uint_eq(f.val, m[g].hfn);
                ck_assert_int_eq(t, m[g].t);
                if (t == P2M_RAM)
                    frame_put(f);
            }
            m[g].t = P2M_NONE;
        }
        if (step % 8000 == 0)
            check_model(m);
    }
    check_model(m);
    finish();
}
END_TEST

static void fill(TCase *tc)
{
    int n = ARRAY_SIZE(formats);

    tcase_add_loop_test(tc, nothing_there, 0, n);
    tcase_add_loop_test(tc, busy_frame_stays, 0, ARRAY_SIZE(formats));
    tcase_add_loop_test(tc, large_page_splits, 0, n);
    tcase_add_loop_test(tc, code_in_small_pages, 0, n);
    tcase_add_loop_test(tc, references_and_rights, 0, n);
    tcase_add_loop_test(tc, table_limit, 0, n);
    tcase_add_loop_test(tc, out_of_memory, 0, n);
    tcase_add_loop_test(tc, random_against_model, 0, n);
}

int main(void)
{
    return check_main("p2m", fill);
}

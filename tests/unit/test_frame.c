/* SPDX-License-Identifier: MIT */
/* The frame table and the buddy allocator. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "hyp/lib/util.h"
#include "mm/arch.h"
#include "mm/frame.h"
#include "tests/unit/check_main.h"
#include "tests/unit/fake_arch.h"

#define FRAMES 8192UL /* 32 MiB: 16 chunks, the first without frame 0 */

START_TEST(all_frames_once)
{
    static uint8_t seen[FRAMES];
    uint64_t n = 0;
    hfn_t f;

    fake_machine(FRAMES);
    while (!hfn_eq(f = frame_alloc(ORDER_4K, 1), HFN_NONE)) {
        ck_assert_uint_ne(f.val, 0);
        ck_assert_uint_lt(f.val, FRAMES);
        ck_assert(!seen[f.val]++);
        n++;
    }
    ck_assert_uint_eq(n, FRAMES - 1);
    ck_assert_uint_eq(mem_stats().free, 0);
    ck_assert_ptr_null(hyp_alloc(0));
    for (uint64_t i = 1; i < FRAMES; i++)
        frame_put(mk_hfn(i));
    ck_assert_uint_eq(mem_stats().free, FRAMES - 1);
    for (n = 0; !hfn_eq(frame_alloc(ORDER_2M, 1), HFN_NONE); n++)
        ;
    ck_assert_uint_eq(n, FRAMES / 512 - 1);
}
END_TEST

START_TEST(scrubbed)
{
    hfn_t f;
    uint8_t *p;

    fake_machine(FRAMES);
    f = frame_alloc(ORDER_2M, 1);
    memset(fake_frame(f), 0xa5, 512 * PAGE_SIZE);
    for (unsigned i = 0; i < 512; i++)
        frame_put(hfn_add(f, i));
    f = frame_alloc(ORDER_2M, 2);
    for (unsigned i = 0; i < 512 * PAGE_SIZE; i++)
        ck_assert_uint_eq(fake_frame(f)[i], 0);
    p = hyp_alloc(3);
    memset(p, 0x5a, PAGE_SIZE << 3);
    hyp_free(p, 3);
    p = hyp_alloc(3);
    for (unsigned i = 0; i < PAGE_SIZE << 3; i++)
        ck_assert_uint_eq(p[i], 0);
}
END_TEST

START_TEST(guest_memory_is_unmapped)
{
    hfn_t f;

    fake_machine(FRAMES);
    f = frame_alloc(ORDER_4K, 1);
    ck_assert_uint_eq(fake_chunks, 0);
    *(volatile uint8_t *)arch_hfn_to_hva(f) = 1; /* SIGSEGV */
}
END_TEST

START_TEST(chunks_come_and_go)
{
    void *p[2048];

    fake_machine(FRAMES);
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
        ck_assert_ptr_nonnull(p[i] = hyp_alloc(0));
    ck_assert_uint_eq(fake_chunks, 4);
    ck_assert_uint_eq(mem_stats().hyp, ARRAY_SIZE(p));
    for (unsigned i = 0; i < ARRAY_SIZE(p); i++)
        hyp_free(p[i], 0);
    ck_assert_uint_eq(fake_chunks, 1);
    ck_assert_uint_eq(mem_stats().free, FRAMES - 1);
    ck_assert_uint_eq(mem_stats().hyp, 0);
}
END_TEST

/* Random allocations and frees; every frame has at most one user, and all come back. */
START_TEST(random_use)
{
    enum { SLOTS = 400 };
    struct {
        void *hyp;
        hfn_t f;
        unsigned order;
    } s[SLOTS] = {0};

    fake_machine(FRAMES);
    srand(7);
    for (unsigned step = 0; step < 60000; step++) {
        unsigned i = (unsigned)rand() % SLOTS;

        if (s[i].hyp) {
            ck_assert_uint_eq(*(uint64_t *)s[i].hyp, i);
            hyp_free(s[i].hyp, s[i].order);
            s[i].hyp = NULL;
        } else if (s[i].f.val) {
            ck_assert_uint_eq(*(uint64_t *)fake_frame(s[i].f), i);
            for (unsigned k = 0; k < 1U << s[i].order; k++)
                frame_put(hfn_add(s[i].f, k));
            s[i].f.val = 0;
        } else if (rand() % 2) {
            s[i].order = (unsigned)rand() % 6;
            s[i].hyp = hyp_alloc(s[i].order);
            if (s[i].hyp)
                *(uint64_t *)s[i].hyp = i;
        } else {
            s[i].order = rand() % 50 ? ORDER_4K : ORDER_2M;
            s[i].f = frame_alloc(s[i].order, 3);
            if (hfn_eq(s[i].f, HFN_NONE))
                s[i].f.val = 0;
            else
                *(uint64_t *)fake_frame(s[i].f) = i;
        }
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (s[i].hyp)
            hyp_free(s[i].hyp, s[i].order);
        for (unsigned k = 0; s[i].f.val && k < 1U << s[i].order; k++)
            frame_put(hfn_add(s[i].f, k));
    }
    ck_assert_uint_eq(mem_stats().free, FRAMES - 1);
    ck_assert_uint_le(fake_chunks, 1);
}
END_TEST

START_TEST(references)
{
    hfn_t f;

    fake_machine(FRAMES);
    f = frame_alloc(ORDER_4K, 5);
    ck_assert(!frame_get(f, 6));
    ck_assert(!frame_get(mk_hfn(FRAMES), 5));
    ck_assert(!frame_get(mk_hfn(0), 5));
    ck_assert(frame_get(f, 5));
    frame_put(f);
    ck_assert(!frame_pin(f, 6));
    ck_assert(frame_pin(f, 5));
    ck_assert(frame_pin(f, 5));
    ck_assert_uint_eq(frame_of(f)->pins, 2);
    frame_put(f); /* the owner lets go: the pins keep it */
    ck_assert_uint_eq(mem_stats().free, FRAMES - 2);
    frame_unpin(f);
    ck_assert(frame_of(f)->type == FRAME_PRIVATE && frame_of(f)->pins == 1);
    frame_unpin(f);
    ck_assert_uint_eq(frame_of(f)->type, FRAME_FREE);
    ck_assert(!frame_get(f, 5));
    ck_assert_uint_eq(mem_stats().free, FRAMES - 1);
}
END_TEST

static hfn_t shared_frame;

static void *use_it(void *arg)
{
    for (unsigned i = 0; i < 1000; i++) {
        bool got = frame_get(shared_frame, 5), pinned = frame_pin(shared_frame, 5);

        if (!got || !pinned)
            abort();
        frame_put(shared_frame);
        frame_unpin(shared_frame);
    }
    frame_unpin(shared_frame);
    return arg;
}

/* CPUs count at once, each with a pin that keeps the frame; whoever is last frees it, once. */
START_TEST(many_at_once)
{
    pthread_t t[3];

    fake_machine(FRAMES);
    for (unsigned round = 0; round < 20; round++) {
        shared_frame = frame_alloc(ORDER_4K, 5);
        for (unsigned i = 0; i < 3; i++) {
            ck_assert(frame_pin(shared_frame, 5));
            ck_assert_int_eq(pthread_create(&t[i], NULL, use_it, NULL), 0);
        }
        frame_put(shared_frame); /* its owner lets go meanwhile */
        for (unsigned i = 0; i < 3; i++)
            pthread_join(t[i], NULL);
        ck_assert_uint_eq(frame_of(shared_frame)->type, FRAME_FREE);
        ck_assert(!frame_get(shared_frame, 5) && !frame_pin(shared_frame, 5));
        ck_assert_uint_eq(mem_stats().free, FRAMES - 1);
    }
}
END_TEST

START_TEST(double_put)
{
    hfn_t f;

    fake_machine(FRAMES);
    f = frame_alloc(ORDER_4K, 5);
    frame_put(f);
    frame_put(f); /* panics */
}
END_TEST

START_TEST(reserved)
{
    fake_machine(FRAMES);
    memset(frame_table, 0, FRAMES * sizeof(*frame_table));
    mem_init(frame_table, FRAMES);
    mem_reserve(mk_hfn(1000), 700);
    mem_add(mk_hfn(1), FRAMES - 1);
    ck_assert_uint_eq(mem_stats().free, FRAMES - 1 - 700);
    ck_assert_uint_eq(mem_stats().total, FRAMES - 1);
    for (hfn_t f; !hfn_eq(f = frame_alloc(ORDER_4K, 1), HFN_NONE);)
        ck_assert(f.val < 1000 || f.val >= 1700);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, all_frames_once);
    tcase_add_test(tc, scrubbed);
    tcase_add_exit_test(tc, guest_memory_is_unmapped, 1);
    tcase_add_test(tc, chunks_come_and_go);
    tcase_add_test(tc, random_use);
    tcase_add_test(tc, references);
    tcase_add_test(tc, many_at_once);
    tcase_add_test_raise_signal(tc, double_put, SIGABRT);
    tcase_add_test(tc, reserved);
}

int main(void)
{
    return check_main("frame", fill);
}

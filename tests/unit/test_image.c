/* SPDX-License-Identifier: MIT */
/* Segments that the host has: of the bundle, kept, shared, and given back to the last frame. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/dom/image.h"
#include "mm/arch.h"
#include "tests/unit/check_main.h"
#include "tests/unit/fake_arch.h"

#define FRAMES 4096U
#define SIZE   (600 * PAGE_SIZE + 123) /* of the kept segment: two tables */
#define MARK   0x5eedUL

static struct bundle_domain record[3];
static struct domain dom[3];

/* The first segment comes by call, the second is nowhere. */
static void begin(void)
{
    fake_machine(FRAMES);
    memset(record, 0, sizeof(record));
    memset(dom, 0, sizeof(dom));
    for (unsigned i = 0; i < 3; i++) {
        record[i].on_reboot = BUNDLE_RESTART;
        record[i].nsegments = 2;
        record[i].segments[0] = (struct bundle_segment){.file_size = SIZE, .checksum = MARK};
        record[i].segments[1] = (struct bundle_segment){.file_size = 5, .checksum = 77};
        dom[i].record = &record[i];
    }
}

static uint8_t value(uint64_t at)
{
    return (uint8_t)(at / PAGE_SIZE * 7 + at);
}

static bool keep(struct domain *d)
{
    for (uint64_t at = 0; at < SIZE; at += PAGE_SIZE) {
        uint8_t *page = image_keep(d, 0, at);

        if (!page)
            return false;
        *page = value(at);
    }
    return true;
}

static void check_kept(struct domain *d)
{
    uint8_t *window;

    ck_assert(image_find(d, 0));
    for (uint64_t at = 0; at < SIZE; at += PAGE_SIZE) {
        ck_assert_uint_eq(*image_map(d, 0, at, &window), value(at));
        ck_assert_ptr_null(window);
    }
}

/* Each slice frees no more than its budget of pages, and the last one what holds them. */
static void let_go(struct domain *d)
{
    uint64_t before = mem_stats().free;

    while (!image_free_slice(d, 10)) {
        ck_assert_uint_le(mem_stats().free - before, 10 + 1);
        before = mem_stats().free;
    }
    for (unsigned s = 0; s < BUNDLE_MAX_SEGMENTS; s++)
        ck_assert_ptr_null(d->images[s]);
}

START_TEST(shared)
{
    uint64_t before, with;

    begin();
    before = mem_stats().free;
    ck_assert(!image_find(&dom[0], 0));
    ck_assert(keep(&dom[0]));
    ck_assert(!image_find(&dom[1], 0)); /* not whole yet */
    image_complete(&dom[0], 0);
    with = mem_stats().free;
    ck_assert_uint_le(before - with, image_cost(&record[0]));
    ck_assert(!image_find(&dom[1], 1));
    check_kept(&dom[1]);
    record[2].segments[0].file_size--;
    ck_assert(!image_find(&dom[2], 0));
    record[2].segments[0].file_size++;
    record[2].segments[0].checksum++;
    ck_assert(!image_find(&dom[2], 0));
    ck_assert_uint_eq(mem_stats().free, with);
    let_go(&dom[0]); /* the other one has it still */
    ck_assert_uint_eq(mem_stats().free, with);
    record[2].segments[0].checksum--;
    check_kept(&dom[2]);
    let_go(&dom[1]);
    check_kept(&dom[2]);
    let_go(&dom[2]);
    ck_assert_uint_eq(mem_stats().free, before);
    ck_assert(!image_find(&dom[1], 0));
}
END_TEST

/* However much memory there is: what was kept is given back. */
START_TEST(no_memory)
{
    static void *taken[FRAMES];
    unsigned n = 0;

    begin();
    while ((taken[n] = hyp_alloc(0)))
        n++;
    for (unsigned spare = 0; spare <= 605; spare++) {
        uint64_t before = mem_stats().free;
        bool enough = keep(&dom[0]);

        ck_assert(enough == (spare >= 601 + 2 + 1));
        let_go(&dom[0]);
        ck_assert_uint_eq(mem_stats().free, before);
        hyp_free(taken[--n], 0);
    }
}
END_TEST

/* A bundle of a header, two records and a page of bytes. */
static uint8_t *bundle(void)
{
    uint8_t *b = hyp_alloc(2);
    struct bundle_header *h = (void *)b;
    struct bundle_domain *r = (void *)(b + 2 * PAGE_SIZE);

    memset(b, 0, 4 * PAGE_SIZE);
    h->ndomains = 2;
    r->nsegments = 1;
    r->segments[0] =
        (struct bundle_segment){.offset = 3 * PAGE_SIZE, .file_size = 5, .checksum = 77};
    memcpy(b + 3 * PAGE_SIZE, "bytes", 5);
    image_bundle(hfn_to_hpa(arch_hva_to_hfn(b)), 4 * PAGE_SIZE);
    return b;
}

START_TEST(in_the_bundle)
{
    uint8_t *window, *p;

    begin();
    bundle();
    ck_assert(!image_find(&dom[0], 0));
    ck_assert(image_find(&dom[0], 1));
    ck_assert_uint_eq(record[0].segments[1].offset, 3 * PAGE_SIZE);
    p = image_map(&dom[0], 1, 0, &window);
    ck_assert_mem_eq(p, "bytes", 5);
    ck_assert_ptr_eq(p, window);
    arch_slot_unmap(window);
    let_go(&dom[0]);
    ck_assert(image_find(&dom[0], 1)); /* its next life */
}
END_TEST

/* A record that boot has refused may say anything. */
START_TEST(bad_record)
{
    struct bundle_domain *r;
    uint8_t *b;

    begin();
    b = bundle();
    r = (void *)(b + 2 * PAGE_SIZE);
    if (_i == 0)
        r->segments[0].offset += 8;
    if (_i == 1)
        r->segments[0].offset = 4 * PAGE_SIZE;
    if (_i == 2)
        r->segments[0].file_size = record[0].segments[1].file_size = PAGE_SIZE + 1;
    if (_i == 3)
        r->segments[0].file_size = record[0].segments[1].file_size = ~0UL;
    if (_i == 4)
        r->segments[0].offset = 0UL - PAGE_SIZE;
    if (_i == 5) {
        ((struct bundle_header *)(void *)b)->ndomains = ~0U;
        r->nsegments = ~0U;
        r->segments[0].checksum++;
    }
    ck_assert(!image_find(&dom[0], 1));
    ck_assert_uint_eq(record[0].segments[1].offset, 0);
}
END_TEST

START_TEST(limits)
{
    const uint64_t most = 507UL * 512 * PAGE_SIZE;

    begin();
    record[0].segments[1].file_size = most;
    ck_assert(image_fits(&record[0]));
    record[0].segments[1].file_size = most + 1;
    ck_assert(!image_fits(&record[0]));
    record[0].on_reboot = BUNDLE_DESTROY;
    ck_assert(image_fits(&record[0]));
    ck_assert_uint_eq(image_cost(&record[0]), 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, shared);
    tcase_add_test(tc, no_memory);
    tcase_add_test(tc, in_the_bundle);
    tcase_add_loop_test(tc, bad_record, 0, 6);
    tcase_add_test(tc, limits);
}

int main(void)
{
    return check_main("image", fill);
}

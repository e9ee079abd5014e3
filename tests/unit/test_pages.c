/* SPDX-License-Identifier: MIT */
/* Pages for the line: what comes out is what was in, for pages of all kinds and buffers of any
 * size. */
#include <check.h>
#include <lz4.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>

#include "drvdom/ctl/pages.h"
#include "hyp/abi/link.h"
#include "tests/unit/check_main.h"

#define FRAMES 300U
#define WORST  (sizeof(struct bh_page) + 4096)

static uint8_t memory[FRAMES][4096], buffer[16384];

/* Zeros; what does not pack; what packs well; and no memory. */
static bool is_there(uint64_t gfn)
{
    return gfn % 4 != 3;
}

static void make_memory(void)
{
    srandom(1);
    for (unsigned i = 0; i < FRAMES; i++)
        for (unsigned k = 0; i % 4 && k < sizeof(memory[i]); k++)
            memory[i][k] = (uint8_t)(i % 4 == 1 ? random() : i + k / 100);
}

static long read_memory(struct bh_control *page)
{
    ck_assert_uint_eq(page->domid, 7);
    ck_assert_uint_eq(page->size, 4096);
    while (page->a < FRAMES && !is_there(page->a))
        page->a++;
    if (page->a >= FRAMES)
        return -XEN_ENOENT;
    memcpy((void *)page->buffer, memory[page->a], 4096);
    return 0;
}

/* The pages of one answer; returns how many. */
static unsigned check_answer(const uint8_t *p, uint64_t n, uint64_t *gfn)
{
    unsigned pages = 0;

    for (; n; pages++) {
        uint8_t page[4096] = {0};
        struct bh_page head;

        ck_assert_uint_ge(n, sizeof(head));
        memcpy(&head, p, sizeof(head));
        p += sizeof(head);
        n -= sizeof(head);
        ck_assert_uint_le(head.size, n);
        while (!is_there(*gfn))
            ++*gfn;
        ck_assert_uint_eq(head.gfn, (*gfn)++);
        if (head.size == 4096)
            memcpy(page, p, 4096);
        else if (head.size)
            ck_assert_int_eq(
                LZ4_decompress_safe((const char *)p, (char *)page, (int)head.size, 4096), 4096);
        ck_assert_mem_eq(page, memory[head.gfn], 4096);
        ck_assert(head.size || !(head.gfn % 4));
        p += head.size;
        n -= head.size;
    }
    return pages;
}

START_TEST(all_pages)
{
    const uint64_t sizes[] = {WORST, WORST + 1, 2 * WORST - 1, sizeof(buffer)};
    struct bh_control args = {.domid = 7};
    uint64_t gfn = 0;
    unsigned pages = 0;
    long rc;

    make_memory();
    for (;;) {
        args.buffer = (uint64_t)buffer;
        args.size = sizes[_i];
        rc = pages_read(&args, read_memory);
        if (rc)
            break;
        ck_assert_uint_le(args.size, sizes[_i]);
        ck_assert_uint_gt(args.size, 0);
        pages += check_answer(buffer, args.size, &gfn);
    }
    ck_assert_int_eq(rc, -XEN_ENOENT);
    ck_assert_uint_eq(pages, FRAMES / 4 * 3);
}
END_TEST

static long refuse(struct bh_control *page)
{
    (void)page;
    return -XEN_EBUSY;
}

START_TEST(refusals)
{
    struct bh_control args = {.domid = 7, .buffer = (uint64_t)buffer, .size = WORST - 1};

    ck_assert_int_eq(pages_read(&args, read_memory), -XEN_EINVAL);
    args.size = sizeof(buffer);
    ck_assert_int_eq(pages_read(&args, refuse), -XEN_EBUSY);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, all_pages, 0, 4);
    tcase_add_test(tc, refusals);
}

int main(void)
{
    return check_main("pages", fill);
}

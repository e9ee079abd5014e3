/* SPDX-License-Identifier: MIT */
/* The control domain's pure parts: console ring against hostile frontends, keys, lines. */
#include <stdlib.h>
#include <string.h>
#include "drvdom/ctl/conring.h"
#include "drvdom/ctl/keys.h"
#include "drvdom/ctl/line.h"
#include "tests/unit/check_main.h"

static struct xencons_interface page;

/* A stream of bytes goes through the ring in pieces of any size, in order, none lost. */
START_TEST(stream)
{
    struct conring r;
    unsigned char next_in = 0, next_out = 0;
    size_t total = 0;
    char buf[64];

    page.out_cons = page.out_prod = (uint32_t)_i; /* wraps on the way when near 2^32 */
    conring_init(&r, &page);
    srand(3);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned n = (unsigned)rand() % 64;
        size_t got;

        while (n-- && page.out_prod - page.out_cons < sizeof(page.out))
            page.out[MASK_XENCONS_IDX(page.out_prod++, page.out)] = (char)next_in++;
        got = lane_read(&r.out, buf, (size_t)rand() % sizeof(buf));
        total += got;
        for (size_t i = 0; i < got; i++)
            ck_assert_uint_eq((unsigned char)buf[i], next_out++);
    }
    ck_assert_uint_eq(r.out.bad, 0);
    ck_assert_uint_gt(total, 100000);
}
END_TEST

START_TEST(impossible_producer)
{
    struct conring r;
    char buf[64];

    memset(&page, 0, sizeof(page));
    conring_init(&r, &page);
    page.out_prod = sizeof(page.out) + 1;
    ck_assert_uint_eq(lane_read(&r.out, buf, sizeof(buf)), 0);
    ck_assert_uint_eq(r.out.bad, 1);
    page.out[MASK_XENCONS_IDX(page.out_prod, page.out)] = 'x';
    page.out_prod++;
    ck_assert_uint_eq(lane_read(&r.out, buf, sizeof(buf)), 1);
    ck_assert_int_eq(buf[0], 'x');
}
END_TEST

/* A new ring, whose frontend has written four bytes. */
static void say_abcd(struct conring *r)
{
    memset(&page, 0, sizeof(page));
    conring_init(r, &page);
    memcpy(page.out, "abcd", 4);
    page.out_prod = 4;
}

/* The frontend overwrites our index: we go on from our own. */
START_TEST(index_is_private)
{
    struct conring r;
    char buf[8];

    say_abcd(&r);
    ck_assert_uint_eq(lane_read(&r.out, buf, 2), 2);
    page.out_cons = 77;
    ck_assert_uint_eq(lane_read(&r.out, buf, 8), 2);
    ck_assert(!memcmp(buf, "cd", 2));
    ck_assert_uint_eq(page.out_cons, 4);
}
END_TEST

/* What was looked at but not released the next one reads again. */
START_TEST(kept_bytes)
{
    struct conring r;
    char buf[8];

    say_abcd(&r);
    ck_assert_uint_eq(lane_look(&r.out, buf, sizeof(buf)), 4);
    ck_assert_uint_eq(page.out_cons, 0);
    lane_release(&r.out, 3);
    ck_assert_uint_eq(lane_look(&r.out, buf, sizeof(buf)), 0);
    conring_init(&r, &page);
    ck_assert_uint_eq(lane_look(&r.out, buf, sizeof(buf)), 1);
    ck_assert_int_eq(buf[0], 'd');
    lane_release(&r.out, 2); /* no more than there is */
    ck_assert_uint_eq(page.out_cons, 4);
}
END_TEST

START_TEST(input_fills_up)
{
    struct conring r;
    char text[sizeof(page.in) + 10];

    memset(&page, 0, sizeof(page));
    memset(text, 'k', sizeof(text));
    conring_init(&r, &page);
    ck_assert_uint_eq(lane_write(&r.in, text, sizeof(text)), sizeof(page.in));
    ck_assert_uint_eq(lane_write(&r.in, text, 1), 0);
    page.in_cons += 3;
    ck_assert_uint_eq(lane_write(&r.in, text, 10), 3);
    page.in_cons = page.in_prod + 5; /* impossible */
    ck_assert_uint_eq(lane_write(&r.in, text, 1), 0);
    ck_assert_uint_eq(r.in.bad, 1);
}
END_TEST

START_TEST(key_commands)
{
    static const struct {
        char typed;
        enum key_action action;
        char arg;
    } steps[] = {
        {'a', KEY_TYPE, 'a'},     {'\x1d', KEY_NONE, 0}, {'n', KEY_NEXT, 0},
        {'n', KEY_TYPE, 'n'},     {'\x1d', KEY_NONE, 0}, {'p', KEY_PREVIOUS, 0},
        {'\x1d', KEY_NONE, 0},    {'7', KEY_SELECT, 7},  {'\x1d', KEY_NONE, 0},
        {'\x1d', KEY_TYPE, 0x1d}, {'\x1d', KEY_NONE, 0}, {'l', KEY_LIST, 0},
        {'\x1d', KEY_NONE, 0},    {'z', KEY_HELP, 0},    {'z', KEY_TYPE, 'z'},
    };
    struct keys k = {0};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char arg;

        ck_assert_int_eq(keys_input(&k, steps[i].typed, &arg), steps[i].action);
        if (steps[i].action == KEY_TYPE || steps[i].action == KEY_SELECT)
            ck_assert_int_eq(arg, steps[i].arg);
    }
}
END_TEST

START_TEST(lines)
{
    struct line l = {0};

    for (const char *p = "one\r"; *p; p++)
        ck_assert(!line_add(&l, *p));
    ck_assert(line_add(&l, '\n'));
    ck_assert_uint_eq(l.len, 3);
    ck_assert(!memcmp(l.text, "one", 3));
    line_clear(&l);
    for (unsigned i = 0; i < BH_LOG_MAX - 1; i++)
        ck_assert(!line_add(&l, 'x'));
    ck_assert(line_add(&l, 'x'));
    ck_assert_uint_eq(l.len, BH_LOG_MAX);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, stream, -3000, -2999);
    tcase_add_loop_test(tc, stream, 0, 1);
    tcase_add_test(tc, impossible_producer);
    tcase_add_test(tc, index_is_private);
    tcase_add_test(tc, kept_bytes);
    tcase_add_test(tc, input_fills_up);
    tcase_add_test(tc, key_commands);
    tcase_add_test(tc, lines);
}

int main(void)
{
    return check_main("ctl", fill);
}

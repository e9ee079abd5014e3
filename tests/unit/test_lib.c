/* SPDX-License-Identifier: MIT */
/* Formatting against libc's, the log ring, checksums. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "hyp/lib/format.h"
#include "hyp/lib/hash.h"
#include "hyp/lib/log.h"
#include "tests/unit/check_main.h"

#pragma GCC diagnostic ignored "-Wformat"

static void same(const char *fmt, uint64_t v, int width)
{
    char want[128], got[128];
    int n;

    n = snprintf(want, sizeof(want), fmt, width, v);
    ck_assert_int_eq(format(got, sizeof(got), fmt, width, v), n);
    ck_assert_str_eq(got, want);
}

START_TEST(numbers_as_libc)
{
    static const char *const fmts[] = {"%*d",   "%*ld", "%-*lu|", "%0*lx", "%*lX", "%-*d|", "%0*u",
                                       "%*hhu", "%*hd", "%0*ld",  "%*zu",  "%*hx", "%*lli"};
    static const uint64_t values[] = {0, 1, 9, 10, 255, 0x7fffffff, 0x80000000, ~0UL, 1UL << 63};

    for (size_t f = 0; f < ARRAY_SIZE(fmts); f++)
        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
            for (int width = 0; width < 30; width += 7)
                same(fmts[f], values[i], width);
}
END_TEST

START_TEST(text_as_libc)
{
    char want[64], got[64];

#define SAME(...)                                                                                  \
    do {                                                                                           \
        int n = snprintf(want, sizeof(want), __VA_ARGS__);                                         \
        ck_assert_int_eq(format(got, sizeof(got), __VA_ARGS__), n);                                \
        ck_assert_str_eq(got, want);                                                               \
    } while (0)
    SAME("%s|%10s|%-10s|%.2s|%.*s", "a", "bc", "def", "ghi", 1, "jk");
    SAME("%c%%%5c|%-5c|", 'x', 'y', 'z');
    SAME("%p", (void *)0x1234);
    SAME("plain");
}
END_TEST

START_TEST(never_past_the_end)
{
    char buf[8];

    for (size_t size = 0; size <= 4; size++) {
        memset(buf, '#', sizeof(buf));
        ck_assert_int_eq(format(buf, size, "%d", 123456), 6);
        for (size_t i = size; i < sizeof(buf); i++)
            ck_assert_int_eq(buf[i], '#');
        if (size)
            ck_assert_int_eq(buf[size - 1], 0);
    }
    ck_assert_int_eq(format(buf, sizeof(buf), "%"), 0);
}
END_TEST

static char written[1 << 20];
static size_t nwritten, appetite = sizeof(written);
static uint64_t clock_ns;

static size_t out(const char *text, size_t n)
{
    n = MIN(n, appetite);
    memcpy(&written[nwritten], text, n);
    nwritten += n;
    return n;
}

static uint64_t now(void)
{
    return clock_ns;
}

static const struct log_sink sink = {out, now};

START_TEST(lines_and_stamps)
{
    struct log_share web = {0};

    clock_ns = 12345678901UL;
    log_init(&sink);
    log_line("value %d", 7);
    log_domain(&web, "web", "a\x1b[1mb\tc", 8);
    ck_assert_str_eq(written, "[   12.345678] value 7\n[   12.345678] [web] a?[1mb\tc\n");
}
END_TEST

START_TEST(ring_keeps_the_oldest)
{
    log_init(&sink);
    log_sync(false);
    for (unsigned i = 0; i < 10000; i++)
        log_line("line %u", i);
    ck_assert_uint_eq(nwritten, 0);
    while (log_pending())
        log_pump();
    ck_assert_ptr_nonnull(strstr(written, "line 0\n"));
    ck_assert_ptr_null(strstr(written, "line 9999\n"));
    log_line("after");
    log_sync(true);
    ck_assert_ptr_nonnull(strstr(written, "log lines lost)\n"));
    ck_assert_ptr_nonnull(strstr(written, "after\n"));
}
END_TEST

static unsigned times(const char *text)
{
    unsigned n = 0;

    for (const char *p = written; (p = strstr(p, text)); p++)
        n++;
    return n;
}

/* Whatever a domain writes, there is room for what the hypervisor has to say, and another domain.
 */
START_TEST(flood_of_a_domain)
{
    struct log_share flood = {0}, modest = {0};

    log_init(&sink);
    log_sync(false);
    for (unsigned i = 0; i < 10000; i++) {
        log_domain(&flood, "flood", "a line of a domain", 18);
        if (i % 100 == 0)
            log_domain(&modest, "modest", "a line", 6);
        if (i % 20 == 0)
            log_pump();
    }
    log_line("the host speaks");
    log_sync(true);
    ck_assert_uint_eq(times("the host speaks\n"), 1);
    ck_assert_uint_eq(times("[modest] a line\n"), 100);
    ck_assert_uint_gt(times("[flood] a line of a domain\n"), 500);
}
END_TEST

/* One domain alone loses nothing when the sink takes as much as it writes. */
START_TEST(steady_domain)
{
    struct log_share share = {0};

    log_init(&sink);
    log_sync(false);
    for (unsigned i = 0; i < 2000; i++) {
        log_domain(&share, "steady", "a line", 6);
        for (unsigned k = 0; i > 300 && k < 3; k++)
            log_pump();
    }
    log_sync(true);
    ck_assert_uint_eq(times("[steady] a line\n"), 2000);
}
END_TEST

/* What was written comes again, in whatever pieces; later what the ring still has of it. */
START_TEST(log_is_read)
{
    static char again[sizeof(written)];
    uint64_t from = 0;
    size_t at = 0, n;

    clock_ns = 0;
    log_init(&sink);
    log_sync(true);
    ck_assert_uint_eq(log_read(&from, again, sizeof(again)), 0);
    for (unsigned i = 0; i < 1000; i++)
        log_line("line %u", i);
    for (size_t piece = 1; (n = log_read(&from, again + at, piece)); piece = piece * 3 % 1000) {
        at += n;
        from += n;
    }
    ck_assert_uint_eq(at, nwritten);
    ck_assert_mem_eq(again, written, at);
    for (unsigned i = 0; i < 5000; i++)
        log_line("line %u", i);
    from = 0;
    n = log_read(&from, again, sizeof(again));
    ck_assert_uint_eq(n, 65536);
    ck_assert_uint_eq(from + n, nwritten);
    ck_assert_mem_eq(again, written + from, n);
    from = ~0UL;
    ck_assert_uint_eq(log_read(&from, again, sizeof(again)), 0);
    ck_assert_uint_eq(from, nwritten);
}
END_TEST

START_TEST(busy_sink_loses_nothing)
{
    log_init(&sink);
    log_sync(false);
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < 50; i++)
            log_line("%u.%u", round, i);
        appetite = round % 7;
        for (unsigned i = 0; i < 20; i++)
            ck_assert_int_eq(log_pump(), appetite > 0);
        appetite = sizeof(written);
        while (log_pending())
            log_pump();
    }
    for (unsigned round = 0; round < 200; round++) {
        char text[32];

        snprintf(text, sizeof(text), "] %u.49\n", round);
        ck_assert_ptr_nonnull(strstr(written, text));
    }
}
END_TEST

START_TEST(limit)
{
    struct log_limit l = {0};

    clock_ns = 5000000000UL;
    log_init(&sink);
    for (unsigned i = 0; i < 100; i++)
        log_limited(&l, "refused");
    ck_assert_uint_eq(times("refused"), 10);
    clock_ns += 1000000000UL;
    log_limited(&l, "again");
    ck_assert_ptr_nonnull(strstr(written, "90 lines"));
    ck_assert_ptr_nonnull(strstr(written, "again"));
}
END_TEST

/* XXH64 of the empty input as its specification has it; pieces against the whole. */
START_TEST(checksum)
{
    static uint8_t data[10000];
    struct hash64 h;

    hash64_init(&h);
    ck_assert_uint_eq(hash64_final(&h), 0xef46db3751d8e999UL);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    hash64_init(&h);
    for (size_t at = 0, n = 1; at < sizeof(data); at += n, n = MIN(n * 2 + 1, sizeof(data) - at))
        hash64_update(&h, data + at, n);
    ck_assert_uint_eq(hash64_final(&h), XXH64(data, sizeof(data), 0));
    data[5000] ^= 1;
    ck_assert_uint_ne(hash64_final(&h), XXH64(data, sizeof(data), 0));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, numbers_as_libc);
    tcase_add_test(tc, text_as_libc);
    tcase_add_test(tc, never_past_the_end);
    tcase_add_test(tc, lines_and_stamps);
    tcase_add_test(tc, ring_keeps_the_oldest);
    tcase_add_test(tc, flood_of_a_domain);
    tcase_add_test(tc, steady_domain);
    tcase_add_test(tc, log_is_read);
    tcase_add_test(tc, busy_sink_loses_nothing);
    tcase_add_test(tc, limit);
    tcase_add_test(tc, checksum);
}

int main(void)
{
    return check_main("lib", fill);
}

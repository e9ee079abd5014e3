/* SPDX-License-Identifier: MIT */
/* The multiboot2 reader: a good information, each way to break it, and random bytes. */
#include <stdlib.h>
#include <string.h>
#include "hyp/boot/multiboot.h"
#include "tests/unit/check_main.h"

#define SIZE 512

static uint32_t *info; /* exactly as large as it says: ASan sees every read beyond */
static uint32_t at;
static struct multiboot_info out;

static void words(unsigned n, const uint32_t *w)
{
    memcpy(info + at, w, n * 4);
    at += (n + 1) & ~1U;
}
#define WORDS(...) words(sizeof((uint32_t[]){__VA_ARGS__}) / 4, (const uint32_t[]){__VA_ARGS__})

static void begin(void)
{
    info = calloc(1, SIZE);
    at = 2;
}

static const char *parse(void)
{
    uint32_t *exact = malloc(at * 4);
    const char *wrong;

    info[0] = at * 4;
    memcpy(exact, info, at * 4);
    wrong = multiboot_parse(MULTIBOOT_MAGIC, exact, &out);
    free(exact);
    free(info);
    return wrong;
}

static void memory_map(void)
{
    WORDS(6, 16 + 3 * 24, 24, 0, 0, 0, 0x9fc00, 0, 1, 0, 0x9fc00, 0, 0x400, 0, 2, 0, 0x100800, 0,
          0x7f00000, 0, 1, 0);
}

START_TEST(good)
{
    begin();
    memory_map();
    WORDS(1, 8 + 4, 0x0000706d); /* "mp" */
    WORDS(3, 17, 0x200000, 0x345678, 0);
    WORDS(0, 8);
    ck_assert_ptr_null(parse());
    ck_assert_uint_eq(out.nram, 2);
    ck_assert_uint_eq(out.ram[0].start, 0);
    ck_assert_uint_eq(out.ram[0].end, 0x9f000);
    ck_assert_uint_eq(out.ram[1].start, 0x101000);
    ck_assert_uint_eq(out.ram[1].end, 0x8000000);
    ck_assert_uint_eq(out.bundle.start, 0x200000);
    ck_assert_uint_eq(out.bundle.end, 0x345678);
    ck_assert_str_eq(out.cmdline, "mp");
}
END_TEST

START_TEST(newer_acpi_wins)
{
    begin();
    memory_map();
    WORDS(15, 44, 2, 2, 2, 2, 2, 2, 2, 2, 2);
    WORDS(14, 28, 1, 1, 1, 1, 1);
    WORDS(0, 8);
    ck_assert_ptr_null(parse());
    ck_assert_uint_eq(out.rsdp[0], 2);
}
END_TEST

START_TEST(broken)
{
    static const struct {
        uint32_t w[4];
        const char *says;
    } cases[] = {
        {{3, 17, 0x200001, 0x300000}, "module tag is broken"},
        {{3, 17, 0x200000, 0x1ff000}, "module tag is broken"},
        {{3, 8, 0, 0}, "module tag is broken"},
        {{6, 16, 8, 0}, "memory map entries are too small"},
        {{14, 16, 0, 0}, "ACPI tag is too small"},
        {{9, 4, 0, 0}, "a tag is larger than the information"},
        {{9, 400, 0, 0}, "a tag is larger than the information"},
    };

    begin();
    words(4, cases[_i].w);
    WORDS(0, 0);
    WORDS(0, 8);
    ck_assert_str_eq(parse(), cases[_i].says);
}
END_TEST

START_TEST(no_end_and_no_memory)
{
    begin();
    WORDS(0, 8);
    ck_assert_str_eq(parse(), "the loader gave no memory map");
    begin();
    memory_map();
    ck_assert_str_eq(parse(), "no end tag");
    ck_assert_str_eq(multiboot_parse(0x2badb002, NULL, &out), "not started by a multiboot2 loader");
}
END_TEST

START_TEST(random_bytes)
{
    srand(11);
    for (unsigned n = 0; n < 20000; n++) {
        begin();
        while (at < 40)
            WORDS((uint32_t)rand() % 16, (uint32_t)rand() % 64, (uint32_t)rand() % 32,
                  (uint32_t)rand());
        parse();
    }
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, good);
    tcase_add_test(tc, newer_acpi_wins);
    tcase_add_loop_test(tc, broken, 0, 7);
    tcase_add_test(tc, no_end_and_no_memory);
    tcase_add_test(tc, random_bytes);
}

int main(void)
{
    return check_main("multiboot", fill);
}

/* SPDX-License-Identifier: MIT */
/* Core files: what is read back of them is what was given, with more ranges than they can name. */
#define _GNU_SOURCE
#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>
#include "tests/unit/check_main.h"
#include "tools/corefile.h"
#include "tools/units.h"

static struct corefile core;
static int fd;

static void setup(void)
{
    fd = memfd_create("core", 0);
    ck_assert_int_ge(fd, 0);
}

static void teardown(void)
{
    close(fd);
}

static void page_of(uint8_t page[COREFILE_PAGE], uint64_t gfn)
{
    for (unsigned i = 0; i < COREFILE_PAGE / sizeof(gfn); i++)
        memcpy(page + i * sizeof(gfn), &gfn, sizeof(gfn));
}

static void give(uint64_t gfn)
{
    uint8_t page[COREFILE_PAGE];

    page_of(page, gfn);
    ck_assert(corefile_page(&core, gfn, page));
}

/* By its program headers: the byte of the file that holds guest-physical gpa; 0: none does. */
static uint64_t offset_of(uint64_t gpa)
{
    Elf64_Ehdr e;

    ck_assert_int_eq(pread(fd, &e, sizeof(e), 0), sizeof(e));
    for (unsigned i = 0; i < e.e_phnum; i++) {
        Elf64_Phdr p;

        ck_assert_int_eq(pread(fd, &p, sizeof(p), (off_t)(e.e_phoff + i * sizeof(p))), sizeof(p));
        if (p.p_type == PT_LOAD && gpa >= p.p_paddr && gpa - p.p_paddr < p.p_filesz)
            return p.p_offset + gpa - p.p_paddr;
    }
    return 0;
}

static bool holds(uint64_t gfn)
{
    uint8_t want[COREFILE_PAGE], got[COREFILE_PAGE];
    uint64_t at = offset_of(gfn * COREFILE_PAGE);

    page_of(want, gfn);
    return at && pread(fd, got, sizeof(got), (off_t)at) == sizeof(got) &&
           !memcmp(want, got, sizeof(got));
}

/* Two pages each, with holes between that grow. */
START_TEST(many_ranges)
{
    uint64_t gfn = 0;

    corefile_begin(&core, fd, 1);
    for (unsigned i = 0; i < COREFILE_RANGES + 100; i++, gfn += 3 + i) {
        give(gfn);
        give(gfn + 1);
    }
    ck_assert(corefile_end(&core));
    ck_assert_uint_eq(core.ranges, COREFILE_RANGES);
    gfn = 0;
    for (unsigned i = 0; i < COREFILE_RANGES + 100; i++, gfn += 3 + i) {
        ck_assert_msg(holds(gfn) && holds(gfn + 1), "range %u", i);
        if (i < COREFILE_RANGES - 1)
            ck_assert_uint_eq(offset_of((gfn + 2) * COREFILE_PAGE), 0);
    }
}
END_TEST

START_TEST(zeros_are_holes)
{
    static const uint8_t zero[COREFILE_PAGE];
    struct stat st;

    corefile_begin(&core, fd, 1);
    for (uint64_t gfn = 0; gfn < 10000; gfn++)
        ck_assert(corefile_page(&core, gfn, zero));
    ck_assert(corefile_end(&core));
    ck_assert(!fstat(fd, &st));
    ck_assert_uint_eq((uint64_t)st.st_size, core.data + 10000UL * COREFILE_PAGE);
    ck_assert_uint_lt((uint64_t)st.st_blocks * 512, 1 << 20);
}
END_TEST

START_TEST(registers)
{
    struct bh_vcpu_context r = {.rip = 0x1234, .rsp = 0x5678, .r15 = 15, .gs_base = 0xabc};
    struct elf_prstatus status;
    struct user_regs_struct u;
    Elf64_Phdr p;
    Elf64_Nhdr n;

    corefile_begin(&core, fd, 3);
    for (uint32_t i = 0; i < 3; i++) {
        r.rax = i;
        ck_assert(corefile_vcpu(&core, i, &r));
    }
    ck_assert(corefile_end(&core));
    ck_assert_int_eq(pread(fd, &p, sizeof(p), sizeof(Elf64_Ehdr)), sizeof(p));
    ck_assert_uint_eq(p.p_type, PT_NOTE);
    for (unsigned i = 0; i < 3; i++) {
        off_t at = (off_t)(p.p_offset + i * (p.p_filesz / 3));

        ck_assert_int_eq(pread(fd, &n, sizeof(n), at), sizeof(n));
        ck_assert_uint_eq(n.n_type, NT_PRSTATUS);
        ck_assert_int_eq(pread(fd, &status, sizeof(status), at + (off_t)sizeof(n) + 8),
                         sizeof(status));
        memcpy(&u, &status.pr_reg, sizeof(u));
        ck_assert_int_eq(status.pr_pid, (int)i + 1);
        ck_assert_uint_eq(u.rax, i);
        ck_assert_uint_eq(u.rip, 0x1234);
        ck_assert_uint_eq(u.rsp, 0x5678);
        ck_assert_uint_eq(u.r15, 15);
        ck_assert_uint_eq(u.gs_base, 0xabc);
    }
}
END_TEST

/* Words of the command line. */
START_TEST(words)
{
    static const char *const no_size[] = {
        "", "m", "-1", "1mm", "1x", "+1", "0x10", "18014398509481984k", "99999999999999999999"};
    char text[UNITS_DURATION];
    uint64_t v;

    ck_assert(units_memory("4", &v) && v == 4096);
    ck_assert(units_memory("5b", &v) && v == 5);
    ck_assert(units_memory("3M", &v) && v == 3UL << 20);
    ck_assert(units_memory("2t", &v) && v == 2UL << 40);
    for (unsigned i = 0; i < sizeof(no_size) / sizeof(no_size[0]); i++)
        ck_assert_msg(!units_memory(no_size[i], &v), "%s", no_size[i]);
    ck_assert(units_number("64", 1, 64, &v) && v == 64);
    ck_assert(!units_number("65", 1, 64, &v) && !units_number("6x", 1, 64, &v));
    ck_assert(!units_number(" 6", 1, 64, &v) && !units_number("", 0, 64, &v));
    ck_assert(units_seconds("1.5", &v) && v == 1500);
    ck_assert(!units_seconds("1e10", &v) && !units_seconds("nan", &v) && !units_seconds("1s", &v));
    units_duration(86399UL * 1000000000, text);
    ck_assert_str_eq(text, "23:59:59");
    units_duration(2 * 86400UL * 1000000000 + 3661UL * 1000000000, text);
    ck_assert_str_eq(text, "2 days, 01:01:01");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, many_ranges);
    tcase_add_test(tc, zeros_are_holes);
    tcase_add_test(tc, registers);
    tcase_add_test(tc, words);
}

int main(void)
{
    return check_main("corefile", fill);
}

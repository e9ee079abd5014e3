/* SPDX-License-Identifier: MIT */
/*
 * The bundle reader: a good header and a good record, and each way to break them. A row is what is
 * changed, and the message or NULL; the checksum is that of the changed page.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "hyp/dom/record.h"
#include "tests/unit/check_main.h"

#define MIB         (1ULL << 20)
#define GIB         (1ULL << 30)
#define BUNDLE_SIZE 0x10000ULL
#define HIGH_RAM    (16 * MIB)
#define MODULE_SIZE (BUNDLE_SIZE + 100) /* a loader may count what it pads */

struct field {
    size_t at, n;
    uint64_t value;
};
#define FIELD(type, member, v)                                                                     \
    {                                                                                              \
        offsetof(type, member), sizeof(((type *)0)->member), (v)                                   \
    }
#define H(member, value)    FIELD(struct bundle_header, member, value)
#define R(member, value)    FIELD(struct bundle_domain, member, value)
#define S(i, member, value) R(segments[i].member, value)

struct row {
    const char *says;
    struct field fields[4];
};

static void apply(void *page, const struct field *fields)
{
    for (unsigned i = 0; i < 4 && fields[i].n; i++)
        memcpy((uint8_t *)page + fields[i].at, &fields[i].value, fields[i].n);
}

static void ck_says(const char *got, const char *want)
{
    if (want)
        ck_assert_msg(got && !strcmp(got, want), "says '%s', not '%s'", got ? got : "good", want);
    else
        ck_assert_msg(!got, "says '%s' of what is good", got);
}

static void seal_header(struct bundle_header *h)
{
    h->checksum = 0;
    h->checksum = XXH64(h, sizeof(*h), 0);
}

static void seal_record(struct bundle_domain *r)
{
    r->checksum = 0;
    r->checksum = XXH64(r, sizeof(*r), 0);
}

static struct bundle_header good_header(void)
{
    struct bundle_header h = {.magic = BUNDLE_MAGIC,
                              .version = BUNDLE_VERSION,
                              .ndomains = 2,
                              .size = BUNDLE_SIZE,
                              .memory = 128 * MIB,
                              .name = "rack1"};

    seal_header(&h);
    return h;
}

/* RAM on both sides of the hole; two segments of a kernel and an initrd. */
static struct bundle_domain good_record(void)
{
    struct bundle_domain r = {
        .name = "guest",
        .uuid = {1, 2, 3},
        .vcpus = 2,
        .weight = 256,
        .memory_max = 4 * GIB,
        .memory_target = BUNDLE_RAM_HOLE + HIGH_RAM,
        .memory_min = 8 * MIB,
        .entry = 0x200010,
        .on_reboot = BUNDLE_RESTART,
        .nsegments = 3,
        .segments = {{.offset = 0x3000, .file_size = 0x2000, .mem_size = 0x3000, .gpa = 0x100000},
                     {.offset = 0x5000, .file_size = 0x1800, .mem_size = 0x2000, .gpa = 0x200000},
                     {.offset = 0x7000,
                      .file_size = 0x800,
                      .mem_size = 0x1000,
                      .gpa = 0x400000,
                      .kind = BUNDLE_SEGMENT_MODULE}},
        .cmdline = "console=hvc0",
    };

    seal_record(&r);
    return r;
}

#define MAGIC    "magic: not a bundle"
#define VERSION  "version: not the one this hypervisor reads"
#define CHECKSUM "checksum: does not match"
#define SIZE     "size: not that of the module"
#define NDOMAINS "ndomains: too many"
#define NAME     "name: not a printable name"
#define RESERVED "reserved: not zero"
#define TSC      "tsc_hz: must be 100 MHz..10 GHz"

static const struct row headers[] = {
    {NULL, {{0}}},
    {MAGIC, {H(magic, BUNDLE_MAGIC + 1)}},
    {VERSION, {H(version, BUNDLE_VERSION - 1)}},
    {VERSION, {H(version, BUNDLE_VERSION + 1)}},
    {NULL, {H(size, 0x3000)}},
    {SIZE, {H(size, BUNDLE_SIZE - 1)}},
    {SIZE, {H(size, BUNDLE_SIZE + 1)}},
    {SIZE, {H(size, BUNDLE_SIZE + BUNDLE_PAGE)}},
    {SIZE, {H(size, -0x1000LL)}},
    {NULL, {H(ndomains, 0)}},
    {NULL, {H(ndomains, 15)}},
    {NDOMAINS, {H(ndomains, 16)}},
    {NDOMAINS, {H(ndomains, ~0U)}},
    {NDOMAINS, {H(ndomains, 2), H(size, 0x2000)}},
    {NDOMAINS, {H(ndomains, 0), H(size, 0)}},
    {NULL, {H(on_idle, BUNDLE_IDLE_POWEROFF)}},
    {"on_idle: unknown action", {H(on_idle, BUNDLE_IDLE_POWEROFF + 1)}},
    {NAME, {H(name[0], 0)}},
    {NAME, {H(name[2], ' ')}},
    {NAME, {H(name[63], 'x')}},
    {RESERVED, {H(reserved0, 1)}},
    {RESERVED, {H(reserved[0], 1)}},
    {RESERVED, {H(reserved[BUNDLE_PAGE - 113], 0x80)}},
};

START_TEST(header)
{
    struct bundle_header h = good_header();

    apply(&h, headers[_i].fields);
    seal_header(&h);
    ck_says(record_check_header(&h, MODULE_SIZE), headers[_i].says);
}
END_TEST

/* As many domains as there may be, and one more, in a bundle that has room. */
START_TEST(header_most_domains)
{
    struct bundle_header h = good_header();

    h.size = 2 * BUNDLE_PAGE * (BUNDLE_MAX_DOMAINS + 1);
    h.ndomains = BUNDLE_MAX_DOMAINS;
    seal_header(&h);
    ck_says(record_check_header(&h, h.size), NULL);
    h.ndomains++;
    seal_header(&h);
    ck_says(record_check_header(&h, h.size), NDOMAINS);
}
END_TEST

START_TEST(header_of_short_module)
{
    struct bundle_header h = good_header(), *none = malloc(1);

    ck_says(record_check_header(none, 1), MAGIC); /* ASan sees any read beyond */
    free(none);
    ck_says(record_check_header(&h, sizeof(h) - 1), MAGIC);
    ck_says(record_check_header(&h, BUNDLE_SIZE - 1), SIZE);
    ck_says(record_check_header(&h, BUNDLE_SIZE), NULL);
    h.ndomains = 0;
    h.size = sizeof(h);
    seal_header(&h);
    ck_says(record_check_header(&h, sizeof(h)), NULL);
}
END_TEST

/* A single changed bit is found wherever it is; so no other check sees a page that is broken. */
START_TEST(each_bit_counts)
{
    struct bundle_header h = good_header();
    struct bundle_domain r = good_record();
    uint32_t segment;

    for (size_t i = 0; i < BUNDLE_PAGE; i++) {
        uint8_t bit = (uint8_t)(1U << i % 8);

        ((uint8_t *)&r)[i] ^= bit;
        ck_says(record_check(&r, &h, &segment), CHECKSUM);
        ck_assert_uint_eq(segment, RECORD_NO_SEGMENT);
        ((uint8_t *)&r)[i] ^= bit;
    }
    for (size_t i = offsetof(struct bundle_header, checksum); i < BUNDLE_PAGE; i++) {
        bool version = i - offsetof(struct bundle_header, version) < sizeof(h.version);

        ((uint8_t *)&h)[i] ^= 1;
        ck_says(record_check_header(&h, MODULE_SIZE), version ? VERSION : CHECKSUM);
        ((uint8_t *)&h)[i] ^= 1;
    }
}
END_TEST

#define PRIVILEGES "privileges: for the control domain only"
#define VCPUS      "vcpus: must be 1..64"
#define WEIGHT     "weight: must be 1..65535"
#define ACTION     "on_poweroff, on_reboot, on_crash: unknown action"
#define MULTIPLE   "memory: not a multiple of 4096"
#define ORDER      "memory: not min <= target <= max"
#define NSEGMENTS  "nsegments: must be 1..16"
#define MORE       "segments: more than nsegments says"
#define ENTRY      "entry: not within what is loaded"

static const struct row records[] = {
    {NULL, {{0}}},
    {NAME, {R(name[0], 0)}},
    {NAME, {R(name[4], ' ')}},
    {NULL, {R(name[4], '!')}},
    {NULL, {R(name[4], '~')}},
    {NAME, {R(name[4], 0x7f)}},
    {NAME, {R(name[4], 0x80)}},
    {NAME, {R(name[6], 'x')}},
    {NAME, {R(name[63], 'x')}},
    {NULL, {R(class, BUNDLE_CLASS_NET)}},
    {"class: unknown", {R(class, BUNDLE_CLASS_NET + 1)}},
    {NULL, {R(class, BUNDLE_CLASS_CTL), R(privileges, 3)}},
    {"privileges: unknown", {R(class, BUNDLE_CLASS_CTL), R(privileges, 4)}},
    {"privileges: unknown", {R(class, BUNDLE_CLASS_CTL), R(privileges, 1U << 31)}},
    {PRIVILEGES, {R(privileges, BUNDLE_PRIV_CONTROL)}},
    {PRIVILEGES, {R(class, BUNDLE_CLASS_NET), R(privileges, BUNDLE_PRIV_SERIAL2)}},
    {VCPUS, {R(vcpus, 0)}},
    {NULL, {R(vcpus, 1)}},
    {NULL, {R(vcpus, 64)}},
    {VCPUS, {R(vcpus, 65)}},
    {WEIGHT, {R(weight, 0)}},
    {NULL, {R(weight, 1)}},
    {NULL, {R(weight, 65535)}},
    {WEIGHT, {R(weight, 65536)}},
    {NULL, {R(cap, 6400)}},
    {"cap: more than 64 CPUs", {R(cap, 6401)}},
    {NULL, {R(on_poweroff, 2), R(on_reboot, 2), R(on_crash, 2)}},
    {ACTION, {R(on_poweroff, BUNDLE_PRESERVE + 1)}},
    {ACTION, {R(on_reboot, BUNDLE_PRESERVE + 1)}},
    {ACTION, {R(on_crash, BUNDLE_PRESERVE + 1)}},
    {"vault_pages: not for guests", {R(vault_pages, 1)}},
    {NULL, {R(class, BUNDLE_CLASS_XS), R(vault_pages, 16384)}},
    {"vault_pages: more than 64 MiB", {R(class, BUNDLE_CLASS_XS), R(vault_pages, 16385)}},
    {NULL, {R(tsc_hz, 100000000)}},
    {NULL, {R(tsc_hz, 10000000000)}},
    {TSC, {R(tsc_hz, 99999999)}},
    {TSC, {R(tsc_hz, 10000000001)}},
    {RESERVED, {R(reserved0, 1)}},
    {RESERVED, {R(reserved[0], 1)}},
    {RESERVED, {R(reserved[sizeof(((struct bundle_domain *)0)->reserved) - 1], 1)}},
    {MULTIPLE, {R(memory_max, 4 * GIB + 1)}},
    {MULTIPLE, {R(memory_target, BUNDLE_RAM_HOLE + 2048)}},
    {MULTIPLE, {R(memory_min, 8 * MIB - 1)}},
    {NULL, {R(memory_max, 8192 * GIB)}},
    {"memory_max: more than 8 TiB", {R(memory_max, 8192 * GIB + BUNDLE_PAGE)}},
    {"memory_max: more than 8 TiB", {R(memory_max, -0x1000LL)}},
    {NULL, {R(memory_target, 4 * GIB)}},
    {ORDER, {R(memory_target, 4 * GIB + BUNDLE_PAGE)}},
    {NULL, {R(memory_min, BUNDLE_RAM_HOLE + HIGH_RAM)}},
    {ORDER, {R(memory_min, BUNDLE_RAM_HOLE + HIGH_RAM + BUNDLE_PAGE)}},
    {NULL, {R(memory_min, 0)}},
    {"memory_target: too small", {R(memory_min, 0), R(memory_target, BUNDLE_LOW_RESERVED)}},
    {"memory_target: too small", {R(memory_min, 0), R(memory_target, 0)}},
    {NSEGMENTS, {R(nsegments, 0)}},
    {NSEGMENTS, {R(nsegments, 17)}},
    {NSEGMENTS, {R(nsegments, ~0U)}},
    {MORE, {R(nsegments, 2)}},
    {MORE, {R(segments[15].reserved, 1)}},
    {MORE, {R(segments[3].offset, 0x8000)}},
    {NULL, {R(entry, 0x100000)}},
    {ENTRY, {R(entry, 0xfffff)}},
    {NULL, {R(entry, 0x2017ff)}},
    {ENTRY, {R(entry, 0x201800)}}, /* in memory, but zeros */
    {ENTRY, {R(entry, 0x400000)}}, /* the initrd */
};

/* The good record with these fields: what is said of it, and of which segment. */
static void check_record(const struct field *fields, const char *says, uint32_t at)
{
    struct bundle_header h = good_header();
    struct bundle_domain r = good_record();
    uint32_t segment = 0;

    apply(&r, fields);
    seal_record(&r);
    ck_says(record_check(&r, &h, &segment), says);
    ck_assert_uint_eq(segment, at);
}

START_TEST(record)
{
    check_record(records[_i].fields, records[_i].says, RECORD_NO_SEGMENT);
}
END_TEST

START_TEST(record_full_names)
{
    struct bundle_header h = good_header();
    struct bundle_domain r = good_record();
    uint32_t segment;

    memset(r.name, 'n', BUNDLE_NAME_SIZE - 1);
    memset(r.cmdline, 'c', BUNDLE_CMDLINE_SIZE - 1);
    seal_record(&r);
    ck_says(record_check(&r, &h, &segment), NULL);
    r.cmdline[BUNDLE_CMDLINE_SIZE - 1] = 'c';
    seal_record(&r);
    ck_says(record_check(&r, &h, &segment), "cmdline: not terminated");
    r.name[BUNDLE_NAME_SIZE - 1] = 'n';
    seal_record(&r);
    ck_says(record_check(&r, &h, &segment), NAME);
}
END_TEST

/* The least memory that a record may have is one page of its own. */
START_TEST(record_least_memory)
{
    struct bundle_header h = good_header();
    struct bundle_domain r = good_record();
    uint32_t segment;

    r.memory_min = r.memory_target = r.memory_max = BUNDLE_LOW_RESERVED + BUNDLE_PAGE;
    r.nsegments = 1;
    memset(r.segments + 1, 0, 2 * sizeof(r.segments[0]));
    r.segments[0].file_size = r.segments[0].mem_size = BUNDLE_PAGE;
    r.segments[0].gpa = r.entry = BUNDLE_LOW_RESERVED;
    seal_record(&r);
    ck_says(record_check(&r, &h, &segment), NULL);
}
END_TEST

#define OFFSET    "offset: outside the bundle's data"
#define FILE_SIZE "file_size: more than the bundle has"
#define MEM       "mem_size: less than file_size, or zero"
#define OUTSIDE   "gpa: not within the guest's memory"
#define OVERLAP   "gpa: overlaps an earlier segment"
#define LOW_END   BUNDLE_RAM_HOLE
#define TOP       (GUEST_HIGH_RAM + HIGH_RAM)

/* Segment 2 is the one that is changed, and the one at fault. */
static const struct row segments[] = {
    {NULL, {S(2, kind, BUNDLE_SEGMENT_LOAD)}},
    {"kind: unknown", {S(2, kind, 2)}},
    {RESERVED, {S(2, reserved, 1)}},
    {OFFSET, {S(2, offset, 0x7001)}},
    {OFFSET, {S(2, offset, 0x2000)}}, /* a record */
    {OFFSET, {S(2, offset, 0)}},
    {NULL, {S(2, offset, 0x3000)}}, /* the same bytes as another's */
    {NULL, {S(2, offset, 0xf000)}},
    {FILE_SIZE, {S(2, offset, BUNDLE_SIZE)}},
    {NULL, {S(2, offset, BUNDLE_SIZE), S(2, file_size, 0)}},
    {OFFSET, {S(2, offset, BUNDLE_SIZE + BUNDLE_PAGE), S(2, file_size, 0)}},
    {OFFSET, {S(2, offset, -0x1000LL)}},
    {NULL, {S(2, file_size, 0x9000), S(2, mem_size, 0x9000)}},
    {FILE_SIZE, {S(2, file_size, 0x9001), S(2, mem_size, 0x10000)}},
    {FILE_SIZE, {S(2, file_size, ~0ULL), S(2, mem_size, ~0ULL)}},
    {NULL, {S(2, mem_size, 0x800)}},
    {MEM, {S(2, mem_size, 0x7ff)}},
    {MEM, {S(2, mem_size, 0), S(2, file_size, 0)}},
    {NULL, {S(2, gpa, BUNDLE_LOW_RESERVED)}},
    {"gpa: in the builder's memory", {S(2, gpa, BUNDLE_LOW_RESERVED - BUNDLE_PAGE)}},
    {"gpa: in the builder's memory", {S(2, gpa, 0)}},
    {"gpa: not page aligned", {S(2, gpa, 0x400001)}},
    {NULL, {S(2, gpa, 0x400001), S(2, kind, BUNDLE_SEGMENT_LOAD)}},
    {NULL, {S(2, gpa, LOW_END - 0x1000)}},
    {OUTSIDE, {S(2, gpa, LOW_END - 0x1000), S(2, mem_size, 0x1001)}},
    {OUTSIDE, {S(2, gpa, LOW_END)}},
    {OUTSIDE, {S(2, gpa, GUEST_ACPI_START)}},
    {OUTSIDE, {S(2, gpa, GUEST_HIGH_RAM - 0x1000), S(2, mem_size, 0x2000)}},
    {NULL, {S(2, gpa, GUEST_HIGH_RAM), S(2, mem_size, HIGH_RAM)}},
    {OUTSIDE, {S(2, gpa, GUEST_HIGH_RAM), S(2, mem_size, HIGH_RAM + 1)}},
    {NULL, {S(2, gpa, TOP - 0x1000)}},
    {OUTSIDE, {S(2, gpa, TOP - 0x1000), S(2, mem_size, 0x1001)}},
    {OUTSIDE, {S(2, gpa, TOP)}},
    {OUTSIDE, {S(2, gpa, -0x1000LL)}},
    {OUTSIDE, {S(2, mem_size, ~0ULL)}},
    {OUTSIDE, {S(2, mem_size, -0x400000LL)}}, /* ends at 2^64 */
    {NULL, {S(2, gpa, 0x103000)}},
    {OVERLAP, {S(2, gpa, 0x102000)}},
    {OVERLAP, {S(2, gpa, 0x100000)}},
    {NULL, {S(2, gpa, 0xff000)}},
    {OVERLAP, {S(2, gpa, 0xff000), S(2, mem_size, 0x1001)}},
    {OVERLAP, {S(2, gpa, 0x201000)}},
    {OVERLAP, {S(2, gpa, 0x80000), S(2, mem_size, MIB * 4)}},
};

START_TEST(segment_2)
{
    check_record(segments[_i].fields, segments[_i].says, segments[_i].says ? 2 : RECORD_NO_SEGMENT);
}
END_TEST

/* Every segment is looked at, up to the last there may be. */
START_TEST(every_segment)
{
    struct bundle_header h = good_header();
    struct bundle_domain r = good_record();
    uint32_t segment;

    for (uint32_t i = 3; i < BUNDLE_MAX_SEGMENTS; i++)
        r.segments[i] = (struct bundle_segment){
            .offset = 0x3000, .file_size = 1, .mem_size = 1, .gpa = 0x500000 + i};
    r.nsegments = BUNDLE_MAX_SEGMENTS;
    seal_record(&r);
    ck_says(record_check(&r, &h, &segment), NULL);
    for (uint32_t i = 0; i < BUNDLE_MAX_SEGMENTS; i++) {
        r.segments[i].reserved = 1;
        seal_record(&r);
        ck_says(record_check(&r, &h, &segment), RESERVED);
        ck_assert_uint_eq(segment, i);
        r.segments[i].reserved = 0;
    }
}
END_TEST

/* A record that comes without a bundle. */
static const struct row calls[] = {
    {NULL, {{0}}},
    {"offset: not zero", {S(0, offset, 0x3000)}},
    {"offset: not zero", {S(2, offset, 1)}},
    {NULL, {S(1, file_size, 0), S(1, checksum, 1), R(entry, 0x100000)}},
    {"mem_size: less than file_size, or zero", {S(1, file_size, ~0UL)}},
    {"gpa: not within the guest's memory",
     {S(1, file_size, 4 * GIB), S(1, mem_size, 4 * GIB), S(1, gpa, GUEST_HIGH_RAM)}},
    {"class: not a guest", {R(class, BUNDLE_CLASS_XS)}},
    {"class: not a guest", {R(class, BUNDLE_CLASS_CTL), R(privileges, BUNDLE_PRIV_CONTROL)}},
    {"privileges: for the control domain only", {R(privileges, BUNDLE_PRIV_SERIAL2)}},
    {"memory_max: more than 8 TiB", {R(memory_max, 1ULL << 44)}},
};

START_TEST(record_by_call)
{
    struct bundle_domain r = good_record();
    uint32_t segment;

    for (unsigned i = 0; i < r.nsegments; i++)
        r.segments[i].offset = 0;
    apply(&r, calls[_i].fields);
    record_seal(&r);
    ck_says(record_check(&r, NULL, &segment), calls[_i].says);
    r.checksum ^= 1;
    ck_says(record_check(&r, NULL, &segment), CHECKSUM);
}
END_TEST

START_TEST(conflict)
{
    struct bundle_domain a = good_record(), b = good_record();

    ck_assert_str_eq(record_conflict(&a, &b), "name");
    b.name[0] = 'G';
    ck_assert_str_eq(record_conflict(&a, &b), "uuid");
    b.uuid[15] = 1;
    ck_assert_ptr_null(record_conflict(&a, &b));
    memset(a.uuid, 0, sizeof(a.uuid));
    memset(b.uuid, 0, sizeof(b.uuid));
    ck_assert_ptr_null(record_conflict(&a, &b)); /* none is no UUID */
    a.class = b.class = BUNDLE_CLASS_BLK;
    ck_assert_ptr_null(record_conflict(&a, &b));
    a.class = BUNDLE_CLASS_CTL;
    ck_assert_ptr_null(record_conflict(&a, &b));
    b.class = BUNDLE_CLASS_CTL;
    ck_assert_str_eq(record_conflict(&a, &b), "class");
    a.class = b.class = BUNDLE_CLASS_XS;
    ck_assert_str_eq(record_conflict(&a, &b), "class");
    memset(a.name, 'n', BUNDLE_NAME_SIZE - 1);
    memset(b.name, 'n', BUNDLE_NAME_SIZE - 1);
    ck_assert_str_eq(record_conflict(&a, &b), "name");
    b.name[BUNDLE_NAME_SIZE - 2] = 'm';
    ck_assert_str_eq(record_conflict(&a, &b), "class");
}
END_TEST

static const uint64_t targets[] = {8 * MIB, BUNDLE_RAM_HOLE - BUNDLE_PAGE, BUNDLE_RAM_HOLE,
                                   BUNDLE_RAM_HOLE + BUNDLE_PAGE, 64 * GIB};

/* The map's RAM is what the frames are, and nothing lies twice. */
START_TEST(memory_map)
{
    struct bundle_domain r = {.memory_target = targets[_i]};
    uint64_t pages = r.memory_target / BUNDLE_PAGE, n = 0, end = 0;
    struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX];
    uint32_t entries = record_memmap(&r, map);

    ck_assert_uint_eq(entries, r.memory_target > BUNDLE_RAM_HOLE ? 4 : 3);
    ck_assert_uint_eq(record_low_ram(&r),
                      r.memory_target < BUNDLE_RAM_HOLE ? r.memory_target : BUNDLE_RAM_HOLE);
    for (uint32_t i = 0; i < entries; i++) {
        uint64_t first = map[i].addr / BUNDLE_PAGE, size = map[i].size / BUNDLE_PAGE;

        ck_assert_uint_ge(map[i].addr, end);
        ck_assert_uint_gt(size, 0);
        end = map[i].addr + map[i].size;
        if (map[i].type != XEN_HVM_MEMMAP_TYPE_RAM)
            continue;
        ck_assert_uint_eq(record_ram_gfn(&r, n), first);
        ck_assert_uint_eq(record_ram_gfn(&r, n + size - 1), first + size - 1);
        n += size;
    }
    ck_assert_uint_eq(n, pages);
    ck_assert_uint_eq(map[1].addr, GUEST_ACPI_START);
    ck_assert_uint_eq(map[1].size, GUEST_ACPI_SIZE);
    ck_assert_uint_eq(map[1].type, XEN_HVM_MEMMAP_TYPE_ACPI);
    ck_assert_uint_eq(map[2].addr, GUEST_SPECIAL_START);
    ck_assert_uint_eq(map[2].size, GUEST_SPECIAL_SIZE);
    ck_assert_uint_eq(map[2].type, XEN_HVM_MEMMAP_TYPE_RESERVED);
}
END_TEST

/* Between what is RAM and what is not, whatever its size. */
START_TEST(memory_map_with_vault)
{
    struct bundle_domain r = {.memory_target = 64 * GIB, .vault_pages = BUNDLE_VAULT_MAX};
    struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX];

    ck_assert_uint_eq(record_memmap(&r, map), RECORD_MEMMAP_MAX);
    ck_assert_uint_eq(map[1].addr, BUNDLE_VAULT_START);
    ck_assert_uint_eq(map[1].size, 64 * MIB);
    ck_assert_uint_eq(map[1].type, XEN_HVM_MEMMAP_TYPE_RESERVED);
    ck_assert_uint_ge(map[1].addr, map[0].addr + map[0].size);
    ck_assert_uint_le(map[1].addr + map[1].size, map[2].addr);
}
END_TEST

START_TEST(frames_around_the_hole)
{
    struct bundle_domain r = {.memory_target = BUNDLE_RAM_HOLE + 2 * BUNDLE_PAGE};

    ck_assert_uint_eq(record_ram_gfn(&r, 0), 0);
    ck_assert_uint_eq(record_ram_gfn(&r, 0xeffff), 0xeffff);
    ck_assert_uint_eq(record_ram_gfn(&r, 0xf0000), 0x100000);
    ck_assert_uint_eq(record_ram_gfn(&r, 0xf0001), 0x100001);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, header, 0, ROWS(headers));
    tcase_add_test(tc, header_most_domains);
    tcase_add_test(tc, header_of_short_module);
    tcase_add_test(tc, each_bit_counts);
    tcase_add_loop_test(tc, record, 0, ROWS(records));
    tcase_add_test(tc, record_full_names);
    tcase_add_test(tc, record_least_memory);
    tcase_add_loop_test(tc, segment_2, 0, ROWS(segments));
    tcase_add_test(tc, every_segment);
    tcase_add_loop_test(tc, record_by_call, 0, ROWS(calls));
    tcase_add_test(tc, conflict);
    tcase_add_loop_test(tc, memory_map, 0, ROWS(targets));
    tcase_add_test(tc, memory_map_with_vault);
    tcase_add_test(tc, frames_around_the_hole);
}

int main(void)
{
    return check_main("record", fill);
}

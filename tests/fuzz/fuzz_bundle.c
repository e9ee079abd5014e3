/* SPDX-License-Identifier: MIT */
/*
 * The bundle's header and records: good ones, changed in fields and bytes as the data says, with
 * their checksums put right most of the time. What is accepted must hold by a count of its own.
 */
#include "tests/fuzz/fuzz.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include "hyp/abi/bundle.h"
#include "hyp/dom/record.h"
#include "hyp/lib/util.h"

#define RECORDS 2U
#define SIZE    0x10000U /* of the bundle */

#define HEADER(f)                                                                                  \
    {                                                                                              \
        0, offsetof(struct bundle_header, f), sizeof(((struct bundle_header *)0)->f)               \
    }
#define RECORD(f)                                                                                  \
    {                                                                                              \
        1, offsetof(struct bundle_domain, f), sizeof(((struct bundle_domain *)0)->f)               \
    }
#define SEGMENT(f) RECORD(segments[0].f), RECORD(segments[1].f), RECORD(segments[15].f)

/* Fields that are set to a number. */
static const struct {
    uint8_t record;
    uint16_t at, size;
} fields[] = {
    HEADER(magic),       HEADER(version),    HEADER(ndomains),      HEADER(size),
    HEADER(on_idle),     HEADER(reserved0),  RECORD(class),         RECORD(privileges),
    RECORD(vcpus),       RECORD(weight),     RECORD(cap),           RECORD(trust),
    RECORD(memory_max),  RECORD(memory_min), RECORD(memory_target), RECORD(affinity),
    RECORD(entry),       RECORD(on_reboot),  RECORD(reserved0),     RECORD(nsegments),
    RECORD(vault_pages), SEGMENT(offset),    SEGMENT(file_size),    SEGMENT(mem_size),
    SEGMENT(gpa),        SEGMENT(kind),      SEGMENT(reserved),
};

static uint8_t pages[1 + RECORDS][BUNDLE_PAGE];

static void begin(void)
{
    struct bundle_header h = {.magic = BUNDLE_MAGIC,
                              .version = BUNDLE_VERSION,
                              .ndomains = RECORDS,
                              .size = SIZE,
                              .name = "host"};
    struct bundle_domain r = {
        .class = BUNDLE_CLASS_CTL,
        .name = "first",
        .vcpus = 1,
        .weight = 256,
        .memory_max = 64 << 20,
        .memory_target = 64 << 20,
        .entry = 0x100000,
        .nsegments = 2,
        .segments = {{.offset = 0x3000, .file_size = 0x1800, .mem_size = 0x4000, .gpa = 0x100000},
                     {.offset = 0x5000,
                      .file_size = 0x1000,
                      .mem_size = 0x1000,
                      .gpa = 0x200000,
                      .kind = BUNDLE_SEGMENT_MODULE}}};

    memcpy(pages[0], &h, sizeof(h));
    memcpy(pages[1], &r, sizeof(r));
    memcpy(r.name, "other", 6);
    r.class = BUNDLE_CLASS_GUEST;
    r.uuid[0] = 1;
    memcpy(pages[2], &r, sizeof(r));
}

static uint8_t *field_at(size_t i, unsigned record)
{
    return pages[fields[i].record ? 1 + record : 0] + fields[i].at;
}

/* The value of a field, of any record; 0 for one that there is not. */
static uint64_t field_value(uint8_t which)
{
    uint64_t v = 0;
    size_t i = which & 0x7f;

    if (i < ARRAY_SIZE(fields))
        memcpy(&v, field_at(i, which >> 7), fields[i].size);
    return v;
}

/* Any number, or one that lies near the sum or the difference of two fields: a border. */
static uint64_t value(struct fuzz *f)
{
    uint8_t how = fuzz_byte(f);
    uint64_t a, b, near;

    if (how < 0x80)
        return fuzz_number(f);
    a = field_value(fuzz_byte(f));
    b = field_value(fuzz_byte(f));
    near = (uint64_t)(int64_t)(int8_t)fuzz_byte(f);
    return (how & 1 ? a + b : a - b) + (how & 2 ? near : near * BUNDLE_PAGE);
}

/* One change: a number in a field, or a few bytes anywhere in a page. */
static void change(struct fuzz *f)
{
    uint8_t what = fuzz_byte(f);
    size_t i = what & 0x7f;

    if (i < ARRAY_SIZE(fields)) {
        uint64_t v = value(f);

        memcpy(field_at(i, what >> 7), &v, fields[i].size);
    } else {
        size_t at = fuzz_bytes(f, 2) % BUNDLE_PAGE, n = 1 + i % 8;

        fuzz_take(f, pages[i % (1 + RECORDS)] + at, MIN(n, BUNDLE_PAGE - at));
    }
}

static void fix_checksum(uint8_t *page, size_t at)
{
    uint64_t sum;

    memset(page + at, 0, sizeof(sum));
    sum = XXH64(page, BUNDLE_PAGE, 0);
    memcpy(page + at, &sum, sizeof(sum));
}

static void check_name(const char *name)
{
    size_t n = strnlen(name, BUNDLE_NAME_SIZE);

    MUST(n && n < BUNDLE_NAME_SIZE);
    for (size_t i = 0; i < BUNDLE_NAME_SIZE; i++)
        MUST(i < n ? name[i] > ' ' && name[i] <= '~' : !name[i]);
}

static bool is_ram(const struct hvm_memmap_table_entry *map, uint32_t n, uint64_t start,
                   uint64_t size)
{
    for (uint32_t i = 0; i < n; i++)
        if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM && start >= map[i].addr &&
            start - map[i].addr < map[i].size && size <= map[i].size - (start - map[i].addr))
            return true;
    return false;
}

static void check_memmap(const struct bundle_domain *r, const struct hvm_memmap_table_entry *map,
                         uint32_t n)
{
    uint64_t ram = 0, last = r->memory_target / BUNDLE_PAGE - 1;

    MUST(n && n <= RECORD_MEMMAP_MAX);
    for (uint32_t i = 0; i < n; i++) {
        MUST(map[i].size && !((map[i].addr | map[i].size) % BUNDLE_PAGE));
        MUST(!i || map[i].addr >= map[i - 1].addr + map[i - 1].size);
        ram += map[i].type == XEN_HVM_MEMMAP_TYPE_RAM ? map[i].size : 0;
    }
    MUST(ram == r->memory_target);
    MUST(r->memory_min <= r->memory_target && r->memory_target <= r->memory_max);
    MUST(map[n - 1].addr + map[n - 1].size <= 1UL << 48);
    for (uint64_t page = 0; page <= last; page = page == last ? last + 1 : (page + last + 1) / 2)
        MUST(is_ram(map, n, record_ram_gfn(r, page) * BUNDLE_PAGE, BUNDLE_PAGE));
    MUST(record_low_ram(r) <= r->memory_target && record_low_ram(r) <= BUNDLE_RAM_HOLE);
}

static void check_segments(const struct bundle_domain *r, const struct bundle_header *h,
                           const struct hvm_memmap_table_entry *map, uint32_t n)
{
    bool inside = false;

    MUST(r->nsegments && r->nsegments <= BUNDLE_MAX_SEGMENTS);
    for (uint32_t i = 0; i < r->nsegments; i++) {
        const struct bundle_segment *s = &r->segments[i], *o;

        MUST(is_ram(map, n, s->gpa, s->mem_size) && s->gpa >= BUNDLE_LOW_RESERVED);
        MUST(s->file_size <= s->mem_size && s->mem_size);
        MUST(!(s->offset % BUNDLE_PAGE) && s->offset >= (1UL + h->ndomains) * BUNDLE_PAGE);
        MUST((unsigned __int128)s->offset + s->file_size <= SIZE);
        MUST(s->kind == BUNDLE_SEGMENT_LOAD || !(s->gpa % BUNDLE_PAGE));
        for (o = r->segments; o < s; o++)
            MUST(s->gpa >= o->gpa + o->mem_size || s->gpa + s->mem_size <= o->gpa);
        inside |= s->kind == BUNDLE_SEGMENT_LOAD && r->entry >= s->gpa &&
                  r->entry < s->gpa + s->file_size;
    }
    MUST(inside);
}

static void check_record(const struct bundle_domain *r, const struct bundle_header *h)
{
    struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX];
    uint32_t n = record_memmap(r, map);

    check_name(r->name);
    check_memmap(r, map, n);
    check_segments(r, h, map, n);
    MUST(r->vcpus && r->vcpus <= BUNDLE_MAX_VCPUS && r->weight && r->weight <= 65535);
    MUST(!r->privileges || r->class == BUNDLE_CLASS_CTL);
    MUST(memchr(r->cmdline, 0, sizeof(r->cmdline)));
    MUST(record_conflict(r, r));
}

static void check_bundle(const struct bundle_header *h, const struct bundle_domain *records)
{
    const char *ab, *ba;
    uint32_t segment;

    check_name(h->name);
    MUST(h->ndomains <= BUNDLE_MAX_DOMAINS && (1UL + h->ndomains) * BUNDLE_PAGE <= h->size &&
         h->size <= SIZE && !(h->size % BUNDLE_PAGE));
    for (unsigned i = 0; i < RECORDS; i++)
        if (!record_check(&records[i], h, &segment))
            check_record(&records[i], h);
        else
            MUST(segment == RECORD_NO_SEGMENT || segment < BUNDLE_MAX_SEGMENTS);
    ab = record_conflict(&records[0], &records[1]);
    ba = record_conflict(&records[1], &records[0]);
    MUST(ab ? ba && !strcmp(ab, ba) : !ba);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fuzz f = {data, data + n};
    uint8_t how = fuzz_byte(&f);
    size_t size = how & 0x10 ? SIZE : fuzz_bytes(&f, 2); /* of the module; all beyond is not ours */
    void *bundle = malloc(size < sizeof(pages) ? size + 1 : sizeof(pages));

    begin();
    while (fuzz_left(&f))
        change(&f);
    for (unsigned i = 0; i <= RECORDS; i++)
        if (!(how >> i & 1))
            fix_checksum(pages[i], i ? offsetof(struct bundle_domain, checksum)
                                     : offsetof(struct bundle_header, checksum));
    memcpy(bundle, pages, size < sizeof(pages) ? size : sizeof(pages));
    if (!record_check_header(bundle, size) && size >= sizeof(pages))
        check_bundle(bundle, (void *)((uint8_t *)bundle + BUNDLE_PAGE));
    free(bundle);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "hyp/dom/record.h"

#include "hyp/lib/hash.h"
#include "hyp/lib/string.h"
#include "hyp/lib/util.h"

#define PRIVILEGES (BUNDLE_PRIV_CONTROL | BUNDLE_PRIV_SERIAL2)

static bool all_zero(const void *p, size_t n)
{
    const uint8_t *b = p;

    while (n && !*b) {
        b++;
        n--;
    }
    return !n;
}

/* The checksum of a page with the 8 bytes at offset taken as zero. */
static uint64_t page_checksum(const void *page, size_t offset)
{
    static const uint8_t zero[8];
    const uint8_t *p = page;
    struct hash64 h;

    hash64_init(&h);
    hash64_update(&h, p, offset);
    hash64_update(&h, zero, sizeof(zero));
    hash64_update(&h, p + offset + sizeof(zero), BUNDLE_PAGE - offset - sizeof(zero));
    return hash64_final(&h);
}

void record_seal(struct bundle_domain *r)
{
    r->checksum = page_checksum(r, offsetof(struct bundle_domain, checksum));
}

bool record_name_valid(const char name[BUNDLE_NAME_SIZE])
{
    size_t n = strnlen(name, BUNDLE_NAME_SIZE);

    if (!n || n == BUNDLE_NAME_SIZE || !all_zero(name + n, BUNDLE_NAME_SIZE - n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return false;
    return true;
}

const char *record_check_header(const struct bundle_header *h, uint64_t size)
{
    if (size < sizeof(*h) || h->magic != BUNDLE_MAGIC)
        return "magic: not a bundle";
    if (h->version != BUNDLE_VERSION)
        return "version: not the one this hypervisor reads";
    if (page_checksum(h, offsetof(struct bundle_header, checksum)) != h->checksum)
        return "checksum: does not match";
    if (h->size % BUNDLE_PAGE || h->size > size)
        return "size: not that of the module";
    if (h->ndomains > BUNDLE_MAX_DOMAINS || (h->ndomains + 1ULL) * BUNDLE_PAGE > h->size)
        return "ndomains: too many";
    if (h->on_idle > BUNDLE_IDLE_POWEROFF)
        return "on_idle: unknown action";
    if (!record_name_valid(h->name))
        return "name: not a printable name";
    if (h->reserved0 || !all_zero(h->reserved, sizeof(h->reserved)))
        return "reserved: not zero";
    return NULL;
}

uint64_t record_low_ram(const struct bundle_domain *r)
{
    return MIN(r->memory_target, BUNDLE_RAM_HOLE);
}

uint64_t record_ram_gfn(const struct bundle_domain *r, uint64_t n)
{
    uint64_t low = record_low_ram(r) / BUNDLE_PAGE;

    return n < low ? n : GUEST_HIGH_RAM / BUNDLE_PAGE + n - low;
}

/* [start, start + n) lies within RAM, in one of its two parts; n > 0. */
static bool in_ram(const struct bundle_domain *r, uint64_t start, uint64_t n)
{
    uint64_t low = record_low_ram(r), high = r->memory_target - low;

    if (start < low)
        return n <= low - start;
    return start >= GUEST_HIGH_RAM && start - GUEST_HIGH_RAM < high &&
           n <= high - (start - GUEST_HIGH_RAM);
}

static const char *check_segment(const struct bundle_domain *r, const struct bundle_header *h,
                                 const struct bundle_segment *s)
{
    if (s->kind > BUNDLE_SEGMENT_MODULE)
        return "kind: unknown";
    if (s->reserved)
        return "reserved: not zero";
    if (!h && s->offset)
        return "offset: not zero";
    if (h && (s->offset % BUNDLE_PAGE || s->offset < (h->ndomains + 1ULL) * BUNDLE_PAGE ||
              s->offset > h->size))
        return "offset: outside the bundle's data";
    if (h && s->file_size > h->size - s->offset)
        return "file_size: more than the bundle has";
    if (!s->mem_size || s->mem_size < s->file_size)
        return "mem_size: less than file_size, or zero";
    if (s->gpa < BUNDLE_LOW_RESERVED)
        return "gpa: in the builder's memory";
    if (s->kind == BUNDLE_SEGMENT_MODULE && s->gpa % BUNDLE_PAGE)
        return "gpa: not page aligned";
    if (!in_ram(r, s->gpa, s->mem_size))
        return "gpa: not within the guest's memory";
    for (const struct bundle_segment *o = r->segments; o < s; o++)
        if (s->gpa < o->gpa + o->mem_size && o->gpa < s->gpa + s->mem_size)
            return "gpa: overlaps an earlier segment";
    return NULL;
}

static const char *check_segments(const struct bundle_domain *r, const struct bundle_header *h,
                                  uint32_t *segment)
{
    bool entry = false;

    if (!r->nsegments || r->nsegments > BUNDLE_MAX_SEGMENTS)
        return "nsegments: must be 1..16";
    for (uint32_t i = 0; i < r->nsegments; i++) {
        const struct bundle_segment *s = &r->segments[i];
        const char *wrong = check_segment(r, h, s);

        if (wrong) {
            *segment = i;
            return wrong;
        }
        if (s->kind == BUNDLE_SEGMENT_LOAD && r->entry >= s->gpa &&
            r->entry - s->gpa < s->file_size)
            entry = true;
    }
    if (!all_zero(r->segments + r->nsegments,
                  (BUNDLE_MAX_SEGMENTS - r->nsegments) * sizeof(r->segments[0])))
        return "segments: more than nsegments says";
    return entry ? NULL : "entry: not within what is loaded";
}

static const char *check_memory(const struct bundle_domain *r)
{
    if ((r->memory_max | r->memory_target | r->memory_min) % BUNDLE_PAGE)
        return "memory: not a multiple of 4096";
    if (r->memory_max > RECORD_MAX_MEMORY)
        return "memory_max: more than 8 TiB";
    if (r->memory_target > r->memory_max || r->memory_min > r->memory_target)
        return "memory: not min <= target <= max";
    if (r->memory_target <= BUNDLE_LOW_RESERVED)
        return "memory_target: too small";
    return NULL;
}

const char *record_check(const struct bundle_domain *r, const struct bundle_header *h,
                         uint32_t *segment)
{
    const char *wrong;

    *segment = RECORD_NO_SEGMENT;
    if (page_checksum(r, offsetof(struct bundle_domain, checksum)) != r->checksum)
        return "checksum: does not match";
    if (!record_name_valid(r->name))
        return "name: not a printable name";
    if (r->class > BUNDLE_CLASS_NET)
        return "class: unknown";
    if (!h && r->class != BUNDLE_CLASS_GUEST)
        return "class: not a guest";
    if (r->privileges & ~PRIVILEGES)
        return "privileges: unknown";
    if (r->privileges && r->class != BUNDLE_CLASS_CTL)
        return "privileges: for the control domain only";
    if (r->vault_pages && r->class == BUNDLE_CLASS_GUEST)
        return "vault_pages: not for guests";
    if (r->vault_pages > BUNDLE_VAULT_MAX)
        return "vault_pages: more than 64 MiB";
    if (!r->vcpus || r->vcpus > BUNDLE_MAX_VCPUS)
        return "vcpus: must be 1..64";
    if (!r->weight || r->weight > RECORD_MAX_WEIGHT)
        return "weight: must be 1..65535";
    if (r->cap > RECORD_MAX_CAP)
        return "cap: more than 64 CPUs";
    if (r->on_poweroff > BUNDLE_PRESERVE || r->on_reboot > BUNDLE_PRESERVE ||
        r->on_crash > BUNDLE_PRESERVE)
        return "on_poweroff, on_reboot, on_crash: unknown action";
    if (r->tsc_hz && (r->tsc_hz < RECORD_MIN_TSC || r->tsc_hz > RECORD_MAX_TSC))
        return "tsc_hz: must be 100 MHz..10 GHz";
    if (r->reserved0 || !all_zero(r->reserved, sizeof(r->reserved)))
        return "reserved: not zero";
    if (strnlen(r->cmdline, BUNDLE_CMDLINE_SIZE) == BUNDLE_CMDLINE_SIZE)
        return "cmdline: not terminated";
    wrong = check_memory(r);
    return wrong ? wrong : check_segments(r, h, segment);
}

const char *record_conflict(const struct bundle_domain *a, const struct bundle_domain *b)
{
    if (!strncmp(a->name, b->name, BUNDLE_NAME_SIZE))
        return "name";
    if (!memcmp(a->uuid, b->uuid, sizeof(a->uuid)) && !all_zero(a->uuid, sizeof(a->uuid)))
        return "uuid";
    return a->class == b->class && (a->class == BUNDLE_CLASS_CTL || a->class == BUNDLE_CLASS_XS)
               ? "class"
               : NULL;
}

/* Makes a range entry n, unless it is empty: the next entry's number. */
static uint32_t add_range(struct hvm_memmap_table_entry *map, uint32_t n, uint64_t addr,
                          uint64_t size, uint32_t type)
{
    map[n] = (struct hvm_memmap_table_entry){.addr = addr, .size = size, .type = type};
    return size ? n + 1 : n;
}

uint32_t record_memmap(const struct bundle_domain *r,
                       struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX])
{
    uint64_t low = record_low_ram(r), vault = (uint64_t)r->vault_pages * BUNDLE_PAGE;
    uint32_t n = add_range(map, 0, 0, low, XEN_HVM_MEMMAP_TYPE_RAM);

    n = add_range(map, n, BUNDLE_VAULT_START, vault, XEN_HVM_MEMMAP_TYPE_RESERVED);
    n = add_range(map, n, GUEST_ACPI_START, GUEST_ACPI_SIZE, XEN_HVM_MEMMAP_TYPE_ACPI);
    n = add_range(map, n, GUEST_SPECIAL_START, GUEST_SPECIAL_SIZE, XEN_HVM_MEMMAP_TYPE_RESERVED);
    return add_range(map, n, GUEST_HIGH_RAM, r->memory_target - low, XEN_HVM_MEMMAP_TYPE_RAM);
}

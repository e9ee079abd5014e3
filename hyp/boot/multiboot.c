/* SPDX-License-Identifier: MIT */
#include "hyp/boot/multiboot.h"

#include "hyp/lib/string.h"
#include "hyp/lib/util.h"

enum {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15,
};
#define MEMORY_AVAILABLE 1U
#define RSDP_OLD_SIZE    20U

struct header {
    uint32_t size, reserved;
};

struct tag {
    uint32_t type, size;
};

struct memory_map {
    struct tag tag;
    uint32_t entry_size, entry_version;
};

struct memory_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};

struct module {
    struct tag tag;
    uint32_t start, end;
};

static const char *read_memory_map(const struct memory_map *map, struct multiboot_info *out)
{
    const uint8_t *at = (const uint8_t *)(map + 1), *end = (const uint8_t *)map + map->tag.size;

    if (map->tag.size < sizeof(*map) || map->entry_size < sizeof(struct memory_entry))
        return "memory map entries are too small";
    for (; at + sizeof(struct memory_entry) <= end; at += map->entry_size) {
        struct memory_entry e;
        struct multiboot_region r;

        memcpy(&e, at, sizeof(e));
        if (e.type != MEMORY_AVAILABLE || e.base + e.length < e.base)
            continue;
        r.start = ROUND_UP(e.base, PAGE_SIZE);
        r.end = ROUND_DOWN(e.base + e.length, PAGE_SIZE);
        if (r.start >= r.end)
            continue;
        if (out->nram == MULTIBOOT_REGIONS)
            return "memory map has too many regions";
        out->ram[out->nram++] = r;
    }
    return NULL;
}

static const char *read_tag(const struct tag *tag, struct multiboot_info *out)
{
    const struct module *m = (const struct module *)tag;
    size_t n;

    switch (tag->type) {
    case TAG_CMDLINE:
        n = MIN(tag->size - sizeof(*tag), sizeof(out->cmdline) - 1);
        memcpy(out->cmdline, tag + 1, n);
        out->cmdline[n] = 0;
        return NULL;
    case TAG_MODULE:
        if (tag->size < sizeof(*m) || m->end < m->start || m->start % PAGE_SIZE)
            return "module tag is broken";
        if (!out->bundle.end)
            out->bundle = (struct multiboot_region){m->start, m->end};
        return NULL;
    case TAG_MEMORY_MAP:
        return read_memory_map((const struct memory_map *)tag, out);
    case TAG_ACPI_OLD:
        if (out->rsdp[0])
            return NULL; /* the newer one is better */
        /* fall through */
    case TAG_ACPI_NEW:
        n = tag->type == TAG_ACPI_OLD ? RSDP_OLD_SIZE : sizeof(out->rsdp);
        if (tag->size - sizeof(*tag) < n)
            return "ACPI tag is too small";
        memset(out->rsdp, 0, sizeof(out->rsdp));
        memcpy(out->rsdp, tag + 1, n);
        return NULL;
    default:
        return NULL;
    }
}

const char *multiboot_parse(uint32_t magic, const void *info, struct multiboot_info *out)
{
    const struct header *h = info;
    uint32_t at = sizeof(*h);
    const char *wrong;

    if (magic != MULTIBOOT_MAGIC)
        return "not started by a multiboot2 loader";
    *out = (struct multiboot_info){0};
    while (at <= h->size - sizeof(struct tag) && h->size >= sizeof(struct tag)) {
        const struct tag *tag = (const struct tag *)((const uint8_t *)info + at);

        if (tag->type == TAG_END)
            return out->nram ? NULL : "the loader gave no memory map";
        if (tag->size < sizeof(*tag) || tag->size > h->size - at)
            return "a tag is larger than the information";
        wrong = read_tag(tag, out);
        if (wrong)
            return wrong;
        at += ROUND_UP(tag->size, 8U);
    }
    return "no end tag";
}

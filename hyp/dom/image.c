/* SPDX-License-Identifier: MIT */
#include "hyp/dom/image.h"

#include "mm/arch.h"

#define ENTRIES (PAGE_SIZE / sizeof(void *))
#define TABLES  (ENTRIES - 5)
#define PAGES   (TABLES * ENTRIES)

/* A segment that came by call. */
struct image {
    struct list node; /* of those that are complete */
    uint64_t size, checksum;
    uint64_t refs; /* domains that have it */
    uint8_t **tables[TABLES];
};
_Static_assert(sizeof(struct image) == PAGE_SIZE, "an image is a page, its tables and their pages");

static struct list images = LIST_INIT(images);
static struct spinlock images_lock;

static hpa_t source;
static uint64_t source_size;

void image_bundle(hpa_t bundle, uint64_t size)
{
    source = bundle;
    source_size = size;
}

static uint64_t pages_of(const struct bundle_segment *s)
{
    return (s->file_size + PAGE_SIZE - 1) / PAGE_SIZE;
}

bool image_wanted(const struct bundle_domain *r)
{
    return r->on_poweroff == BUNDLE_RESTART || r->on_reboot == BUNDLE_RESTART ||
           r->on_crash == BUNDLE_RESTART;
}

bool image_fits(const struct bundle_domain *r)
{
    for (uint32_t i = 0; image_wanted(r) && i < r->nsegments; i++)
        if (pages_of(&r->segments[i]) > PAGES)
            return false;
    return true;
}

uint64_t image_cost(const struct bundle_domain *r)
{
    uint64_t cost = 0;

    for (uint32_t i = 0; image_wanted(r) && i < r->nsegments; i++) {
        uint64_t n = pages_of(&r->segments[i]);

        cost += n + n / ENTRIES + 2;
    }
    return cost;
}

static bool is_same(const struct bundle_segment *a, uint64_t size, uint64_t checksum)
{
    return a->file_size == size && a->checksum == checksum;
}

static struct image *find_kept(const struct bundle_segment *s)
{
    struct list *at;
    spin_guard(held, &images_lock);

    list_for_each(at, &images) {
        struct image *i = list_entry(at, struct image, node);

        if (is_same(s, i->size, i->checksum)) {
            i->refs++;
            return i;
        }
    }
    return NULL;
}

/* Of a record in the bundle, which boot may have refused. */
static uint64_t find_in(const struct bundle_domain *r, const struct bundle_segment *s)
{
    for (uint32_t i = 0; i < MIN(r->nsegments, BUNDLE_MAX_SEGMENTS); i++) {
        const struct bundle_segment *have = &r->segments[i];

        if (is_same(s, have->file_size, have->checksum) && !(have->offset % PAGE_SIZE) &&
            have->offset < source_size && have->file_size <= source_size - have->offset)
            return have->offset;
    }
    return 0;
}

static void *map_bundle(uint64_t offset)
{
    return arch_slot_map(hpa_to_hfn(mk_hpa(source.val + offset)));
}

static uint64_t find_in_bundle(const struct bundle_segment *s)
{
    uint64_t offset = 0, at = PAGE_SIZE;
    struct bundle_header *h = map_bundle(0);
    uint32_t n = h->ndomains;

    arch_slot_unmap(h);
    for (; !offset && n-- && at < source_size; at += PAGE_SIZE) {
        struct bundle_domain *r = map_bundle(at);

        offset = find_in(r, s);
        arch_slot_unmap(r);
    }
    return offset;
}

bool image_find(struct domain *d, uint32_t segment)
{
    struct bundle_segment *s = &d->record->segments[segment];

    if (!s->offset && !d->images[segment])
        d->images[segment] = find_kept(s);
    if (!s->offset && !d->images[segment])
        s->offset = find_in_bundle(s);
    return s->offset || d->images[segment];
}

/* A page that a table has at i; made if it is to be and is not yet. */
static void *entry(void *table, uint64_t i, bool make)
{
    void **entries = table;

    if (!entries[i] && make)
        entries[i] = hyp_alloc(0);
    return entries[i];
}

static uint8_t *page_at(struct image *i, uint64_t at, bool make)
{
    uint64_t n = at / PAGE_SIZE;
    void *table = entry(i->tables, n / ENTRIES, make);
    uint8_t *page = table ? entry(table, n % ENTRIES, make) : NULL;

    return page ? page + at % PAGE_SIZE : NULL;
}

uint8_t *image_map(const struct domain *d, uint32_t segment, uint64_t at, uint8_t **window)
{
    *window = NULL;
    if (d->images[segment])
        return page_at(d->images[segment], at, false);
    return *window = map_bundle(d->record->segments[segment].offset + at);
}

uint8_t *image_keep(struct domain *d, uint32_t segment, uint64_t at)
{
    struct image *i = d->images[segment];

    if (!i) {
        i = d->images[segment] = hyp_alloc(0);
        if (!i)
            return NULL;
        list_init(&i->node);
        i->refs = 1;
    }
    return page_at(i, at, true);
}

void image_complete(struct domain *d, uint32_t segment)
{
    struct image *i = d->images[segment];

    if (!i)
        return;
    i->size = d->record->segments[segment].file_size;
    i->checksum = d->record->segments[segment].checksum;
    spin_guard(held, &images_lock);
    list_add_tail(&images, &i->node);
}

/* True: i is nobody's any more. */
static bool let_go(struct image *i)
{
    spin_guard(held, &images_lock);

    if (i->refs > 1) {
        i->refs--;
        return false;
    }
    list_del(&i->node);
    return true;
}

/* False: the budget is used up. */
static bool free_pages(struct image *i, unsigned *budget)
{
    for (unsigned t = 0; t < TABLES; t++) {
        uint8_t **table = i->tables[t];

        for (uint64_t k = 0; table && k < ENTRIES; k++) {
            if (!table[k])
                continue;
            if (!*budget)
                return false;
            --*budget;
            hyp_free(table[k], 0);
            table[k] = NULL;
        }
        if (table)
            hyp_free(table, 0);
        i->tables[t] = NULL;
    }
    hyp_free(i, 0);
    return true;
}

bool image_free_slice(struct domain *d, unsigned budget)
{
    for (uint32_t s = 0; s < BUNDLE_MAX_SEGMENTS; s++) {
        struct image *i = d->images[s];

        if (i && let_go(i) && !free_pages(i, &budget))
            return false;
        d->images[s] = NULL;
    }
    return true;
}

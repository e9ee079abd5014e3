/* SPDX-License-Identifier: MIT */
/*
 * The segments of a domain that was made by call, kept for when it starts again: the pages of one
 * segment behind those of another, found through a root of tables.
 */
#include "hyp/dom/image.h"

#define ENTRIES (PAGE_SIZE / sizeof(void *))

static uint64_t pages_before(const struct bundle_domain *r, uint32_t segment)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < segment; i++)
        n += (r->segments[i].file_size + PAGE_SIZE - 1) / PAGE_SIZE;
    return n;
}

bool image_wanted(const struct bundle_domain *r)
{
    return r->on_poweroff == BUNDLE_RESTART || r->on_reboot == BUNDLE_RESTART ||
           r->on_crash == BUNDLE_RESTART;
}

bool image_fits(const struct bundle_domain *r)
{
    return !image_wanted(r) || pages_before(r, r->nsegments) <= ENTRIES * ENTRIES;
}

uint64_t image_cost(const struct bundle_domain *r)
{
    uint64_t n = pages_before(r, r->nsegments);

    return image_wanted(r) ? n + n / ENTRIES + 2 : 0;
}

/* What a table has at i; made if it is to be and is not yet. */
static void *entry(void **table, uint64_t i, bool make)
{
    if (!table[i] && make)
        table[i] = hyp_alloc(0);
    return table[i];
}

uint8_t *image_at(struct domain *d, uint32_t segment, uint64_t at, bool make)
{
    uint64_t n = pages_before(d->record, segment) + at / PAGE_SIZE;
    void **root = entry((void **)&d->image, 0, make);
    void **table = root ? entry(root, n / ENTRIES, make) : NULL;
    uint8_t *page = table ? entry(table, n % ENTRIES, make) : NULL;

    return page ? page + at % PAGE_SIZE : NULL;
}

bool image_free_slice(struct domain *d, unsigned budget)
{
    for (uint64_t i = 0; d->image && i < ENTRIES; i++) {
        void **table = d->image[i];

        for (uint64_t k = 0; table && k < ENTRIES; k++) {
            if (!table[k])
                continue;
            if (!budget--)
                return false;
            hyp_free(table[k], 0);
            table[k] = NULL;
        }
        if (table)
            hyp_free(table, 0);
        d->image[i] = NULL;
    }
    if (d->image)
        hyp_free(d->image, 0);
    d->image = NULL;
    return true;
}

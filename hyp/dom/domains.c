/* SPDX-License-Identifier: MIT */
/* The bundle that the loader left in memory: its records are copied, its segments stay where they
 * are. */
#include <xen/errno.h>
#include "hyp/dom/domain.h"
#include "hyp/dom/image.h"
#include "hyp/dom/record.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"

#define FIRMWARE_SHARE (16UL << 20) /* of the machine's memory, at most */

char domains_host[BUNDLE_NAME_SIZE];

/* Page n of the bundle, copied; NULL: no memory. */
static void *copy_page(hpa_t bundle, uint64_t n)
{
    void *page = hyp_alloc(0), *window;

    if (!page)
        return NULL;
    window = arch_slot_map(hfn_add(hpa_to_hfn(bundle), n));
    memcpy(page, window, PAGE_SIZE);
    arch_slot_unmap(window);
    return page;
}

/* Says what is wrong with record n. Its name, if it has one that can be printed, is in quotes. */
static void refuse(const struct bundle_domain *r, uint32_t n, uint32_t segment, const char *why)
{
    char name[BUNDLE_NAME_SIZE];

    memcpy(name, r->name, sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (char *c = name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    if (segment == RECORD_NO_SEGMENT)
        log_line("bundle: domain %u \"%s\" is not started: %s", n, name, why);
    else
        log_line("bundle: domain %u \"%s\" is not started: segment %u: %s", n, name, segment, why);
}

static bool conflicts(struct bundle_domain *const *records, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const char *what = records[i] ? record_conflict(records[i], records[n]) : NULL;

        if (what) {
            log_line("bundle: domain %u \"%s\" is not started: %s: domain %u has the same", n,
                     records[n]->name, what, i);
            return true;
        }
    }
    return false;
}

/* The valid records; NULL for others. */
static void read_records(hpa_t bundle, const struct bundle_header *h,
                         struct bundle_domain *records[BUNDLE_MAX_DOMAINS])
{
    for (uint32_t i = 0; i < h->ndomains; i++) {
        uint32_t segment;
        const char *wrong;

        records[i] = copy_page(bundle, i + 1);
        if (!records[i]) {
            log_line("bundle: no memory for the record of domain %u", i);
            return;
        }
        wrong = record_check(records[i], h, &segment);
        if (wrong)
            refuse(records[i], i, segment, wrong);
        if (wrong || conflicts(records, i)) {
            hyp_free(records[i], 0);
            records[i] = NULL;
        }
    }
}

/* Infrastructure first: a guest's console needs to know the control domain. */
static void create(struct bundle_domain *const *records, uint32_t n, bool guests)
{
    struct domain *d;

    for (uint32_t i = 0; i < n; i++)
        if (records[i] && (records[i]->class == BUNDLE_CLASS_GUEST) == guests &&
            !domain_create(records[i], 0, false, &d))
            domain_build(d);
}

static void start(hpa_t bundle, const struct bundle_header *h)
{
    static struct bundle_domain *records[BUNDLE_MAX_DOMAINS];
    struct mem_stats m = mem_stats();

    log_line("bundle \"%s\": %u domain(s), %lu KiB", h->name, h->ndomains, h->size >> 10);
    if (m.total * PAGE_SIZE + FIRMWARE_SHARE < h->memory)
        log_line("bundle: memory: the host should have %lu MiB and has %lu MiB", h->memory >> 20,
                 m.total * PAGE_SIZE >> 20);
    domain_power_off_when_idle = h->on_idle == BUNDLE_IDLE_POWEROFF;
    memcpy(domains_host, h->name, sizeof(domains_host));
    image_bundle(bundle, h->size);
    read_records(bundle, h, records);
    log_line("mem: %lu frames free", mem_stats().free);
    create(records, h->ndomains, false);
    create(records, h->ndomains, true);
    for (uint32_t i = 0; i < h->ndomains; i++)
        if (records[i])
            hyp_free(records[i], 0);
    domain_idle_check();
}

void domains_boot(hpa_t bundle, uint64_t size)
{
    struct bundle_header *h = size >= PAGE_SIZE ? copy_page(bundle, 0) : NULL;
    const char *wrong;

    sched_init(ncpus);
    if (!h) {
        log_line("bundle: shorter than its header");
        return;
    }
    wrong = record_check_header(h, size);
    if (wrong)
        log_line("bundle: nothing is started: %s", wrong);
    else
        start(bundle, h);
    hyp_free(h, 0);
}

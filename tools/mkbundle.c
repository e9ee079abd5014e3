/* SPDX-License-Identifier: MIT */
#include "tools/mkbundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "tools/mkdomain.h"

struct writer {
    uint8_t *data;
    size_t size;
};

/* n bytes at the next page: their offset. 0: no memory. */
static uint64_t append(struct writer *w, const void *p, size_t n)
{
    size_t at = w->size, end = (at + n + BUNDLE_PAGE - 1) & ~(size_t)(BUNDLE_PAGE - 1);
    uint8_t *data = realloc(w->data, end);

    if (!data)
        return 0;
    memset(data + at, 0, end - at);
    memcpy(data + at, p, n);
    w->data = data;
    w->size = end;
    return at;
}

static const char *add_domain(struct writer *w, struct bundle_domain *r, const struct hostcfg *h,
                              const struct domcfg *d)
{
    struct mkdomain m;
    const char *wrong = mkdomain(&m, h->name, d);

    *r = m.record;
    for (uint32_t i = 0; i < r->nsegments && !wrong; i++) {
        r->segments[i].offset = append(w, m.data[i], r->segments[i].file_size);
        wrong = r->segments[i].offset ? NULL : "out of memory";
    }
    mkdomain_free(&m);
    return wrong;
}

/* A domain of ours, whose file the option names: it comes back whatever ends it. */
static const char *add_ours(struct writer *w, struct bundle_domain *r, const struct hostcfg *h,
                            const char *name, uint64_t memory, const char *option, const char *path)
{
    struct domcfg d = {.memory = memory,
                       .current = memory,
                       .minimum = memory,
                       .vcpus = 1,
                       .weight = 1024,
                       .affinity = h->control_affinity,
                       .kernel = (char *)(uintptr_t)path,
                       .kernel_at.file = option,
                       .memory_at.file = option,
                       .on_poweroff = ACTION_RESTART,
                       .on_reboot = ACTION_RESTART,
                       .on_crash = ACTION_RESTART};

    snprintf(d.name, sizeof(d.name), "%s", name);
    return add_domain(w, r, h, &d);
}

/* And the store, if there is to be one. */
static const char *add_control(struct writer *w, struct bundle_domain *r, const struct hostcfg *h,
                               const struct bundle_ours *ours)
{
    const char *wrong = add_ours(w, &r[0], h, "ctl", DOMCFG_CTL_MEMORY, "--control", ours->control);

    r[0].class = BUNDLE_CLASS_CTL;
    r[0].privileges = BUNDLE_PRIV_CONTROL | BUNDLE_PRIV_SERIAL2;
    if (wrong || !ours->store)
        return wrong;
    wrong = add_ours(w, &r[1], h, "xs", DOMCFG_XS_MEMORY, "--store", ours->store);
    r[1].class = BUNDLE_CLASS_XS;
    r[1].vault_pages = DOMCFG_XS_VAULT / BUNDLE_PAGE;
    return wrong;
}

static void finish(struct writer *w, const struct hostcfg *h, struct bundle_domain *records,
                   uint32_t n)
{
    struct bundle_header header = {.magic = BUNDLE_MAGIC,
                                   .version = BUNDLE_VERSION,
                                   .ndomains = n,
                                   .size = w->size,
                                   .memory = h->memory,
                                   .on_idle = h->poweroff_when_idle ? BUNDLE_IDLE_POWEROFF
                                                                    : BUNDLE_IDLE_STAY};

    memcpy(header.name, h->name, sizeof(header.name));
    header.checksum = XXH64(&header, sizeof(header), 0);
    memcpy(w->data, &header, sizeof(header));
    for (uint32_t i = 0; i < n; i++)
        mkdomain_seal(&records[i]);
    memcpy(w->data + BUNDLE_PAGE, records, n * sizeof(*records));
}

const char *bundle_make(const struct hostcfg *h, const struct bundle_ours *ours,
                        void (*progress)(const char *name), uint8_t **out, size_t *size)
{
    uint32_t at = !h->control ? 0 : ours->store ? 2 : 1, n = h->ndomains + at;
    struct bundle_domain *records = calloc(n + 1, sizeof(*records));
    struct writer w = {calloc(n + 1, BUNDLE_PAGE), (n + 1UL) * BUNDLE_PAGE};
    const char *wrong = records && w.data ? NULL : "out of memory";

    if (!wrong && h->control)
        wrong = add_control(&w, records, h, ours);
    for (uint32_t i = 0; i < h->ndomains && !wrong; i++) {
        if (progress)
            progress(h->domains[i].name);
        wrong = add_domain(&w, &records[at++], h, &h->domains[i]);
    }
    if (!wrong)
        finish(&w, h, records, n);
    free(records);
    if (wrong) {
        free(w.data);
        return wrong;
    }
    *out = w.data;
    *size = w.size;
    return NULL;
}

/* SPDX-License-Identifier: MIT */
#include "tools/mkbundle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "hyp/abi/bundle.h"
#include "tools/file.h"
#include "tools/kernel.h"

#define INITRD_ALIGN (2UL << 20)
#define CTL_MEMORY   (4UL << 20)

static char error[DOMCFG_ERROR_SIZE];

struct writer {
    uint8_t *data;
    size_t size;
};

static const char *fail(const struct place *at, const char *element, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static const char *fail(const struct place *at, const char *element, const char *fmt, ...)
{
    int n = snprintf(error, sizeof(error), "%s:%ld: <%s>: ", at->file, at->line, element);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(error + n, sizeof(error) - (size_t)n, fmt, ap);
    va_end(ap);
    hostcfg_one_line(error);
    return error;
}

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

static const char *add_segment(struct writer *w, struct bundle_domain *r, uint32_t kind,
                               const void *p, size_t n, uint64_t mem_size, uint64_t gpa)
{
    struct bundle_segment *s = &r->segments[r->nsegments++];

    s->kind = kind;
    s->file_size = n;
    s->mem_size = mem_size;
    s->gpa = gpa;
    s->checksum = XXH64(p, n, 0);
    s->offset = append(w, p, n);
    return s->offset ? NULL : "out of memory";
}

static const char *add_kernel(struct writer *w, struct bundle_domain *r, const struct kernel *k)
{
    const char *wrong = NULL;

    r->entry = k->entry;
    for (uint32_t i = 0; i < k->nsegments && !wrong; i++)
        wrong = add_segment(w, r, BUNDLE_SEGMENT_LOAD, k->image + k->segments[i].offset,
                            k->segments[i].file_size, k->segments[i].mem_size, k->segments[i].gpa);
    return wrong;
}

static uint64_t low_memory(const struct domcfg *d)
{
    return d->current < BUNDLE_RAM_HOLE ? d->current : BUNDLE_RAM_HOLE;
}

static const char *add_initrd(struct writer *w, struct bundle_domain *r, const struct domcfg *d,
                              uint64_t end)
{
    const char *wrong = NULL;
    uint64_t gpa = (end + INITRD_ALIGN - 1) & ~(INITRD_ALIGN - 1);
    size_t n = 0;
    uint8_t *file;

    if (!d->initrd)
        return NULL;
    file = file_read(d->initrd, &n);
    if (!file)
        return fail(&d->initrd_at, "initrd", "%s: %s", d->initrd, strerror(errno));
    if (!n)
        wrong = fail(&d->initrd_at, "initrd", "%s: empty", d->initrd);
    else if (gpa + n > low_memory(d))
        wrong = fail(&d->memory_at, "memory",
                     "kernel and initrd need %lu MiB at least, the domain starts with %lu MiB",
                     ((gpa + n) >> 20) + 1, d->current >> 20);
    else
        wrong = add_segment(w, r, BUNDLE_SEGMENT_MODULE, file, n, n, gpa);
    free(file);
    return wrong;
}

static const char *add_files(struct writer *w, struct bundle_domain *r, const struct domcfg *d)
{
    struct kernel k = {0};
    const char *wrong;
    size_t n = 0;
    uint8_t *file = file_read(d->kernel, &n);

    if (!file)
        return fail(&d->kernel_at, "kernel", "%s: %s", d->kernel, strerror(errno));
    wrong = kernel_read(&k, file, n);
    free(file);
    if (wrong)
        wrong = fail(&d->kernel_at, "kernel", "%s: %s", d->kernel, wrong);
    else if (k.end > low_memory(d))
        wrong = fail(&d->memory_at, "memory",
                     "the kernel needs %lu MiB at least, the domain starts with %lu MiB",
                     (k.end >> 20) + 1, d->current >> 20);
    else
        wrong = add_kernel(w, r, &k);
    if (!wrong)
        wrong = add_initrd(w, r, d, k.end);
    kernel_free(&k);
    return wrong;
}

/* The same host and domain names give the same UUID: an image can be made again. */
static void make_uuid(uint8_t uuid[16], const char *host, const char *name)
{
    uint64_t half[2] = {XXH64(name, strlen(name), XXH64(host, strlen(host), 1)),
                        XXH64(name, strlen(name), XXH64(host, strlen(host), 2))};

    memcpy(uuid, half, 16);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80); /* version 8, RFC 9562 */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static const char *make_record(struct writer *w, struct bundle_domain *r, const struct hostcfg *h,
                               const struct domcfg *d)
{
    memcpy(r->name, d->name, sizeof(r->name));
    if (d->has_uuid)
        memcpy(r->uuid, d->uuid, sizeof(r->uuid));
    else
        make_uuid(r->uuid, h->name, d->name);
    r->vcpus = d->vcpus;
    r->weight = d->weight;
    r->cap = d->cap;
    r->affinity = d->affinity;
    r->memory_max = d->memory;
    r->memory_target = d->current;
    r->memory_min = d->minimum;
    r->on_poweroff = (uint8_t)d->on_poweroff;
    r->on_reboot = (uint8_t)d->on_reboot;
    r->on_crash = (uint8_t)d->on_crash;
    memcpy(r->cmdline, d->cmdline, sizeof(r->cmdline));
    return add_files(w, r, d);
}

/* The control domain comes back whatever ends it. */
static const char *make_control(struct writer *w, struct bundle_domain *r, const struct hostcfg *h,
                                const char *path)
{
    struct domcfg d = {.name = "ctl",
                       .memory = CTL_MEMORY,
                       .current = CTL_MEMORY,
                       .minimum = CTL_MEMORY,
                       .vcpus = 1,
                       .weight = 1024,
                       .affinity = h->control_affinity,
                       .kernel = (char *)(uintptr_t)path,
                       .on_poweroff = ACTION_RESTART,
                       .on_reboot = ACTION_RESTART,
                       .on_crash = ACTION_RESTART};

    snprintf(d.kernel_at.file, sizeof(d.kernel_at.file), "%s", h->memory_at.file);
    d.kernel_at.line = h->memory_at.line;
    r->class = BUNDLE_CLASS_CTL;
    r->privileges = BUNDLE_PRIV_CONTROL | BUNDLE_PRIV_SERIAL2;
    return make_record(w, r, h, &d);
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
        records[i].checksum = XXH64(&records[i], sizeof(records[i]), 0);
    memcpy(w->data + BUNDLE_PAGE, records, n * sizeof(*records));
}

const char *bundle_make(const struct hostcfg *h, const char *control,
                        void (*progress)(const char *name), uint8_t **out, size_t *size)
{
    uint32_t n = h->ndomains + h->control, at = 0;
    struct bundle_domain *records = calloc(n + 1, sizeof(*records));
    struct writer w = {calloc(n + 1, BUNDLE_PAGE), (n + 1UL) * BUNDLE_PAGE};
    const char *wrong = records && w.data ? NULL : "out of memory";

    if (!wrong && h->control)
        wrong = make_control(&w, &records[at++], h, control);
    for (uint32_t i = 0; i < h->ndomains && !wrong; i++) {
        if (progress)
            progress(h->domains[i].name);
        wrong = make_record(&w, &records[at++], h, &h->domains[i]);
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

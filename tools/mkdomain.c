/* SPDX-License-Identifier: MIT */
#include "tools/mkdomain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include "tools/file.h"

#define INITRD_ALIGN (2UL << 20)

static char error[DOMCFG_ERROR_SIZE];

/* at is an option of bl if it has no line. */
static const char *fail(const struct place *at, const char *element, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static const char *fail(const struct place *at, const char *element, const char *fmt, ...)
{
    int n = at->line ? snprintf(error, sizeof(error), "%s:%ld: <%s>: ", at->file, at->line, element)
                     : snprintf(error, sizeof(error), "%s: ", at->file);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(error + n, sizeof(error) - (size_t)n, fmt, ap);
    va_end(ap);
    hostcfg_one_line(error);
    return error;
}

static void add_segment(struct mkdomain *m, uint32_t kind, const uint8_t *p, size_t n,
                        uint64_t mem_size, uint64_t gpa)
{
    struct bundle_segment *s = &m->record.segments[m->record.nsegments];

    s->kind = kind;
    s->file_size = n;
    s->mem_size = mem_size;
    s->gpa = gpa;
    s->checksum = XXH64(p, n, 0);
    m->data[m->record.nsegments++] = p;
}

static uint64_t low_memory(const struct domcfg *d)
{
    return d->current < BUNDLE_RAM_HOLE ? d->current : BUNDLE_RAM_HOLE;
}

static const char *add_initrd(struct mkdomain *m, const struct domcfg *d)
{
    uint64_t gpa = (m->kernel.end + INITRD_ALIGN - 1) & ~(INITRD_ALIGN - 1);
    size_t n = 0;

    if (!d->initrd)
        return NULL;
    m->initrd = file_read(d->initrd, &n);
    if (!m->initrd)
        return fail(&d->initrd_at, "initrd", "%s: %s", d->initrd, file_error());
    if (!n)
        return fail(&d->initrd_at, "initrd", "%s: empty", d->initrd);
    if (gpa + n > low_memory(d))
        return fail(&d->memory_at, "memory",
                    "kernel and initrd need %lu MiB at least, the domain starts with %lu MiB",
                    ((gpa + n) >> 20) + 1, d->current >> 20);
    add_segment(m, BUNDLE_SEGMENT_MODULE, m->initrd, n, n, gpa);
    return NULL;
}

static const char *add_kernel(struct mkdomain *m, const struct domcfg *d)
{
    struct kernel *k = &m->kernel;
    const char *wrong;
    size_t n = 0;
    uint8_t *file = file_read(d->kernel, &n);

    if (!file)
        return fail(&d->kernel_at, "kernel", "%s: %s", d->kernel, file_error());
    wrong = kernel_read(k, file, n);
    free(file);
    if (wrong)
        return fail(&d->kernel_at, "kernel", "%s: %s", d->kernel, wrong);
    if (k->end > low_memory(d))
        return fail(&d->memory_at, "memory",
                    "the kernel needs %lu MiB at least, the domain starts with %lu MiB",
                    (k->end >> 20) + 1, d->current >> 20);
    m->record.entry = k->entry;
    for (uint32_t i = 0; i < k->nsegments; i++)
        add_segment(m, BUNDLE_SEGMENT_LOAD, k->image + k->segments[i].offset,
                    k->segments[i].file_size, k->segments[i].mem_size, k->segments[i].gpa);
    return NULL;
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

const char *mkdomain(struct mkdomain *m, const char *host, const struct domcfg *d)
{
    struct bundle_domain *r = &m->record;
    const char *wrong;

    memset(m, 0, sizeof(*m));
    memcpy(r->name, d->name, sizeof(r->name));
    if (d->has_uuid)
        memcpy(r->uuid, d->uuid, sizeof(r->uuid));
    else
        make_uuid(r->uuid, host, d->name);
    r->vcpus = d->vcpus;
    r->weight = d->weight;
    r->cap = d->cap;
    r->affinity = d->affinity;
    r->tsc_hz = d->tsc_hz;
    r->memory_max = d->memory;
    r->memory_target = d->current;
    r->memory_min = d->minimum;
    r->on_poweroff = (uint8_t)d->on_poweroff;
    r->on_reboot = (uint8_t)d->on_reboot;
    r->on_crash = (uint8_t)d->on_crash;
    memcpy(r->cmdline, d->cmdline, sizeof(r->cmdline));
    wrong = add_kernel(m, d);
    return wrong ? wrong : add_initrd(m, d);
}

void mkdomain_free(struct mkdomain *m)
{
    kernel_free(&m->kernel);
    free(m->initrd);
}

void mkdomain_seal(struct bundle_domain *record)
{
    record->checksum = 0;
    record->checksum = XXH64(record, sizeof(*record), 0);
}

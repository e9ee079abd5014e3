/* SPDX-License-Identifier: MIT */
/*
 * Host files: text for host.xml, and behind a zero byte text for guest.xml, which it may include.
 * No other file lies beside them. What is accepted keeps the rules, and its bundle passes the
 * hypervisor's check; what is refused is refused with one line, and not by the schema alone.
 */
#define _GNU_SOURCE
#include "tests/fuzz/fuzz.h"

#include <unistd.h>
#include "hyp/abi/bundle.h"
#include "hyp/dom/record.h"
#include "tests/unit/kernels.h"
#include "tools/file.h"
#include "tools/mkbundle.h"

#define MIB (1UL << 20)

#define DIRECTORY "/tmp/fuzz-xml-XXXXXX"

static char directory[] = DIRECTORY, kernel_path[] = DIRECTORY "/kernel",
            host_path[] = DIRECTORY "/host.xml", guest_path[] = DIRECTORY "/guest.xml";

static void clean(void)
{
    unlink(kernel_path);
    unlink(host_path);
    unlink(guest_path);
    rmdir(directory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static uint8_t elf[8192];
    const struct elf_plan plan = ELF_GOOD;

    (void)argc;
    (void)argv;
    MUST(mkdtemp(directory));
    memcpy(kernel_path, directory, strlen(directory));
    memcpy(host_path, directory, strlen(directory));
    memcpy(guest_path, directory, strlen(directory));
    MUST(file_write(kernel_path, elf, kernels_elf(elf, &plan)));
    atexit(clean);
    return 0;
}

static void check_name(const char *name)
{
    MUST(*name && strlen(name) < 64);
    for (; *name; name++)
        MUST(*name > ' ' && *name <= '~' && !strchr("/[]\"", *name));
}

static void check_domain(const struct domcfg *d)
{
    check_name(d->name);
    MUST(d->minimum <= d->current && d->current <= d->memory && d->current >= MIB);
    MUST(d->memory <= 8UL << 40 && !((d->memory | d->current | d->minimum) % 4096) && d->minimum);
    MUST(d->vcpus >= 1 && d->vcpus <= 64 && d->weight >= 1 && d->weight <= 65535 && d->cap <= 6400);
    MUST(!d->tsc_hz || (d->tsc_hz >= 100000000 && d->tsc_hz <= 10000000000));
    MUST(memchr(d->cmdline, 0, sizeof(d->cmdline)) && d->kernel && *d->kernel);
    MUST(d->on_poweroff <= ACTION_PRESERVE && d->on_reboot <= ACTION_PRESERVE &&
         d->on_crash <= ACTION_PRESERVE);
}

static void check_host(const struct hostcfg *h)
{
    uint64_t sum = h->control ? 4 * MIB : 0;

    check_name(h->name);
    MUST(h->ndomains <= DOMCFG_MAX_DOMAINS && (h->ndomains || h->control));
    for (uint32_t i = 0; i < h->ndomains; i++) {
        const struct domcfg *d = &h->domains[i];

        check_domain(d);
        sum += d->current;
        MUST(!h->control || (strcmp(d->name, "ctl") && strcmp(d->name, "xs")));
        for (uint32_t k = 0; k < i; k++) {
            MUST(strcmp(d->name, h->domains[k].name));
            MUST(!d->has_uuid || !h->domains[k].has_uuid ||
                 memcmp(d->uuid, h->domains[k].uuid, 16));
        }
    }
    MUST(sum + 8 * MIB <= h->memory);
}

/* The same kernel for all: what the tools write the hypervisor takes. */
static void check_bundle(struct hostcfg *h)
{
    const struct bundle_domain *r;
    uint8_t *bundle = NULL;
    size_t size = 0;
    uint32_t segment;

    for (uint32_t i = 0; i < h->ndomains; i++) {
        struct domcfg *d = &h->domains[i];

        free(d->kernel);
        free(d->initrd);
        d->kernel = strdup(kernel_path);
        d->initrd = NULL;
        if (d->current < 4 * MIB)
            return;
    }
    MUST(!bundle_make(h, &(struct bundle_ours){kernel_path, NULL}, NULL, &bundle, &size));
    MUST(!record_check_header((const void *)bundle, size));
    r = (const void *)(bundle + BUNDLE_PAGE);
    for (uint32_t i = 0; i < h->ndomains + h->control; i++) {
        MUST(!record_check(&r[i], (const void *)bundle, &segment));
        for (uint32_t k = 0; k < i; k++)
            MUST(!record_conflict(&r[i], &r[k]));
    }
    free(bundle);
}

/* FILE:LINE: <ELEMENT>: and then so; what the input says may look like that, too. */
static bool is_by_schema(const char *wrong, const char *path)
{
    int end = 0;

    if (!strncmp(wrong, path, strlen(path)))
        sscanf(wrong + strlen(path), ":%*d: <%*[^> ]>: not valid by%n", &end);
    return end;
}

/* What the schema does not allow a rule knew before, and could say what would be right. */
static void check_message(const char *wrong)
{
    MUST(*wrong && strlen(wrong) < DOMCFG_ERROR_SIZE && !strchr(wrong, '\n'));
    MUST(!is_by_schema(wrong, host_path) && !is_by_schema(wrong, guest_path));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *second = n ? memchr(data, 0, n) : NULL;
    size_t first = second ? (size_t)(second - data) : n;
    const char *wrong;
    struct hostcfg h;

    MUST(file_write(host_path, data, first));
    if (second)
        MUST(file_write(guest_path, second + 1, n - first - 1));
    else
        unlink(guest_path);
    wrong = hostcfg_read(&h, host_path);
    if (wrong) {
        check_message(wrong);
    } else {
        check_host(&h);
        check_bundle(&h);
    }
    hostcfg_free(&h);
    return 0;
}

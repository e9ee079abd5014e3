/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <lz4.h>
#include <stdio.h>
#include <string.h>
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/client.h"
#include "tools/corefile.h"
#include "tools/domlist.h"
#include "tools/file.h"
#include "tools/host.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

static struct corefile core;

/* The page at the start of n packed bytes: how many of them it was; 0: the host breaks the rules.
 */
static size_t unpack(const uint8_t *packed, size_t n, uint64_t *gfn, uint8_t page[COREFILE_PAGE])
{
    const char *data = (const char *)packed + sizeof(struct bh_page);
    struct bh_page head;

    if (n < sizeof(head))
        return 0;
    memcpy(&head, packed, sizeof(head));
    if (head.size > COREFILE_PAGE || head.size > n - sizeof(head) || head.gfn < *gfn)
        return 0;
    *gfn = head.gfn;
    memset(page, 0, COREFILE_PAGE);
    if (head.size == COREFILE_PAGE)
        memcpy(page, data, COREFILE_PAGE);
    else if (head.size && LZ4_decompress_safe(data, (char *)page, (int)head.size, COREFILE_PAGE) !=
                              (int)COREFILE_PAGE)
        return 0;
    return sizeof(head) + head.size;
}

/* Pages from *gfn on, which goes on with them. */
static int write_pages(const uint8_t *packed, size_t n, uint64_t *gfn, uint64_t *done)
{
    uint8_t page[COREFILE_PAGE];

    while (n) {
        size_t used = unpack(packed, n, gfn, page);

        if (!used)
            host_nonsense();
        if (!corefile_page(&core, (*gfn)++, page))
            return bl_fail("the core file: %s", strerror(errno));
        packed += used;
        n -= used;
        progress_at(*done += sizeof(page));
    }
    return EXIT_OK;
}

static int read_memory(const struct bh_domain_info *d)
{
    static uint8_t packed[BH_REQUEST_BUFFER];
    uint64_t done = 0, gfn = 0;
    int rc = EXIT_OK;

    while (!rc && !interrupt_came()) {
        struct bh_control args = {.domid = d->domid, .a = gfn, .size = sizeof(packed)};

        rc = host_try(BH_CTL_READ_MEMORY, &args, NULL, 0, packed, sizeof(packed));
        if (rc == -XEN_ENOENT)
            return EXIT_OK;
        if (rc == CLIENT_LOST)
            return bl_fail("the connection to the host is lost; try again");
        if (rc)
            return host_refused(d->name, "read its memory", rc);
        if (!args.size || args.size > sizeof(packed))
            host_nonsense();
        rc = write_pages(packed, args.size, &gfn, &done);
    }
    return rc ? rc : bl_fail("%s: interrupted; there is no core file", d->name);
}

static int read_vcpus(const struct bh_domain_info *d)
{
    for (uint32_t i = 0; i < d->vcpus; i++) {
        struct bh_vcpu_context r = {0};
        struct bh_control args = {.domid = d->domid, .vcpu = i, .size = sizeof(r)};
        int rc = host_try(BH_CONTROL_context, &args, NULL, 0, &r, sizeof(r));

        if (rc == CLIENT_LOST)
            return bl_fail("the connection to the host is lost; try again");
        if (rc)
            return host_refused(d->name, "read its registers", rc);
        if (!corefile_vcpu(&core, i, &r))
            return bl_fail("the core file: %s", strerror(errno));
    }
    return EXIT_OK;
}

static int write_core(const struct bh_domain_info *d, int fd)
{
    int rc;

    progress_begin(d->name, d->memory);
    corefile_begin(&core, fd, d->vcpus);
    rc = read_vcpus(d);
    if (!rc)
        rc = read_memory(d);
    progress_end();
    if (!rc && !corefile_end(&core))
        rc = bl_fail("the core file: %s", strerror(errno));
    return rc;
}

/* Whoever else has paused it may have let it go on: a dump-core that began before us. */
static int check_stood(const struct bh_domain_info *d)
{
    struct bh_domain_info now;
    char word[16];

    snprintf(word, sizeof(word), "%u", d->domid);
    if (!domlist_look(word, &now))
        return bl_fail("%s: it has gone meanwhile; there is no core file", d->name);
    if (now.state == BH_DOMAIN_RUNNING && !(now.flags & BH_DOMAIN_PAUSED))
        return bl_fail("%s: it ran meanwhile; try again", d->name);
    return EXIT_OK;
}

/* It does not run meanwhile: memory and registers are of one moment. */
static int dump(const struct bh_domain_info *d, int fd)
{
    bool pause = d->state == BH_DOMAIN_RUNNING && !(d->flags & BH_DOMAIN_PAUSED);
    int rc = EXIT_OK;

    if (pause)
        rc = domlist_pause(d);
    if (rc)
        return rc;
    rc = write_core(d, fd);
    if (!rc)
        rc = check_stood(d);
    if (pause && domlist_do(d, "unpause", BH_CONTROL_unpause, 0, 0))
        rc = EXIT_FAILED;
    return rc;
}

static int run(int argc, char **argv)
{
    struct bh_domain_info d;
    struct file_new f;
    char own[80];
    const char *path = argc > 1 ? argv[1] : own;
    int rc;

    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (d.state < BH_DOMAIN_READY || d.state == BH_DOMAIN_ZOMBIE)
        return bl_fail("%s: it has no memory to dump", d.name);
    snprintf(own, sizeof(own), "%s.core", d.name);
    interrupt_catch();
    if (!file_begin(&f, path, 0600))
        return bl_fail("%s: %s", path, file_error());
    rc = dump(&d, f.fd);
    if (rc)
        file_drop(&f);
    else if (!file_end(&f))
        rc = bl_fail("%s: %s", path, file_error());
    return rc;
}

const struct command cmd_dump_core = {
    .name = "dump-core",
    .operands = "DOMAIN [FILE]",
    .purpose = "write a domain's memory and registers into a core file",
    .least = 1,
    .most = 2,
    .details =
        "The domain is paused meanwhile. FILE is DOMAIN.core without another word; it is an ELF\n"
        "file as gdb and crash read it, whose addresses are guest-physical.",
    .run = run,
};

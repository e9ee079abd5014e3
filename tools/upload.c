/* SPDX-License-Identifier: MIT */
#include "tools/upload.h"

#include <lz4.h>
#include <stdio.h>
#include <time.h>
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

#define PIECE    BH_REQUEST_BUFFER
#define PAUSE_NS 10000000L

uint64_t upload_size(const struct mkdomain *m)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < m->record.nsegments; i++)
        n += m->record.segments[i].file_size;
    return n;
}

static int begin(const struct mkdomain *m, uint32_t *domid)
{
    struct bh_control args = {.size = sizeof(m->record)};
    struct bh_host_info host;
    int rc = host_call(BH_CONTROL_create, &args, &m->record, sizeof(m->record), NULL, 0);

    if (rc == -XEN_ENOMEM) {
        host_info(&host);
        return bl_fail("%s: it needs %lu MiB, the host has %lu MiB free; bl destroy or bl mem-set "
                       "make room",
                       m->record.name, m->record.memory_target >> 20, host.memory_free >> 20);
    }
    *domid = args.domid;
    return rc ? host_refused(m->record.name, "create it", rc) : EXIT_OK;
}

/* Until it has its memory. */
static int built(const struct mkdomain *m, uint32_t domid)
{
    struct timespec pause = {0, PAUSE_NS};
    struct bh_domain_info d;
    char word[16];

    snprintf(word, sizeof(word), "%u", domid);
    while (!interrupt_came()) {
        if (!domlist_look(word, &d))
            return bl_fail("%s: the host gave it up; bl dmesg says why", m->record.name);
        if (d.state != BH_DOMAIN_BUILDING)
            break;
        nanosleep(&pause, NULL);
    }
    return EXIT_OK;
}

/* Of all segments, before byte args->b of segment args->a. */
static uint64_t bytes_before(const struct mkdomain *m, const struct bh_control *args)
{
    uint64_t n = args->b;

    for (uint32_t i = 0; i < args->a; i++)
        n += m->record.segments[i].file_size;
    return n;
}

/* The next n bytes that the host wants; packed if that makes them fewer and it unpacks. */
static int piece(const struct mkdomain *m, struct bh_control *args, uint32_t n)
{
    static bool plain; /* it does not */
    const struct bh_control what = {.domid = args->domid, .a = args->a, .b = args->b, .size = n};
    const char *data = (const char *)m->data[args->a] + args->b;
    char packed[PIECE];
    int size = plain ? 0 : LZ4_compress_default(data, packed, (int)n, (int)n - 1);

    *args = what;
    if (size > 0) {
        int rc = host_call(BH_CONTROL_load | BH_REQUEST_LZ4, args, packed, (size_t)size, NULL, 0);

        if (rc != -XEN_ENOSYS)
            return rc;
        plain = true;
        *args = what;
    }
    return host_call(BH_CONTROL_load, args, data, n, NULL, 0);
}

/* What the host does not have yet, as it asks for it. */
static int segments(const struct mkdomain *m, uint32_t domid, uint64_t *sent)
{
    struct bh_control args = {.domid = domid};
    int rc = host_call(BH_CONTROL_load, &args, NULL, 0, NULL, 0);

    while (!rc && args.a < m->record.nsegments && !interrupt_came()) {
        uint64_t left = m->record.segments[args.a].file_size - args.b;

        if (args.b > m->record.segments[args.a].file_size || !left)
            return bl_fail("%s: the host asks for bytes that there are not", m->record.name);
        rc = piece(m, &args, left < PIECE ? (uint32_t)left : PIECE);
        *sent += left < PIECE ? left : PIECE;
        if (!rc && args.a <= m->record.nsegments)
            progress_at(bytes_before(m, &args));
    }
    return rc ? host_refused(m->record.name, "load it", rc) : EXIT_OK;
}

int upload(const struct mkdomain *m, uint32_t *domid, uint64_t *sent)
{
    struct bh_control args = {0};
    int rc;

    interrupt_catch();
    rc = begin(m, domid);
    if (rc)
        return rc;
    args.domid = *domid;
    progress_begin(m->record.name, upload_size(m));
    rc = built(m, *domid);
    if (!rc)
        rc = segments(m, *domid, sent);
    if (!rc && interrupt_came())
        rc = bl_fail("%s: interrupted; nothing of it is left", m->record.name);
    if (!rc) {
        rc = host_call(BH_CONTROL_finish, &args, NULL, 0, NULL, 0);
        if (rc)
            rc = host_refused(m->record.name, "complete it", rc);
    }
    progress_end();
    if (rc) /* whether or not the host did that already */
        host_try(BH_CONTROL_destroy, &args, NULL, 0, NULL, 0);
    return rc;
}

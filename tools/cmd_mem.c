/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/units.h"
#include "tools/xsclient.h"

#define PAGE 4096UL

/* The domain and the bytes that the words name; EXIT_OK, or another after a message. */
static int parse(const char *command, char **argv, struct bh_domain_info *d, uint64_t *bytes)
{
    if (!units_memory(argv[1], bytes) || !*bytes || *bytes % PAGE)
        return bl_usage(command, "'%s' is no size; such as 512m, a multiple of 4 KiB", argv[1]);
    return domlist_find(argv[0], d) ? EXIT_OK : EXIT_FAILED;
}

static int run_set(int argc, char **argv)
{
    struct bh_domain_info d = {0};
    struct xsclient x;
    const char *wrong;
    uint64_t bytes = 0;
    char kib[24];
    int rc = parse("mem-set", argv, &d, &bytes);

    (void)argc;
    if (rc)
        return rc;
    if (bytes > d.memory_max)
        return bl_fail("%s: it may own %lu MiB at most; bl mem-max changes that", d.name,
                       d.memory_max >> 20);
    snprintf(kib, sizeof(kib), "%lu", bytes >> 10);
    xsclient_open(&x, d.domid);
    wrong = xsclient_write(&x, "memory/target", kib);
    xsclient_close(&x);
    return wrong ? bl_fail("%s: the store refuses it: %s", d.name, wrong) : EXIT_OK;
}

static int run_max(int argc, char **argv)
{
    struct bh_domain_info d = {0};
    struct bh_control args = {0};
    int rc = parse("mem-max", argv, &d, &args.a);

    (void)argc;
    if (rc)
        return rc;
    args.domid = d.domid;
    rc = host_call(BH_CONTROL_memory_max, &args, NULL, 0, NULL, 0);
    if (rc == -XEN_EBUSY)
        return bl_fail(
            "%s: it has %lu MiB now, which is more; bl mem-set asks it to give some back", d.name,
            d.memory >> 20);
    return rc ? host_refused(d.name, "change its limit", rc) : EXIT_OK;
}

const struct command cmd_mem_set = {
    .name = "mem-set",
    .operands = "DOMAIN MEMORY",
    .purpose = "ask a domain to have so much memory",
    .least = 2,
    .most = 2,
    .details =
        "MEMORY is in KiB, or has t, g, m, k or b behind it. The domain's balloon driver does it.",
    .run = run_set,
};

const struct command cmd_mem_max = {
    .name = "mem-max",
    .operands = "DOMAIN MEMORY",
    .purpose = "set how much memory a domain may own",
    .least = 2,
    .most = 2,
    .details = "MEMORY is in KiB, or has t, g, m, k or b behind it.",
    .run = run_max,
};

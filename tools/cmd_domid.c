/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/json.h"
#include "tools/units.h"

static void both(const struct bh_domain_info *d)
{
    json_begin(NULL, '{');
    json_number("domid", d->domid);
    json_string("name", d->name);
    json_end();
}

static int run_domid(int argc, char **argv)
{
    struct bh_domain_info d;

    (void)argc;
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    both(&d);
    if (!bl_json)
        printf("%u\n", d.domid);
    return EXIT_OK;
}

static int run_domname(int argc, char **argv)
{
    struct bh_domain_info d;
    uint64_t number;

    (void)argc;
    if (!units_number(argv[0], 0, UINT32_MAX, &number))
        return bl_usage("domname", "'%s' is no number of a domain", argv[0]);
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    both(&d);
    if (!bl_json)
        puts(d.name);
    return EXIT_OK;
}

const struct command cmd_domid = {
    .name = "domid",
    .operands = "DOMAIN",
    .purpose = "say which number a domain has",
    .least = 1,
    .most = 1,
    .run = run_domid,
};

const struct command cmd_domname = {
    .name = "domname",
    .operands = "NUMBER",
    .purpose = "say which name a domain has",
    .least = 1,
    .most = 1,
    .run = run_domname,
};

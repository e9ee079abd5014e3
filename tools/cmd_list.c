/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/json.h"
#include "tools/table.h"

static unsigned whole, verbose;

static void row(const struct bh_domain_info *d)
{
    char letters[DOMLIST_LETTERS], uuid[DOMLIST_UUID];

    domlist_letters(d, letters);
    table_text(d->name);
    table_number(d->domid);
    table_scaled(d->memory, 1 << 20);
    table_number(d->vcpus);
    table_text(letters);
    table_real((double)d->cpu_time / 1e9, 1);
    if (!verbose)
        return;
    domlist_uuid(d->uuid, uuid);
    table_text(uuid);
    table_text(domlist_reason(d));
    table_text(domlist_class(d));
}

static void table(const struct domlist *d)
{
    static const struct table_column columns[] = {
        {"Name", NULL, -40}, {"ID", NULL, 5},      {"Mem", NULL, 5}, {"VCPUs", NULL, 5},
        {"State", NULL, 10}, {"Time(s)", NULL, 8}, {NULL, NULL, 0},
    };
    static const struct table_column more[] = {
        {"Name", NULL, -40}, {"ID", NULL, 5},      {"Mem", NULL, 5},    {"VCPUs", NULL, 5},
        {"State", NULL, 10}, {"Time(s)", NULL, 8}, {"UUID", NULL, -36}, {"Reason", NULL, -10},
        {"Class", NULL, -5}, {NULL, NULL, 0},
    };

    table_begin(verbose ? more : columns);
    for (unsigned i = 0; i < d->n; i++)
        row(&d->list[i]);
    table_end();
}

static void object(const struct bh_domain_info *d)
{
    char uuid[DOMLIST_UUID];

    domlist_uuid(d->uuid, uuid);
    json_begin(NULL, '{');
    json_number("domid", d->domid);
    json_string("name", d->name);
    json_string("uuid", uuid);
    json_string("class", domlist_class(d));
    json_string("state", domlist_state(d));
    json_bool("paused", d->flags & BH_DOMAIN_PAUSED);
    json_bool("created", d->flags & BH_DOMAIN_CREATED);
    if (d->state >= BH_DOMAIN_SHUTDOWN)
        json_string("shutdown_reason", domlist_reason(d));
    else
        json_null("shutdown_reason");
    json_number("vcpus", d->vcpus);
    json_number("vcpus_online", d->vcpus_online);
    json_number("weight", d->weight);
    json_number("cap", d->cap);
    json_number("memory", d->memory);
    json_number("memory_max", d->memory_max);
    json_number("cpu_time_ns", d->cpu_time);
    json_number("created_ns", d->created);
    json_end();
}

static int run(int argc, char **argv)
{
    struct domlist d;

    if (!domlist_read(&d, argc, argv)) {
        domlist_free(&d);
        return EXIT_FAILED;
    }
    bl_json = bl_json || whole;
    if (bl_json) {
        json_begin(NULL, '[');
        for (unsigned i = 0; i < d.n; i++)
            object(&d.list[i]);
        json_end();
    } else {
        table(&d);
    }
    domlist_free(&d);
    return EXIT_OK;
}

static const struct opt opts[] = {
    {'l', "long", NULL, "all that is known of them, as JSON", NULL, &whole},
    {'v', "verbose", NULL, "UUID, reason of a shutdown and class, too", NULL, &verbose},
    {0},
};

const struct command cmd_list = {
    .name = "list",
    .operands = "[DOMAIN...]",
    .purpose = "list domains",
    .most = BL_MANY,
    .opts = opts,
    .details =
        "State: r on a CPU now, b blocked, p paused or not started, s shut down, c crashed,\n"
        "d torn down, but others still hold some of its memory.",
    .run = run,
};

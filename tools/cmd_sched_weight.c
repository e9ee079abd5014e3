/* SPDX-License-Identifier: MIT */
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/table.h"
#include "tools/units.h"

#define HIGHEST_WEIGHT 65535
#define HIGHEST_CAP    6400

static const char *domain, *weight, *cap;

static int show(void)
{
    static const struct table_column columns[] = {{"Name", "name", -33},
                                                  {"ID", "domid", 4},
                                                  {"Weight", "weight", 6},
                                                  {"Cap", "cap", 4},
                                                  {NULL, NULL, 0}};
    char *word[] = {(char *)(uintptr_t)domain};
    struct domlist d;
    bool ok = domlist_read(&d, !!domain, word);

    if (ok) {
        table_begin(columns);
        for (unsigned i = 0; i < d.n; i++) {
            table_text(d.list[i].name);
            table_number(d.list[i].domid);
            table_number(d.list[i].weight);
            table_number(d.list[i].cap);
        }
        table_end();
    }
    domlist_free(&d);
    return ok ? EXIT_OK : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    uint64_t w = ~0UL, c = ~0UL;
    struct bh_domain_info d;

    (void)argc;
    (void)argv;
    if (!weight && !cap)
        return show();
    if (!domain)
        return bl_usage("sched-weight", "-d is needed: whose weight or cap");
    if (weight && !units_number(weight, 1, HIGHEST_WEIGHT, &w))
        return bl_usage("sched-weight", "'%s' is no weight; 1 to %d", weight, HIGHEST_WEIGHT);
    if (cap && !units_number(cap, 0, HIGHEST_CAP, &c))
        return bl_usage("sched-weight", "'%s' is no cap; 0 to %d percent of a CPU, 0: none", cap,
                        HIGHEST_CAP);
    if (!domlist_find(domain, &d))
        return EXIT_FAILED;
    return domlist_do(&d, "change its share of the CPUs", BH_CONTROL_shares, w, c);
}

static const struct opt opts[] = {
    {'d', "domain", "DOMAIN", "of which domain; without -w and -c: only that one", &domain, NULL},
    {'w', "weight", "WEIGHT", "its share beside others, 1 to 65535; 256 is normal", &weight, NULL},
    {'c', "cap", "CAP", "the most it gets, in percent of a CPU; 0: no limit", &cap, NULL},
    {0},
};

const struct command cmd_sched_weight = {
    .name = "sched-weight",
    .operands = "",
    .purpose = "show or set shares of the CPUs",
    .opts = opts,
    .run = run,
};

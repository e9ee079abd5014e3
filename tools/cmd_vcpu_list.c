/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/table.h"
#include "xml/cpuset.h"

static void row(const struct bh_domain_info *d, uint32_t n, const struct bh_vcpu_info *v)
{
    bool paused = d->flags & BH_DOMAIN_PAUSED || d->state != BH_DOMAIN_RUNNING;
    char state[4] = {v->running ? 'r' : '-', v->blocked ? 'b' : '-', paused ? 'p' : '-', '\0'};
    char set[CPUSET_TEXT] = "all", text[CPUSET_TEXT + 8];

    if (v->affinity)
        cpuset_text(set, v->affinity);
    snprintf(text, sizeof(text), "%s / all", set);
    table_text(d->name);
    table_number(d->domid);
    table_number(n);
    if (v->online)
        table_number(v->cpu);
    else
        table_shown(v->cpu, "-");
    table_text(v->online ? state : "--p");
    table_real((double)v->cpu_time / 1e9, 1);
    if (bl_json)
        table_text(set);
    else
        table_text(text);
}

static int run(int argc, char **argv)
{
    static const struct table_column columns[] = {{"Name", "name", -32},
                                                  {"ID", "domid", 5},
                                                  {"VCPU", "vcpu", 5},
                                                  {"CPU", "cpu", 5},
                                                  {"State", "state", 5},
                                                  {"Time(s)", "time", 9},
                                                  {"Affinity (Hard / Soft)", "affinity", -10},
                                                  {NULL, NULL, 0}};
    struct domlist d;
    struct bh_vcpu_info v;
    bool ok = domlist_read(&d, argc, argv);

    if (ok) {
        table_begin(columns);
        for (unsigned i = 0; i < d.n; i++)
            for (uint32_t n = 0; n < d.list[i].vcpus && domlist_vcpu(&d.list[i], n, &v); n++)
                row(&d.list[i], n, &v);
        table_end();
    }
    domlist_free(&d);
    return ok ? EXIT_OK : EXIT_FAILED;
}

const struct command cmd_vcpu_list = {
    .name = "vcpu-list",
    .operands = "[DOMAIN...]",
    .purpose = "list vCPUs",
    .most = BL_MANY,
    .details = "State: r on a CPU now, b blocked, p paused or off.",
    .run = run,
};

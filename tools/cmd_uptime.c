/* SPDX-License-Identifier: MIT */
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/table.h"
#include "tools/units.h"

static int run(int argc, char **argv)
{
    static const struct table_column columns[] = {
        {"Name", "name", -33}, {"ID", "domid", 4}, {"Uptime", "uptime_ns", -8}, {NULL, NULL, 0}};
    struct bh_host_info host;
    struct domlist d;
    bool ok = domlist_read(&d, argc, argv);

    host_info(&host);
    if (ok) {
        table_begin(columns);
        for (unsigned i = 0; i < d.n; i++) {
            char text[UNITS_DURATION];
            uint64_t ns = host.uptime - d.list[i].created;

            units_duration(ns, text);
            table_text(d.list[i].name);
            table_number(d.list[i].domid);
            table_shown(ns, text);
        }
        table_end();
    }
    domlist_free(&d);
    return ok ? EXIT_OK : EXIT_FAILED;
}

const struct command cmd_uptime = {
    .name = "uptime",
    .operands = "[DOMAIN...]",
    .purpose = "say how long domains have been there",
    .most = BL_MANY,
    .run = run,
};

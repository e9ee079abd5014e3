/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include "tools/bl.h"
#include "tools/hub.h"

static int run(int argc, char **argv)
{
    const char *host = bl_host ? bl_host : getenv("BULKHEAD_HOST");
    char wrong[256];
    int rc;

    (void)argc;
    (void)argv;
    if (!host || !*host)
        return bl_usage("hub", "no host: give -H or set BULKHEAD_HOST");
    rc = hub_foreground(host, wrong);
    return rc < 0 ? bl_fail("%s", wrong) : rc;
}

const struct command cmd_hub = {
    .name = "hub",
    .operands = "",
    .purpose = "serve the line to a host, for other commands",
    .details =
        "Every command that needs a host starts this by itself, unseen; here it says on the\n"
        "terminal what happens on the line.\n",
    .run = run,
};

/* SPDX-License-Identifier: MIT */
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/console.h"
#include "tools/domlist.h"
#include "tools/host.h"

static int run(int argc, char **argv)
{
    struct bh_domain_info d;

    (void)argc;
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (!d.console_port)
        return bl_fail("%s: it has no console", d.name);
    return console_attach(host_stream(LINK_SERVICE_CONSOLE, d.domid), d.name);
}

const struct command cmd_console = {
    .name = "console",
    .operands = "DOMAIN",
    .purpose = "be on the console of a domain; Ctrl-] leaves it",
    .least = 1,
    .most = 1,
    .run = run,
};

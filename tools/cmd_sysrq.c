/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include "tools/bl.h"
#include "tools/guestctl.h"

static int run(int argc, char **argv)
{
    struct bh_domain_info d;

    (void)argc;
    if (!isalnum((unsigned char)argv[1][0]) || argv[1][1])
        return bl_usage("sysrq", "'%s' is no letter or digit", argv[1]);
    return domlist_find(argv[0], &d) ? guestctl_ask(&d, "sysrq", argv[1]) : EXIT_FAILED;
}

const struct command cmd_sysrq = {
    .name = "sysrq",
    .operands = "DOMAIN LETTER",
    .purpose = "press a key of Linux's magic SysRq",
    .least = 2,
    .most = 2,
    .run = run,
};

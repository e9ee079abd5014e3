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
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (!guestctl_listens(&d, "sysrq"))
        return bl_fail("%s: it does not listen for that; its kernel needs CONFIG_MAGIC_SYSRQ and a "
                       "store that is up",
                       d.name);
    return guestctl_ask(&d, "sysrq", argv[1]);
}

const struct command cmd_sysrq = {
    .name = "sysrq",
    .operands = "DOMAIN LETTER",
    .purpose = "press a key of Linux's magic SysRq",
    .least = 2,
    .most = 2,
    .run = run,
};

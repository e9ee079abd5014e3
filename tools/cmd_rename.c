/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "xml/domcfg.h"

static int run(int argc, char **argv)
{
    struct bh_control args = {0};
    struct bh_domain_info d;
    int rc;

    (void)argc;
    if (!domcfg_is_name(argv[1]))
        return bl_usage("rename", "'%s' is no name; 1 to 63 letters, digits and signs but / [ ] \"",
                        argv[1]);
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    args.domid = d.domid;
    args.size = strlen(argv[1]);
    rc = host_call(BH_CONTROL_rename, &args, argv[1], args.size, NULL, 0);
    return rc ? host_refused(d.name, "rename it", rc) : EXIT_OK;
}

const struct command cmd_rename = {
    .name = "rename",
    .operands = "DOMAIN NAME",
    .purpose = "give a domain another name",
    .least = 2,
    .most = 2,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
#include "tools/bl.h"
#include "tools/domlist.h"

static int each(int argc, char **argv, int (*what)(const struct bh_domain_info *d))
{
    struct bh_domain_info d;
    int rc = EXIT_OK;

    for (int i = 0; i < argc; i++)
        if (!domlist_find(argv[i], &d) || what(&d))
            rc = EXIT_FAILED;
    return rc;
}

static int unpause(const struct bh_domain_info *d)
{
    return domlist_do(d, "unpause", BH_CONTROL_unpause, 0, 0);
}

static int destroy(const struct bh_domain_info *d)
{
    return domlist_do(d, "destroy", BH_CONTROL_destroy, 0, 0);
}

static int run_pause(int argc, char **argv)
{
    return each(argc, argv, domlist_pause);
}

static int run_unpause(int argc, char **argv)
{
    return each(argc, argv, unpause);
}

static int run_destroy(int argc, char **argv)
{
    return each(argc, argv, destroy);
}

const struct command cmd_pause = {
    .name = "pause",
    .operands = "DOMAIN...",
    .purpose = "stop domains from running until unpause",
    .least = 1,
    .most = BL_MANY,
    .run = run_pause,
};

const struct command cmd_unpause = {
    .name = "unpause",
    .operands = "DOMAIN...",
    .purpose = "let paused domains run, or those created with -p start",
    .least = 1,
    .most = BL_MANY,
    .run = run_unpause,
};

const struct command cmd_destroy = {
    .name = "destroy",
    .operands = "DOMAIN...",
    .purpose = "end domains at once, as if their power were cut",
    .least = 1,
    .most = BL_MANY,
    .run = run_destroy,
};

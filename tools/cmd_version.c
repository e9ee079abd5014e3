/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "hyp/abi/bundle.h"
#include "hyp/abi/version.h"
#include "tools/bl.h"
#include "tools/json.h"

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    if (!bl_json) {
        printf("Bulkhead %s, bundle version %u\n", BH_VERSION, BUNDLE_VERSION);
        return EXIT_OK;
    }
    json_begin(NULL, '{');
    json_string("version", BH_VERSION);
    json_number("bundle", BUNDLE_VERSION);
    json_end();
    return EXIT_OK;
}

const struct command cmd_version = {
    .name = "version",
    .operands = "",
    .purpose = "say which version this is",
    .run = run,
};

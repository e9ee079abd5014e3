/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "hyp/abi/bundle.h"
#include "hyp/abi/version.h"
#include "tools/bl.h"

int cmd_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return bl_usage("version", "too many arguments");
    printf("Bulkhead %s, bundle version %u\n", BH_VERSION, BUNDLE_VERSION);
    return EXIT_OK;
}

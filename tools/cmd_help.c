/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include "tools/bl.h"

int cmd_help(int argc, char **argv)
{
    if (argc > 2)
        return bl_usage("help", "too many arguments");
    for (unsigned i = 0; i < ncommands; i++) {
        const struct command *c = &commands[i];

        if (argc == 1)
            printf("  bl %-8s %s\n", c->name, c->purpose);
        else if (!strcmp(argv[1], c->name)) {
            printf("bl %s %s: %s\n%s", c->name, c->arguments, c->purpose, c->details);
            return EXIT_OK;
        }
    }
    return argc == 1 ? EXIT_OK : bl_usage(NULL, "there is no command '%s'", argv[1]);
}

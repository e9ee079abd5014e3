/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include "tools/json.h"
#include "tools/options.h"

static int every_command(void)
{
    json_begin(NULL, '[');
    for (unsigned i = 0; commands[i]; i++) {
        const struct command *c = commands[i];

        if (bl_json) {
            json_begin(NULL, '{');
            json_string("name", c->name);
            json_string("purpose", c->purpose);
            json_end();
        } else {
            printf("  bl %-14s %s\n", c->name, c->purpose);
        }
    }
    json_end();
    return EXIT_OK;
}

/* The completion of shells reads these lines, too. */
static void options(const struct opt *opts)
{
    for (; opts && opts->purpose; opts++) {
        char text[64];
        const char letter[] = {'-', (char)opts->letter, '\0'};
        int n = snprintf(text, sizeof(text), "%s%s%s%s", opts->letter ? letter : "",
                         opts->letter && opts->name ? ", " : "", opts->name ? "--" : "",
                         opts->name ? opts->name : "");

        if (opts->argument)
            snprintf(text + n, sizeof(text) - (size_t)n, " %s", opts->argument);
        printf("  %-22s  %s\n", text, opts->purpose);
    }
}

static int run(int argc, char **argv)
{
    const struct command *c;

    if (!argc)
        return every_command();
    c = bl_command(argv[0]);
    if (!c)
        return bl_usage(NULL, "there is no command '%s'", argv[0]);
    printf("bl %s%s%s%s: %s\n", c->name, c->opts ? " [OPTION...]" : "", *c->operands ? " " : "",
           c->operands, c->purpose);
    if (c->details)
        printf("%s\n", c->details);
    options(c->opts);
    if (!c->local)
        options(options_common);
    return EXIT_OK;
}

const struct command cmd_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .purpose = "say what there is",
    .most = 1,
    .run = run,
};

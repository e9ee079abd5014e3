/* SPDX-License-Identifier: MIT */
#include "tools/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define MOST_OPTIONS 16
#define NO_LETTER    256 /* and more: the number of an option that has only a name */

static const char *output;
const char *bl_host;
bool bl_json;

const struct opt options_common[] = {
    {'H', "host", "HOST", "unix:PATH or serial:DEVICE[,BAUD]; default: $BULKHEAD_HOST", &bl_host,
     NULL},
    {'o', "output", "FORMAT", "text or json", &output, NULL},
    {0},
};

/* getopt_long's two forms of a table. */
struct parser {
    const struct opt *opts[MOST_OPTIONS];
    struct option longs[MOST_OPTIONS + 1];
    char shorts[2 * MOST_OPTIONS + 3];
    int n;
};

static void add(struct parser *p, const struct opt *opts)
{
    for (; opts && opts->purpose && p->n < MOST_OPTIONS; opts++) {
        char *end = strchr(p->shorts, '\0');

        if (opts->letter)
            snprintf(end, 3, "%c%s", opts->letter, opts->argument ? ":" : "");
        p->longs[p->n] = (struct option){opts->name ? opts->name : "",
                                         opts->argument ? required_argument : no_argument, NULL,
                                         NO_LETTER + p->n};
        p->opts[p->n++] = opts;
    }
}

static const struct opt *found(const struct parser *p, int c)
{
    if (c >= NO_LETTER)
        return p->opts[c - NO_LETTER];
    for (int i = 0; i < p->n; i++)
        if (p->opts[i]->letter == c)
            return p->opts[i];
    return NULL;
}

static int complain(const struct parser *p, const char *command, int c, char **argv)
{
    const struct opt *o = optopt ? found(p, optopt) : NULL;
    char letter[] = {'-', (char)optopt, '\0'};
    const char *said = optopt && optopt < NO_LETTER ? letter : argv[optind - 1];

    if (c == ':' && o)
        return bl_usage(command, "option '%s' needs %s", said, o->argument);
    if (o)
        return bl_usage(command, "option '%s' takes nothing", said);
    return bl_usage(command, "there is no option '%s'", said);
}

static int parse(struct parser *p, const char *command, int argc, char **argv)
{
    int c;

    opterr = 0;
    optind = 0;
    while ((c = getopt_long(argc, argv, p->shorts, p->longs, NULL)) != -1) {
        const struct opt *o = c == '?' || c == ':' ? NULL : found(p, c);

        if (!o)
            return complain(p, command, c, argv);
        if (o->text)
            *o->text = optarg;
        else
            ++*o->count;
    }
    if (output && strcmp(output, "json") && strcmp(output, "text"))
        return bl_usage(command, "output '%s' is neither text nor json", output);
    bl_json = output && !strcmp(output, "json");
    return EXIT_OK;
}

int options_before(int argc, char **argv, int *first)
{
    struct parser p = {.shorts = "+:"};
    int rc;

    add(&p, options_common);
    rc = parse(&p, NULL, argc, argv);
    *first = optind;
    return rc;
}

int options_parse(const struct command *c, int argc, char **argv, int *first)
{
    struct parser p = {.shorts = ":"};
    unsigned n;
    int rc;

    add(&p, c->opts);
    if (!c->local)
        add(&p, options_common);
    rc = parse(&p, c->name, argc, argv);
    if (rc)
        return rc;
    *first = optind;
    n = (unsigned)(argc - optind);
    if (n < c->least)
        return bl_usage(c->name, "%s needs %s", c->name, c->operands);
    if (n > c->most)
        return bl_usage(c->name, "'%s' is too much", argv[optind + (int)c->most]);
    return EXIT_OK;
}

/* SPDX-License-Identifier: MIT */
/* The tool's table of commands. */
#ifndef BH_TOOLS_BL_H
#define BH_TOOLS_BL_H

#include <stdbool.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

/* An option: it sets *text to its argument or counts in *count. */
struct opt {
    char letter;          /* 0: none */
    const char *name;     /* without the two hyphens; NULL: none */
    const char *argument; /* what it takes, for messages; NULL: nothing */
    const char *purpose;
    const char **text;
    unsigned *count;
};

struct command {
    const char *name, *operands, *purpose;
    unsigned least, most;              /* operands */
    const struct opt *opts;            /* the last one is empty; NULL: none */
    bool local;                        /* takes no -H and no -o json */
    const char *details;               /* for help; NULL: none */
    int (*run)(int argc, char **argv); /* the operands, and NULL behind them */
};
extern const struct command *const commands[]; /* NULL behind the last */

#define BL_COMMAND(id) extern const struct command id
BL_COMMAND(cmd_image);
BL_COMMAND(cmd_hub);
BL_COMMAND(cmd_help);
BL_COMMAND(cmd_version);

/* What the options that all commands have say. */
extern const char *bl_host; /* NULL: none given */
extern bool bl_json;

/* NULL: there is none of this name. */
const struct command *bl_command(const char *name);

/* One line on stderr; the exit code. */
int bl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int bl_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A step of long work, on a terminal only; each takes the place of the one before. NULL: done. */
void bl_progress(const char *text);

#endif

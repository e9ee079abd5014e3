/* SPDX-License-Identifier: MIT */
/* The tool's table of commands. */
#ifndef BH_TOOLS_BL_H
#define BH_TOOLS_BL_H

#include <stdbool.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

struct command {
    const char *name, *arguments, *purpose, *details;
    int (*run)(int argc, char **argv); /* argv[0]: the command's name */
};
extern const struct command commands[];
extern const unsigned ncommands;

int cmd_image(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_help(int argc, char **argv);

/* One line on stderr; the exit code. */
int bl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int bl_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A step of long work, on a terminal only; each takes the place of the one before. NULL: done. */
void bl_progress(const char *text);

#endif

/* SPDX-License-Identifier: MIT */
/* The options of a command, by its table. */
#ifndef BH_TOOLS_OPTIONS_H
#define BH_TOOLS_OPTIONS_H

#include "tools/bl.h"

/* Those that every command has which is not local. */
extern const struct opt options_common[];

/*
 * Those before the command's name: *first becomes its place in argv. EXIT_OK, or EXIT_USAGE after
 * a message.
 */
int options_before(int argc, char **argv, int *first);
/*
 * A command's own and the common ones; argv[0] is its name. The operands are argv[*first] and
 * behind it, and as many as it may have. EXIT_OK, or EXIT_USAGE after a message.
 */
int options_parse(const struct command *c, int argc, char **argv, int *first);

#endif

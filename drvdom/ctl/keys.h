/* SPDX-License-Identifier: MIT */
/*
 * What is typed at the terminal. Ctrl-] begins a command: n next domain, p previous, 0-9 the domain
 * of that number, l list, ? help, Ctrl-] itself. All else goes to the attached domain.
 */
#ifndef BH_CTL_KEYS_H
#define BH_CTL_KEYS_H

#include <stdbool.h>

enum key_action { KEY_NONE, KEY_TYPE, KEY_NEXT, KEY_PREVIOUS, KEY_SELECT, KEY_LIST, KEY_HELP };

struct keys {
    bool prefixed;
};

/* What c means; *arg is the byte to type, or the domain number. An unknown command is help. */
enum key_action keys_input(struct keys *k, char c, char *arg);

#endif

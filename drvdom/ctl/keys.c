/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/keys.h"

#define PREFIX '\x1d' /* Ctrl-] */

enum key_action keys_input(struct keys *k, char c, char *arg)
{
    *arg = c;
    if (!k->prefixed) {
        k->prefixed = c == PREFIX;
        return k->prefixed ? KEY_NONE : KEY_TYPE;
    }
    k->prefixed = false;
    switch (c) {
    case PREFIX:
        return KEY_TYPE;
    case 'n':
        return KEY_NEXT;
    case 'p':
        return KEY_PREVIOUS;
    case 'l':
        return KEY_LIST;
    case '0' ... '9':
        *arg = (char)(c - '0');
        return KEY_SELECT;
    default:
        return KEY_HELP;
    }
}

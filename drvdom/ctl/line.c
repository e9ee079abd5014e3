/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/line.h"

bool line_add(struct line *l, char c)
{
    if (c == '\n')
        return true;
    if (c != '\r')
        l->text[l->len++] = c;
    return l->len == sizeof(l->text);
}

void line_clear(struct line *l)
{
    l->len = 0;
}

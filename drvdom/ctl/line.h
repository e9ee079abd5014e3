/* SPDX-License-Identifier: MIT */
/* Cuts a domain's console stream into lines for the host log. */
#ifndef BH_CTL_LINE_H
#define BH_CTL_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "hyp/abi/control.h"

struct line {
    uint32_t len;
    char text[BH_LOG_MAX];
};

/*
 * Adds c; true when a line is complete in l->text, l->len (at a newline, or full). The caller sends
 * it and calls line_clear(). Carriage returns are dropped.
 */
bool line_add(struct line *l, char c);
void line_clear(struct line *l);

#endif

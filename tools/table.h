/* SPDX-License-Identifier: MIT */
/* A table: columns of text, or an array of objects with -o json. */
#ifndef BH_TOOLS_TABLE_H
#define BH_TOOLS_TABLE_H

#include <stdint.h>

struct table_column {
    const char *title;
    const char *key; /* in JSON; NULL: not there */
    int width;       /* at least; negative: to the left */
};
#define TABLE_MAX 16

/* columns stay until the end; the last one has no title. */
void table_begin(const struct table_column *columns);
void table_end(void);
/* The next cell; the one in the last column ends the row. */
void table_text(const char *text);
void table_number(uint64_t value);
/* The text shows value / unit, JSON the value. */
void table_scaled(uint64_t value, uint64_t unit);
void table_real(double value, int decimals);
/* JSON has the value, the text is another. */
void table_shown(uint64_t value, const char *text);

#endif

/* SPDX-License-Identifier: MIT */
#include "tools/table.h"

#include <stdio.h>
#include "tools/bl.h"
#include "tools/json.h"

static const struct table_column *columns;
static unsigned at; /* the next cell's column */

/* The last one is not padded on its right. */
static void cell(const char *text)
{
    const struct table_column *c = &columns[at];

    if (!bl_json)
        printf("%s%*s", at ? " " : "", c->width < 0 && !c[1].title ? 0 : c->width, text);
    if (!columns[++at].title) {
        if (!bl_json)
            putchar('\n');
        json_end();
        at = 0;
    }
}

/* The key of the next cell. */
static const char *key(void)
{
    if (!at)
        json_begin(NULL, '{');
    return columns[at].key;
}

void table_begin(const struct table_column *c)
{
    columns = c;
    at = 0;
    json_begin(NULL, '[');
    if (!bl_json)
        for (; c->title; c++)
            cell(c->title);
}

void table_end(void)
{
    json_end();
}

void table_text(const char *text)
{
    const char *k = key();

    if (k)
        json_string(k, text);
    cell(text);
}

void table_shown(uint64_t value, const char *text)
{
    const char *k = key();

    if (k)
        json_number(k, value);
    cell(text);
}

void table_number(uint64_t value)
{
    table_scaled(value, 1);
}

void table_scaled(uint64_t value, uint64_t unit)
{
    char text[24];

    snprintf(text, sizeof(text), "%lu", value / unit);
    table_shown(value, text);
}

void table_real(double value, int decimals)
{
    const char *k = key();
    char text[32];

    if (k)
        json_real(k, value);
    snprintf(text, sizeof(text), "%.*f", decimals, value);
    cell(text);
}

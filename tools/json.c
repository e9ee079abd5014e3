/* SPDX-License-Identifier: MIT */
#include "tools/json.h"

#include <stdio.h>
#include "tools/bl.h"

#define DEEPEST 8

static struct {
    unsigned depth;
    char kind[DEEPEST];
    bool first; /* nothing stands in the innermost one yet */
    bool one_line;
} out;

void json_one_line(void)
{
    out.one_line = true;
}

static void line(void)
{
    if (!out.one_line)
        printf("\n%*s", (int)(4 * out.depth), "");
}

static void quoted(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
            printf("\\u%04x", (unsigned char)*s);
        else
            putchar(*s);
    }
    putchar('"');
}

/* What stands before each value. */
static void begin(const char *key)
{
    if (!out.depth)
        return;
    if (!out.first)
        fputs(out.one_line ? ", " : ",", stdout);
    line();
    out.first = false;
    if (key) {
        quoted(key);
        fputs(": ", stdout);
    }
}

void json_begin(const char *key, char kind)
{
    if (!bl_json)
        return;
    begin(key);
    putchar(kind);
    out.kind[out.depth++] = kind;
    out.first = true;
}

void json_end(void)
{
    char kind;

    if (!bl_json)
        return;
    kind = out.kind[--out.depth];
    if (!out.first)
        line();
    putchar(kind == '{' ? '}' : ']');
    out.first = false;
    if (!out.depth)
        putchar('\n');
}

void json_string(const char *key, const char *value)
{
    if (!bl_json)
        return;
    begin(key);
    quoted(value);
}

void json_number(const char *key, uint64_t value)
{
    if (!bl_json)
        return;
    begin(key);
    printf("%lu", value);
}

void json_real(const char *key, double value)
{
    if (!bl_json)
        return;
    begin(key);
    printf("%.9g", value);
}

void json_bool(const char *key, bool value)
{
    if (!bl_json)
        return;
    begin(key);
    fputs(value ? "true" : "false", stdout);
}

void json_null(const char *key)
{
    if (!bl_json)
        return;
    begin(key);
    fputs("null", stdout);
}

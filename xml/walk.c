/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "xml/walk.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool walk_failed(const struct walk *w)
{
    return w->error[0];
}

void walk_place(const xmlNode *node, struct place *at)
{
    at->line = xmlGetLineNo(node);
    while (!node->_private)
        node = node->parent;
    at->file = node->_private;
}

char *walk_path(struct walk *w, const xmlNode *node, const char *path)
{
    char *joined = NULL;
    const char *slash;
    struct place at;
    int dir;

    walk_place(node, &at);
    slash = strrchr(at.file, '/');
    dir = *path == '/' || !slash ? 0 : (int)(slash - at.file) + 1;
    if (asprintf(&joined, "%.*s%s", dir, at.file, path) >= 0)
        return joined;
    walk_fail(w, node, "out of memory");
    return NULL;
}

static void fail(struct walk *w, const struct place *at, const char *element, const char *fmt,
                 va_list ap) __attribute__((format(printf, 4, 0)));
static void fail(struct walk *w, const struct place *at, const char *element, const char *fmt,
                 va_list ap)
{
    int n;

    if (walk_failed(w))
        return;
    n = snprintf(w->error, sizeof(w->error), "%s:%ld: <%.40s>: ", at->file, at->line, element);
    vsnprintf(w->error + n, sizeof(w->error) - (size_t)n, fmt, ap);
}

void walk_fail_at(struct walk *w, const struct place *at, const char *element, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fail(w, at, element, fmt, ap);
    va_end(ap);
}

void walk_fail(struct walk *w, const xmlNode *node, const char *fmt, ...)
{
    struct place at;
    va_list ap;

    walk_place(node, &at);
    va_start(ap, fmt);
    fail(w, &at, (const char *)node->name, fmt, ap);
    va_end(ap);
}

/* Is word one of the words in list? */
static bool listed(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = list; p && *p; p += strcspn(p, " "), p += *p == ' ')
        if (strcspn(p, " ") == n && !memcmp(p, word, n))
            return true;
    return false;
}

void walk_attributes(struct walk *w, const xmlNode *node, const char *allowed)
{
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns || !listed(allowed, (const char *)a->name))
            walk_fail(w, node, "attribute '%.40s%s%.40s' is not supported; %s%s",
                      a->ns ? (const char *)a->ns->prefix : "", a->ns ? ":" : "",
                      (const char *)a->name, allowed ? "it may have: " : "it may have none",
                      allowed ? allowed : "");
}

static const struct walk_rule *find(const struct walk_rule *rules, size_t n, const xmlNode *c)
{
    for (size_t i = 0; i < n; i++)
        if (!c->ns && !strcmp(rules[i].element, (const char *)c->name))
            return &rules[i];
    return NULL;
}

static void unknown(struct walk *w, const xmlNode *c, const struct walk_rule *rules, size_t n)
{
    char names[400] = "";
    size_t at = 0;

    if (!n)
        walk_fail(w, c, "not supported in <%s>, which must be empty",
                  (const char *)c->parent->name);
    for (size_t i = 0; i < n && at < sizeof(names); i++)
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%s<%s>", i ? ", " : "",
                               rules[i].element);
    walk_fail(w, c, "not supported in <%s>; there may be: %s", (const char *)c->parent->name,
              names);
}

void walk_children(struct walk *w, xmlNode *node, const struct walk_rule *rules, size_t n,
                   void *arg)
{
    bool seen[32] = {false};

    for (xmlNode *c = node->children; c && !walk_failed(w); c = c->next) {
        const struct walk_rule *r;

        if (c->type == XML_TEXT_NODE && !xmlIsBlankNode(c))
            walk_fail(w, node, "text is not allowed here, %s", n ? "elements are" : "nor elements");
        if (c->type != XML_ELEMENT_NODE)
            continue;
        r = find(rules, n, c);
        if (!r) {
            unknown(w, c, rules, n);
            return;
        }
        if (seen[r - rules] && !(r->flags & WALK_MANY))
            walk_fail(w, c, "given twice; once is enough");
        seen[r - rules] = true;
        walk_attributes(w, c, r->attributes);
        if (!walk_failed(w))
            r->fn(w, c, arg);
    }
    for (size_t i = 0; i < n; i++)
        if (rules[i].flags & WALK_REQUIRED && !seen[i])
            walk_fail(w, node, "needs <%s>", rules[i].element);
}

static bool copy_trimmed(char *buf, size_t size, const char *text)
{
    size_t n;

    while (isspace((unsigned char)*text))
        text++;
    n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    buf[0] = '\0';
    if (n >= size)
        return false;
    memcpy(buf, text, n);
    buf[n] = '\0';
    return true;
}

bool walk_any_text(struct walk *w, const xmlNode *node)
{
    for (const xmlNode *c = node->children; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE) {
            walk_fail(w, node, "elements are not allowed here, text is");
            return false;
        }
    return true;
}

bool walk_text(struct walk *w, xmlNode *node, char *buf, size_t size)
{
    xmlChar *text;
    bool fits;

    buf[0] = '\0';
    if (!walk_any_text(w, node))
        return false;
    text = xmlNodeGetContent(node);
    fits = text && copy_trimmed(buf, size, (const char *)text);
    xmlFree(text);
    if (!fits)
        walk_fail(w, node, "too long; at most %zu characters", size - 1);
    return fits;
}

bool walk_attribute(struct walk *w, xmlNode *node, const char *name, char *buf, size_t size)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    bool there = value, fits = there && strlen((const char *)value) < size;

    snprintf(buf, size, "%s", fits ? (const char *)value : "");
    xmlFree(value);
    if (there && !fits)
        walk_fail(w, node, "attribute '%s' is too long; at most %zu characters", name, size - 1);
    return fits;
}

uint64_t walk_number(struct walk *w, xmlNode *node, const char *text, uint64_t lowest,
                     uint64_t highest)
{
    char *end;
    uint64_t v;

    errno = 0;
    v = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || v < lowest || v > highest) {
        walk_fail(w, node, "'%.40s' is not a number from %lu to %lu", text, lowest, highest);
        return 0;
    }
    return v;
}

uint64_t walk_size(struct walk *w, xmlNode *node)
{
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {
        {"KiB", 1UL << 10}, {"k", 1UL << 10},      {"b", 1},           {"bytes", 1},
        {"KB", 1000},       {"M", 1UL << 20},      {"MiB", 1UL << 20}, {"MB", 1000000},
        {"G", 1UL << 30},   {"GiB", 1UL << 30},    {"GB", 1000000000}, {"T", 1UL << 40},
        {"TiB", 1UL << 40}, {"TB", 1000000000000},
    };
    char text[32], unit[16];

    if (!walk_text(w, node, text, sizeof(text)))
        return 0;
    if (!walk_attribute(w, node, "unit", unit, sizeof(unit)))
        strcpy(unit, "KiB");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (!strcmp(unit, units[i].name)) {
            uint64_t n = walk_number(w, node, text, 1, (1UL << 43) / units[i].bytes);

            return (n * units[i].bytes + 4095) & ~4095UL;
        }
    walk_fail(w, node, "unit '%s' is unknown; b, bytes, KB, KiB, MB, MiB, GB, GiB, TB or TiB",
              unit);
    return 0;
}

unsigned walk_word(struct walk *w, xmlNode *node, const char *const *words, unsigned n)
{
    char text[64], all[200] = "";
    size_t at = 0;

    if (!walk_text(w, node, text, sizeof(text)))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        if (!strcmp(text, words[i]))
            return i;
        at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s",
                               !i           ? ""
                               : i + 1 == n ? " or "
                                            : ", ",
                               words[i]);
    }
    walk_fail(w, node, "'%s' is not supported; it may be %s", text, all);
    return 0;
}

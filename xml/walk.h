/* SPDX-License-Identifier: MIT */
/* Walking a checked XML tree by tables of what may stand where. */
#ifndef BH_XML_WALK_H
#define BH_XML_WALK_H

#include <libxml/tree.h>
#include "xml/domcfg.h"

struct walk {
    char error[DOMCFG_ERROR_SIZE]; /* the first one; empty: none */
};

#define WALK_REQUIRED 1U
#define WALK_MANY     2U

struct walk_rule {
    const char *element;
    void (*fn)(struct walk *w, xmlNode *node, void *arg);
    unsigned flags;
    const char *attributes; /* those it may have, separated by spaces; NULL: none */
};

/* Notes what is wrong with node, unless there is an error already: "FILE:LINE: <element>: text". */
void walk_fail(struct walk *w, const xmlNode *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same of what was there. */
void walk_fail_at(struct walk *w, const struct place *at, const char *element, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool walk_failed(const struct walk *w);
/* The first element of each file has its path in _private. */
void walk_place(const xmlNode *node, struct place *at);
/* A path that is not absolute is relative to the file that names it. NULL: out of memory. */
char *walk_path(struct walk *w, const xmlNode *node, const char *path);

/* Applies the rule of each child element; what no rule names is an error. No rules: it is empty. */
void walk_children(struct walk *w, xmlNode *node, const struct walk_rule *rules, size_t n,
                   void *arg);

/* No attributes but those allowed, names separated by spaces; NULL: none. */
void walk_attributes(struct walk *w, const xmlNode *node, const char *allowed);
/* No elements between the tags; whatever the text is. */
bool walk_any_text(struct walk *w, const xmlNode *node);
/* Text between the tags, without white space around it, into buf; false: too long, or elements. */
bool walk_text(struct walk *w, xmlNode *node, char *buf, size_t size);
/* An attribute's value into buf, as it stands; false and "": it is not there, or too long. */
bool walk_attribute(struct walk *w, xmlNode *node, const char *name, char *buf, size_t size);
/* A whole number in lowest..highest; 0 after an error. */
uint64_t walk_number(struct walk *w, xmlNode *node, const char *text, uint64_t lowest,
                     uint64_t highest);
/* libvirt's scaled integer: text and attribute unit (default KiB), in bytes. */
uint64_t walk_size(struct walk *w, xmlNode *node);
/* The index of the node's text in the words, 0 after an error. */
unsigned walk_word(struct walk *w, xmlNode *node, const char *const *words, unsigned n);

#endif

/* SPDX-License-Identifier: MIT */
#include "xml/source.h"

#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/uri.h>
#include <libxml/xinclude.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARSE     (XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES)
#define MAX_DEPTH 8U    /* of files that include files */
#define MAX_FILES 1000U /* ten in each, as deep, would be 10^8 */

struct reading {
    struct walk *w;
    struct source **files; /* the first one is being parsed, or was the last */
    unsigned includes;
};

/* Of the file that is being parsed. */
static void fail_line(struct reading *r, int line, const char *text)
{
    if (!walk_failed(r->w))
        snprintf(r->w->error, sizeof(r->w->error), "%s:%d: %.*s", (*r->files)->path, line,
                 (int)strcspn(text, "\n"), text);
}

/* libxml2's messages: the first one counts. */
static void on_error(void *arg, xmlErrorPtr e)
{
    if (e->level >= XML_ERR_ERROR)
        fail_line(arg, e->line, e->message ? e->message : "not XML");
}

/*
 * The file, opened, as libxml2 takes a path for a URI; -1: *why it cannot be. One that is included
 * is a regular file: a FIFO would be waited for.
 */
static int open_file(const char *path, bool included, const char **why)
{
    struct stat st;
    int fd;

    if (stat(path, &st)) {
        *why = strerror(errno);
        return -1;
    }
    if (S_ISDIR(st.st_mode) || (included && !S_ISREG(st.st_mode))) {
        *why = S_ISDIR(st.st_mode) ? "it is a directory" : "it is not a regular file";
        return -1;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        *why = strerror(errno);
    return fd;
}

static bool add_file(struct reading *r, const char *path)
{
    struct source *file = malloc(sizeof(*file) + strlen(path) + 1);

    if (!file)
        return false;
    memcpy(file->path, path, strlen(path) + 1);
    file->next = *r->files;
    *r->files = file;
    return true;
}

/* Entities can grow without end, and nothing here has use for a document type. */
static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    xmlParserCtxt *parser = context;
    struct reading *r = parser->_private;

    (void)name;
    (void)external;
    (void)system;
    fail_line(r, xmlSAX2GetLineNumber(parser), "<!DOCTYPE>: not supported; leave it out");
    xmlStopParser(parser);
}

static xmlDoc *parse_fd(struct reading *r, int fd, const char *path)
{
    xmlParserCtxt *parser = xmlNewParserCtxt();
    xmlDoc *doc;

    if (!parser)
        return NULL;
    parser->_private = r;
    parser->sax->internalSubset = on_doctype;
    doc = xmlCtxtReadFd(parser, fd, path, NULL, PARSE);
    xmlFreeParserCtxt(parser);
    if (!walk_failed(r->w))
        return doc;
    xmlFreeDoc(doc);
    return NULL;
}

/* What is in fd, which is closed. The first element knows the path for those below it. */
static xmlDoc *parse(struct reading *r, int fd, const char *path)
{
    xmlDoc *doc = add_file(r, path) ? parse_fd(r, fd, path) : NULL;

    close(fd);
    if (doc)
        xmlDocGetRootElement(doc)->_private = (*r->files)->path;
    else if (!walk_failed(r->w))
        snprintf(r->w->error, sizeof(r->w->error), "%s: out of memory", path);
    return doc;
}

static bool is_include(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE && node->ns &&
           !strcmp((const char *)node->name, "include") &&
           (!strcmp((const char *)node->ns->href, (const char *)XINCLUDE_OLD_NS) ||
            !strcmp((const char *)node->ns->href, (const char *)XINCLUDE_NS));
}

/* What href names: a path as it stands, and if there is no such file, a URI with escapes. */
static char *find(struct walk *w, const xmlNode *node, const char *href)
{
    char *path = walk_path(w, node, href), *unescaped, *other;

    if (!path || !access(path, F_OK))
        return path;
    unescaped = xmlURIUnescapeString(href, 0, NULL);
    other = unescaped ? walk_path(w, node, unescaped) : NULL;
    xmlFree(unescaped);
    if (!other || access(other, F_OK)) {
        free(other);
        return path;
    }
    free(path);
    return other;
}

static xmlDoc *open_include(struct reading *r, const xmlNode *node, const char *href)
{
    char *path = find(r->w, node, href);
    const char *why = "out of memory";
    int fd = path ? open_file(path, true, &why) : -1;
    xmlDoc *doc = fd >= 0 ? parse(r, fd, path) : NULL;

    if (fd < 0)
        walk_fail(r->w, node, "'%s' cannot be read: %s", href, why);
    free(path);
    return doc;
}

/*
 * Puts the root of the file that an <xi:include> names in its place, and returns it. libxml2 would
 * do it, but forgets the name of a file in the same directory, which messages need.
 */
static xmlNode *include(struct reading *r, xmlNode *node)
{
    char href[DOMCFG_PATH_SIZE];
    xmlNode *root = NULL;
    xmlDoc *doc;

    walk_attributes(r->w, node, "href");
    walk_children(r->w, node, NULL, 0, NULL);
    walk_attribute(r->w, node, "href", href, sizeof(href));
    if (!*href)
        walk_fail(r->w, node, "needs href='PATH'");
    if (++r->includes > MAX_FILES)
        walk_fail(r->w, node, "more than %u files are included", MAX_FILES);
    doc = walk_failed(r->w) ? NULL : open_include(r, node, href);
    if (doc)
        root = xmlDocCopyNode(xmlDocGetRootElement(doc), node->doc, 1);
    if (root) {
        root->_private = (*r->files)->path;
        xmlReplaceNode(node, root);
        xmlFreeNode(node);
    }
    xmlFreeDoc(doc);
    return root;
}

/* In node and below; depth: of the files. */
/* NOLINTNEXTLINE(misc-no-recursion): MAX_DEPTH files of as many levels as libxml2 reads, 256 */
static void include_all(struct reading *r, xmlNode *node, unsigned depth)
{
    xmlNode *next;

    if (depth > MAX_DEPTH)
        walk_fail(r->w, node, "files include each other more than %u deep", MAX_DEPTH);
    for (xmlNode *c = node->children; c && !walk_failed(r->w); c = next) {
        next = c->next;
        if (is_include(c)) {
            c = include(r, c);
            if (c)
                include_all(r, c, depth + 1);
        } else if (c->type == XML_ELEMENT_NODE) {
            include_all(r, c, depth);
        }
    }
}

xmlDoc *source_read(struct walk *w, const char *path, struct source **files)
{
    struct reading r = {.w = w, .files = files};
    const char *why;
    int fd = open_file(path, false, &why);
    xmlDoc *doc = NULL;

    xmlSetStructuredErrorFunc(&r, on_error);
    if (fd < 0)
        snprintf(w->error, sizeof(w->error), "%.*s: cannot be read: %s", DOMCFG_PATH_SIZE, path,
                 why);
    else
        doc = parse(&r, fd, path);
    if (doc)
        include_all(&r, xmlDocGetRootElement(doc), 0);
    xmlSetStructuredErrorFunc(NULL, NULL);
    if (!walk_failed(w))
        return doc;
    xmlFreeDoc(doc);
    return NULL;
}

void source_free(struct source *files)
{
    while (files) {
        struct source *next = files->next;

        free(files);
        files = next;
    }
}

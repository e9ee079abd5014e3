/* SPDX-License-Identifier: MIT */
/* <host>: the elements of a host, what must hold between domains; then RELAX NG. */
#include <ctype.h>
#include <libxml/relaxng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "xml/domxml.h"
#include "xml/source.h"

#define HOST_SHARE (8UL << 20) /* memory that the hypervisor takes, but for its frame table */
#define OURS       (DOMCFG_CTL_MEMORY + DOMCFG_XS_MEMORY + DOMCFG_XS_VAULT)
#define RULES(r)   (r), sizeof(r) / sizeof((r)[0])

extern const char bulkhead_rng[];

static struct walk walk;

static void read_name(struct walk *w, xmlNode *node, void *arg)
{
    domxml_name(w, node, ((struct hostcfg *)arg)->name);
}

static void read_memory(struct walk *w, xmlNode *node, void *arg)
{
    struct hostcfg *h = arg;

    h->memory = walk_size(w, node);
    walk_place(node, &h->memory_at);
}

static void read_on_idle(struct walk *w, xmlNode *node, void *arg)
{
    static const char *const words[] = {"stay", "poweroff"};

    ((struct hostcfg *)arg)->poweroff_when_idle = walk_word(w, node, words, 2);
}

static void read_control(struct walk *w, xmlNode *node, void *arg)
{
    struct hostcfg *h = arg;

    walk_children(w, node, NULL, 0, NULL);
    h->control = true;
    h->control_affinity = domxml_cpuset(w, node);
}

static void read_domain(struct walk *w, xmlNode *node, void *arg)
{
    struct hostcfg *h = arg;
    struct domcfg *more;

    if (h->ndomains == DOMCFG_MAX_DOMAINS) {
        walk_fail(w, node, "more than %d domains", DOMCFG_MAX_DOMAINS);
        return;
    }
    more = realloc(h->domains, (h->ndomains + 1) * sizeof(*more));
    if (!more) {
        walk_fail(w, node, "out of memory");
        return;
    }
    h->domains = more;
    domxml_read(w, node, &h->domains[h->ndomains++]);
}

static void check_pair(const struct domcfg *a, const struct domcfg *b)
{
    if (!strcmp(a->name, b->name))
        walk_fail_at(&walk, &b->name_at, "name", "the name '%s' is that of %s:%ld already", b->name,
                     a->name_at.file, a->name_at.line);
    if (a->has_uuid && b->has_uuid && !memcmp(a->uuid, b->uuid, sizeof(a->uuid)))
        walk_fail_at(&walk, &b->uuid_at, "uuid", "the UUID of '%s' is that of %s:%ld already",
                     b->name, a->uuid_at.file, a->uuid_at.line);
}

/* Those of <control/> have their names already. */
static void check_ours(const struct hostcfg *h, const struct domcfg *d)
{
    if (h->control && (!strcmp(d->name, "ctl") || !strcmp(d->name, "xs")))
        walk_fail_at(&walk, &d->name_at, "name",
                     "'%s' is the name of a domain of <control/>; choose another", d->name);
}

static void check_host(xmlNode *root, const struct hostcfg *h)
{
    uint64_t sum = HOST_SHARE + (h->control ? OURS : 0);

    if (!h->ndomains && !h->control)
        walk_fail(&walk, root, "no <domain> and no <control/>: a host with nothing to run");
    for (uint32_t i = 0; i < h->ndomains; i++) {
        sum += h->domains[i].current;
        check_ours(h, &h->domains[i]);
        for (uint32_t j = 0; j < i; j++)
            check_pair(&h->domains[j], &h->domains[i]);
    }
    if (sum > h->memory)
        walk_fail_at(&walk, &h->memory_at, "memory",
                     "the domains and the hypervisor take %lu MiB, the host has %lu MiB",
                     (sum + (1 << 20) - 1) >> 20, h->memory >> 20);
}

/* Is it what the file must hold? */
static bool check_root(const xmlNode *root, const char *element)
{
    if (root->ns || strcmp((const char *)root->name, element))
        walk_fail(&walk, root, "not a %s file; its first element is <%s>", element, element);
    return !walk_failed(&walk);
}

static void read_host(xmlNode *root, void *arg)
{
    static const struct walk_rule top[] = {
        {"name", read_name, WALK_REQUIRED, NULL},
        {"memory", read_memory, WALK_REQUIRED, "unit"},
        {"on_idle", read_on_idle, 0, NULL},
        {"control", read_control, 0, "cpuset"},
        {"domain", read_domain, WALK_MANY, DOMXML_ATTRIBUTES},
    };

    struct hostcfg *h = arg;

    if (!check_root(root, "host"))
        return;
    if (root->properties)
        walk_fail(&walk, root, "it may have no attributes");
    walk_children(&walk, root, RULES(top), h);
    if (!walk_failed(&walk))
        check_host(root, h);
}

static void read_one_domain(xmlNode *root, void *arg)
{
    if (!check_root(root, "domain"))
        return;
    walk_attributes(&walk, root, DOMXML_ATTRIBUTES);
    domxml_read(&walk, root, arg);
}

static void on_invalid(void *arg, xmlErrorPtr e)
{
    const xmlNode *node = e->node;

    while (node && node->type != XML_ELEMENT_NODE)
        node = node->parent;
    walk_fail(&walk, node ? node : arg, "not valid by the schema: %.*s",
              (int)strcspn(e->message, "\n"), e->message);
}

/* The second net: what the tables above allow and the schema does not is an error of ours. */
static void validate(xmlDoc *doc)
{
    xmlRelaxNGParserCtxt *parser =
        xmlRelaxNGNewMemParserCtxt(bulkhead_rng, (int)strlen(bulkhead_rng));
    xmlRelaxNG *schema = xmlRelaxNGParse(parser);
    xmlRelaxNGValidCtxt *valid = schema ? xmlRelaxNGNewValidCtxt(schema) : NULL;
    xmlNode *root = xmlDocGetRootElement(doc);

    xmlRelaxNGSetValidStructuredErrors(valid, on_invalid, root);
    if (!valid)
        walk_fail(&walk, root, "the schema cannot be read");
    else if (xmlRelaxNGValidateDoc(valid, doc))
        walk_fail(&walk, root, "not valid by the schema");
    xmlRelaxNGFreeValidCtxt(valid);
    xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
}

/* Reads a file with all that it includes; fn is for its first element. */
static const char *read_file(const char *path, struct source **files,
                             void (*fn)(xmlNode *root, void *arg), void *arg)
{
    xmlDoc *doc;

    walk.error[0] = '\0';
    doc = source_read(&walk, path, files);
    if (doc)
        fn(xmlDocGetRootElement(doc), arg);
    if (!walk_failed(&walk))
        validate(doc);
    xmlFreeDoc(doc);
    hostcfg_one_line(walk.error);
    return walk_failed(&walk) ? walk.error : NULL;
}

const char *hostcfg_read(struct hostcfg *h, const char *path)
{
    memset(h, 0, sizeof(*h));
    return read_file(path, &h->files, read_host, h);
}

const char *domcfg_read(struct domcfg *d, const char *path)
{
    struct source *files = NULL;
    const char *wrong;

    memset(d, 0, sizeof(*d));
    wrong = read_file(path, &files, read_one_domain, d);
    d->files = files;
    return wrong;
}

void hostcfg_one_line(char *message)
{
    for (; *message; message++)
        if (iscntrl((unsigned char)*message))
            *message = ' ';
}

void hostcfg_free(struct hostcfg *h)
{
    for (uint32_t i = 0; i < h->ndomains; i++)
        domcfg_free(&h->domains[i]);
    free(h->domains);
    source_free(h->files);
    h->domains = NULL;
    h->ndomains = 0;
    h->files = NULL;
}

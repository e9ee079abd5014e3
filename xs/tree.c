/* SPDX-License-Identifier: MIT */
#include "xs/tree.h"

#include "hyp/lib/string.h"
#include "xs/kinds.h"
#include "xs/siphash.h"

#define BITS   3U
#define WAYS   (1U << BITS)
#define LEVELS (63U / BITS) /* more than any two hashes agree in */

struct branch {
    struct block block;
    uint32_t child[WAYS];
};

static unsigned way(uint64_t hash, unsigned level)
{
    return (unsigned)(hash >> level * BITS) % WAYS;
}

/* --- nodes and paths --- */

const char *node_names(const struct vault *v, const struct node *n, uint32_t *len)
{
    const struct names *names = vault_at(v, n->names);

    *len = names ? names->len : 0;
    return names ? names->text : "";
}

struct node *node_new(struct vault *v, const struct path *p, uint32_t perms, uint32_t names,
                      const void *data, uint32_t len)
{
    struct node *n = vault_new(v, KIND_NODE, 2, offsetof(struct node, bytes), p->len + 1 + len);

    if (!n)
        return NULL;
    n->perms = perms;
    n->names = names;
    n->hash = p->hash;
    n->path_len = (uint16_t)p->len;
    n->data_len = len;
    memcpy(n->bytes, p->text, p->len);
    n->bytes[p->len] = '\0';
    memcpy(n->bytes + p->len + 1, data, len);
    return n;
}

static struct names *names_new(struct vault *v, uint32_t len)
{
    struct names *names = vault_new(v, KIND_NAMES, 0, offsetof(struct names, text), len);

    if (names)
        names->len = len;
    return names;
}

uint32_t names_add(struct vault *v, uint32_t old, const char *name, uint32_t len)
{
    const struct names *from = vault_at(v, old);
    uint32_t before = from ? from->len : 0;
    struct names *names = names_new(v, before + len + 1);

    if (!names)
        return 0;
    if (from)
        memcpy(names->text, from->text, before);
    memcpy(names->text + before, name, len);
    names->text[before + len] = '\0';
    return vault_ref(v, names);
}

/* The offset of a name; all names' length when it is not there. */
static uint32_t name_at(const struct names *names, const char *name, uint32_t len)
{
    uint32_t at = 0;

    while (at < names->len && (strncmp(names->text + at, name, len) != 0 || names->text[at + len]))
        at += (uint32_t)strlen(names->text + at) + 1;
    return at;
}

bool names_have(const struct vault *v, uint32_t names, const char *name, uint32_t len)
{
    const struct names *n = vault_at(v, names);

    return n && name_at(n, name, len) < n->len;
}

uint32_t names_remove(struct vault *v, uint32_t old, const char *name, uint32_t len, bool *empty)
{
    const struct names *from = vault_at(v, old);
    uint32_t at = name_at(from, name, len);
    struct names *names;

    *empty = from->len == len + 1;
    if (*empty)
        return 0;
    names = names_new(v, from->len - len - 1);
    if (!names)
        return 0;
    memcpy(names->text, from->text, at);
    memcpy(names->text + at, from->text + at + len + 1, from->len - at - len - 1);
    return vault_ref(v, names);
}

int32_t node_cost(const struct vault *v, const struct node *n)
{
    uint32_t names = n->names ? vault_bytes(vault_at(v, n->names)) : 0;

    return (int32_t)(vault_bytes(n) + names + (uint32_t)sizeof(struct branch) / 2);
}

struct path path_make(const struct vault *v, const char *text, uint32_t len)
{
    return (struct path){text, len, siphash(v->head->key, text, len)};
}

struct path path_parent(const struct vault *v, const struct path *p)
{
    uint32_t len = p->len - 1;

    while (len && p->text[len] != '/')
        len--;
    return path_make(v, p->text, MAX(len, 1U));
}

const char *path_name(const struct path *p, uint32_t *len)
{
    const char *name = p->text + p->len;

    while (name[-1] != '/')
        name--;
    *len = (uint32_t)(p->text + p->len - name);
    return name;
}

/* --- the map --- */

static bool is_branch(const struct block *b)
{
    return b->kind == KIND_BRANCH;
}

static bool is_at(const struct node *n, const struct path *p)
{
    return n->hash == p->hash && n->path_len == p->len && memcmp(n->bytes, p->text, p->len) == 0;
}

const struct node *tree_find(const struct vault *v, uint32_t root, const struct path *p)
{
    const struct block *b = vault_at(v, root);

    for (unsigned level = 0; b && is_branch(b); level++)
        b = vault_at(v, ((const struct branch *)b)->child[way(p->hash, level)]);
    return b && is_at((const struct node *)b, p) ? (const struct node *)b : NULL;
}

static struct branch *branch_new(struct vault *v)
{
    return vault_new(v, KIND_BRANCH, WAYS, sizeof(struct branch), 0);
}

/* The branch itself if this request made it, else a copy. */
static struct branch *writable(struct vault *v, uint32_t ref)
{
    struct branch *b = vault_at(v, ref), *copy;

    if (vault_is_fresh(b))
        return b;
    copy = branch_new(v);
    if (copy)
        memcpy(copy->child, b->child, sizeof(copy->child));
    return copy;
}

/* A branch at this level for two nodes, or several below each other while they go the same way. */
static uint32_t branch_out(struct vault *v, unsigned level, uint32_t old, const struct node *n)
{
    uint64_t hash = ((const struct node *)vault_at(v, old))->hash;
    uint32_t top = 0, *place = &top;

    for (;; level++) {
        struct branch *b = level < LEVELS ? branch_new(v) : NULL;

        if (!b)
            return 0;
        *place = vault_ref(v, b);
        if (way(hash, level) != way(n->hash, level)) {
            b->child[way(hash, level)] = old;
            b->child[way(n->hash, level)] = vault_ref(v, n);
            return top;
        }
        place = &b->child[way(hash, level)];
    }
}

uint32_t tree_put(struct vault *v, uint32_t root, const struct node *n)
{
    uint32_t top = root, *place = &top;
    unsigned level = 0;

    for (; *place && is_branch(vault_at(v, *place)); level++) {
        struct branch *b = writable(v, *place);

        if (!b)
            return 0;
        *place = vault_ref(v, b);
        place = &b->child[way(n->hash, level)];
    }
    if (*place) {
        struct path p = {n->bytes, n->path_len, n->hash};

        if (!is_at(vault_at(v, *place), &p)) {
            *place = branch_out(v, level, *place, n);
            return *place ? top : 0;
        }
    }
    *place = vault_ref(v, n);
    return top;
}

/* The only child of a branch if it is a node; 0: it has others. */
static uint32_t only_node(const struct vault *v, const struct branch *b)
{
    uint32_t only = 0;

    for (unsigned i = 0; i < WAYS; i++) {
        if (!b->child[i])
            continue;
        if (only)
            return 0;
        only = b->child[i];
    }
    return is_branch(vault_at(v, only)) ? 0 : only;
}

uint32_t tree_remove(struct vault *v, uint32_t root, const struct path *p)
{
    uint32_t top = root, *place = &top, *places[LEVELS + 1];
    unsigned level = 0;

    for (; is_branch(vault_at(v, *place)); level++) {
        struct branch *b = writable(v, *place);

        if (!b)
            return 0;
        *place = vault_ref(v, b);
        places[level] = place;
        place = &b->child[way(p->hash, level)];
    }
    *place = 0;
    while (level--) {
        uint32_t only = only_node(v, vault_at(v, *places[level]));

        if (!only)
            break;
        *places[level] = only;
    }
    return top;
}

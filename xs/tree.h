/* SPDX-License-Identifier: MIT */
/*
 * The nodes of the store, and the map that finds them by path. Both are immutable once committed: a
 * node that is written is another object, and the map copies its own way to it and shares the rest.
 * So whoever holds a node, or a root of the map, has a snapshot.
 *
 * The map is a trie over the hash of the path, three bits a step; a branch or a node hangs in each
 * place. A node knows the names of its children in the order in which they were made.
 */
#ifndef BH_XS_TREE_H
#define BH_XS_TREE_H

#include "xs/perms.h"
#include "xs/vault.h"

/* An absolute path, NUL-terminated, and its hash. */
struct path {
    const char *text;
    uint32_t len;
    uint64_t hash;
};

struct names {
    struct block block;
    uint32_t len;
    char text[]; /* each with its NUL */
};

struct node {
    struct block block;
    uint32_t perms, names; /* names: 0 for none */
    uint64_t generation, hash;
    uint32_t data_len;
    uint16_t path_len;
    char bytes[]; /* the path, NUL, the value */
};

static inline const char *node_data(const struct node *n)
{
    return n->bytes + n->path_len + 1;
}

static inline const struct perms *node_perms(const struct vault *v, const struct node *n)
{
    return vault_at(v, n->perms);
}

/* The children: *len bytes of names, each with its NUL. */
const char *node_names(const struct vault *v, const struct node *n, uint32_t *len);
/* A new node. NULL: no memory. */
struct node *node_new(struct vault *v, const struct path *p, uint32_t perms, uint32_t names,
                      const void *data, uint32_t len);
/* Whether a name is among them. */
bool names_have(const struct vault *v, uint32_t names, const char *name, uint32_t len);
/* The names and one more; the names without one that they have. 0: no memory, or none left
 * (*empty).
 */
uint32_t names_add(struct vault *v, uint32_t old, const char *name, uint32_t len);
uint32_t names_remove(struct vault *v, uint32_t old, const char *name, uint32_t len, bool *empty);
/* Bytes that a node holds, with its share of the map, for accounts. */
int32_t node_cost(const struct vault *v, const struct node *n);

struct path path_make(const struct vault *v, const char *text, uint32_t len);
/* The path one up ("/" for "/a"); p is not "/". It is no string: not NUL-terminated. */
struct path path_parent(const struct vault *v, const struct path *p);
/* The last name of a path. */
const char *path_name(const struct path *p, uint32_t *len);

const struct node *tree_find(const struct vault *v, uint32_t root, const struct path *p);
/* The map with the node, in the place of another of its path. 0: no memory. */
uint32_t tree_put(struct vault *v, uint32_t root, const struct node *n);
/* The map without the node of this path, which is there and not the last. 0: no memory. */
uint32_t tree_remove(struct vault *v, uint32_t root, const struct path *p);

#endif

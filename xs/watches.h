/* SPDX-License-Identifier: MIT */
/*
 * Watches. A hash table finds those of a path, so that an event costs by the depth of its path and
 * by who gets it, not by how many watches there are. Events go out in the order in which the
 * connections came, then in that of each one's watches.
 */
#ifndef BH_XS_WATCHES_H
#define BH_XS_WATCHES_H

#include "xs/conn.h"

#define WATCH_INTRODUCE "@introduceDomain"
#define WATCH_RELEASE   "@releaseDomain"

/* What the watchers may have to be allowed to see. node: as it is now, NULL when there is none. */
struct watch_event {
    struct path path;
    bool exact;              /* only watches of this very path, not of those above it */
    const struct perms *old; /* the permissions that it had; NULL: they do not count */
    uint64_t old_generation;
    const struct node *node;
    uint32_t on_account; /* the domain that caused it, or TENANT_NOBODY */
    bool may_be_lost;    /* for want of memory: what it tells of cannot be refused */
};

/* NULL: none. The path and the token are NUL-terminated. */
struct watch *watches_find(const struct store *s, const struct conn *c, const char *path,
                           const char *token);
/* prefix: how much of the path its events leave out. 0, XEN_ENOMEM. */
int watches_add(struct store *s, struct conn *c, const char *path, const char *token,
                uint32_t prefix, const struct watch **made);
void watches_remove(struct store *s, struct conn *c, struct watch *w);
void watches_remove_all(struct store *s, struct conn *c);
/* Sends one event of this watch for the path. 0, XEN_ENOMEM; XEN_ENOSPC: the request has too many.
 */
int watches_tell(struct store *s, const struct watch *w, const char *path, uint32_t len,
                 uint32_t on_account);
/* Sends the event to all who watch and may know. 0, XEN_ENOMEM, XEN_ENOSPC. */
int watches_fire(struct store *s, const struct watch_event *e);
/* The same for WATCH_INTRODUCE and WATCH_RELEASE; the latter may be lost. */
int watches_fire_special(struct store *s, const char *name);
/* Makes the hash table anew. */
void watches_index(struct store *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The nodes as a request sees them: in its transaction, or in the store itself; with the
 * connection's permissions, and the quotas. Functions return 0 or XEN_E*.
 */
#ifndef BH_XS_VIEW_H
#define BH_XS_VIEW_H

#include "xs/state.h"

/* The absolute path of the request's text, or there, or in s->path. XEN_EINVAL: no node can have
 * it. */
int view_path(struct request *r, const char *text, struct path *p);
/* The same without the check of what a node can have. */
struct path view_absolute(struct request *r, const char *text);
/* The node, whoever asks. XEN_ENOENT, XEN_ENOSPC, XEN_ENOMEM. */
int view_read(struct request *r, const struct path *p, const struct node **n);
/* The node if the connection has all of these permissions; who could not know that it is not there
 * gets XEN_EACCES, not XEN_ENOENT. */
int view_get(struct request *r, const struct path *p, unsigned need, const struct node **n);
/* Another value, other permissions (0: the same), for a node that is there. */
int view_change(struct request *r, const struct path *p, const struct node *old, uint32_t perms,
                const char *data, uint32_t len, const struct node **n);
/* A node that is not there, and what is missing above it. */
int view_create(struct request *r, const struct path *p, const char *data, uint32_t len,
                const struct node **n);
/* The node, which is there and not "/", and all below it; tells the watchers of each. */
int view_remove(struct request *r, const struct path *p);
/* One more node of the domain that owns this one, or one less. */
int view_count(struct request *r, const struct node *n, int32_t nodes);
/* Tells the watchers of a changed node, or at the end of the transaction. old: the permissions it
 * had, or NULL. */
int view_fire(struct request *r, const struct path *p, bool exact, const struct node *n,
              const struct node *old);
/* Removes what a domain owns, and all below that. */
int view_remove_owned(struct request *r, uint32_t domid);
/* Whether every node that has a name is there: XEN_EIO if not. */
int view_check(struct request *r);

#endif

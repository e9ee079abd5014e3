/* SPDX-License-Identifier: MIT */
/*
 * Transactions. One takes a snapshot of each node when it first sees it, which costs a reference,
 * and changes its own copies. It ends well when every node that it has seen is still the one that
 * it saw.
 */
#ifndef BH_XS_TRANSACTION_H
#define BH_XS_TRANSACTION_H

#include "xs/conn.h"

/* NULL: there is none of this number. */
struct transaction *transaction_find(const struct store *s, const struct conn *c, uint32_t id);
/* NULL: no memory. */
struct transaction *transaction_new(struct store *s, struct conn *c);
/* Takes it off its connection's list. */
void transaction_remove(struct store *s, struct conn *c, struct transaction *t);
void transaction_remove_all(struct store *s, struct conn *c);

/* NULL: it has not seen this path. */
struct access *transaction_access(const struct store *s, const struct transaction *t,
                                  const struct path *p);
/* It sees this path now: node, or nothing. NULL: no memory, or more than the quotas allow (*error).
 */
struct access *transaction_see(struct store *s, struct conn *c, struct transaction *t,
                               const struct path *p, const struct node *node, int *error);
/* node, or nothing, in the place of what it has. 0, XEN_ENOMEM. */
int transaction_put(struct store *s, struct conn *c, struct transaction *t, struct access *a,
                    const struct node *node);
void transaction_fail(struct store *s, struct transaction *t);
/* It makes (or, negative, removes) so many nodes of a domain. 0, XEN_ENOMEM. */
int transaction_nodes(struct store *s, struct transaction *t, uint32_t domid, int32_t nodes);
/* Makes its changes those of the store, and tells the watchers. 0, or XEN_EAGAIN, XEN_ENOSPC,
 * XEN_ENOMEM, without any change. */
int transaction_end(struct store *s, struct conn *c, struct transaction *t);

#endif

/* SPDX-License-Identifier: MIT */
/* The domains that the store knows, and what each of them uses of it. */
#ifndef BH_XS_TENANT_H
#define BH_XS_TENANT_H

#include "xs/state.h"

#define DOMID_SELF_NUMBER 0x7ff0U
#define TENANT_NOBODY     0xffffffffU /* no domain's number */

/* NULL: not known. */
struct tenant *tenant_find(const struct store *s, uint32_t domid);
/* NULL: no memory. */
struct tenant *tenant_new(struct store *s, uint32_t domid);
void tenant_remove(struct store *s, struct tenant *t);
/* Makes the hash table anew. */
void tenant_index(struct store *s);
static inline bool tenant_privileged(uint32_t domid)
{
    return domid == 0;
}

/*
 * Adds bytes to a tenant's account. checked: XEN_ENOMEM when it would have more than its quota, or
 * more than is free: however many take what they can, as much as each of them has is left for the
 * others. 0: done.
 */
int tenant_charge(struct store *s, struct tenant *t, int32_t bytes, bool checked);
void tenant_nodes(struct store *s, struct tenant *t, int32_t nodes);
/* The same for what a connection holds; it is given back when the connection ends. */
int conn_charge(struct store *s, struct conn *c, int32_t bytes, bool checked);
/* What perms_of() has to know of a connection. */
struct identity tenant_identity(const struct store *s, const struct conn *c);
/* Permissions without the entries of domains that are not known or younger than the node: as they
 * are written again. 0: no memory. */
uint32_t tenant_perms(struct store *s, uint32_t perms, uint64_t generation);
/* One message on the account of this domain has gone (or come); TENANT_NOBODY: nobody's. */
void tenant_outstanding(struct store *s, uint32_t domid, int32_t n);

#endif

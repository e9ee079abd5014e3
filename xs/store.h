/* SPDX-License-Identifier: MIT */
/*
 * XenStore, without a system around it. A connection is a Xen store ring (xen/io/xs_wire.h), shared
 * with somebody who may write anything to it at any time; whoever embeds the store maps rings and
 * carries notifications. All state lies in a vault (vault.h): a request changes it, and takes the
 * request from the ring and puts the answer and the events there, in one step that a crash cannot
 * part.
 */
#ifndef BH_XS_STORE_H
#define BH_XS_STORE_H

#include "xs/vault.h"

#include <xen/io/xs_wire.h>

struct store;
struct conn;

struct store_ops {
    /* The ring of connection id has changed: tell the other side. */
    void (*notify)(void *context, uint32_t id);
    /* Connection id broke the protocol and is ignored from now on. */
    void (*broken)(void *context, uint32_t id);
    /*
     * Maps the store page of a domain (grant 1) and binds its port, or binds another port when
     * *ring is not NULL. *id is how the embedding program calls the connection. False: not
     * possible; *ring is NULL if it has none any more. May be called again for the same request
     * after a crash.
     */
    bool (*introduce)(void *context, uint32_t domid, uint32_t port, uint32_t *id,
                      struct xenstore_domain_interface **ring);
    /* A connection of introduce() or connect() is gone, and nobody has been told: unmap and unbind.
     */
    void (*release)(void *context, uint32_t id, uint32_t domid);
    /* Whether there is a domain of that number. */
    bool (*exists)(void *context, uint32_t domid);
    /*
     * CONTROL connect, disconnect: another ring of who may do everything, by the other side's grant
     * and port. on: maps it, if it is not mapped already; else only tells which it is, for
     * release(). *id and *ring, and what comes after a crash, as for introduce(). False: not
     * possible, or not there. NULL: there is no such thing here.
     */
    bool (*connect)(void *context, bool on, uint32_t ref, uint32_t port, uint32_t *id,
                    struct xenstore_domain_interface **ring);
    /* CONTROL print. */
    void (*print)(void *context, const char *text);
};

struct store_conn {
    uint32_t id, domid, port;
    bool privileged, introduced, broken;
};

/* Bytes of a struct store. */
size_t store_size(void);
/* Opens the store in the vault at base; see vault_open(). key: random, for a new one. */
enum vault_state store_open(struct store *s, void *base, uint32_t size, const uint64_t key[2],
                            const struct store_ops *ops, void *context);
/* The connections there are, in any order: after NULL the first, after the last NULL. */
struct conn *store_next(struct store *s, const struct conn *after);
struct store_conn store_about(const struct store *s, const struct conn *c);
/* Whether this may be the ring that it had before store_open(), and not a new one in its place. */
bool store_fits(const struct conn *c, const struct xenstore_domain_interface *ring);
/* Where its ring is mapped now, after store_open(). */
void store_map(struct store *s, struct conn *c, struct xenstore_domain_interface *ring);
/* A new connection, not from INTRODUCE: its ring is empty, or as it was left. NULL: no memory. */
struct conn *store_attach(struct store *s, uint32_t id, uint32_t domid, bool privileged,
                          struct xenstore_domain_interface *ring);
/* Ends it, with its watches and transactions. Commits. */
void store_detach(struct store *s, struct conn *c);
/* Its ring may have something for us. */
void store_kick(struct store *s, struct conn *c);
/* One piece of work for the connection whose turn it is: at most one request. True: there is more.
 */
bool store_work(struct store *s);
/* The domain shut down (its watchers are told); it is gone (as RELEASE). */
void store_domain_shutdown(struct store *s, uint32_t domid);
void store_domain_gone(struct store *s, uint32_t domid);

#endif

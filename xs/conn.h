/* SPDX-License-Identifier: MIT */
/*
 * Connections: a ring each, what came in of a request that is larger than the ring, what did not
 * fit into the ring of the answers.
 *
 *   req_prod, rsp_cons   written by the other side; read once, checked
 *   req_cons, rsp_prod   written by us only: our copies are in the vault (struct cursor), and what
 *                        we publish is the copy that was committed
 *
 * Answers go to the ring before the commit, and are published after it; so a request that a crash
 * undid is carried out again, and one that was committed is answered once.
 */
#ifndef BH_XS_CONN_H
#define BH_XS_CONN_H

#include "xs/state.h"
#include "xs/tenant.h"

/* Several pieces of a payload. */
struct piece {
    const void *data;
    uint32_t len;
};

/* NULL: no memory. */
struct conn *conn_new(struct store *s, uint32_t id, uint32_t domid, bool privileged);
/* It goes on where its ring's own indices are. */
void conn_take_ring(struct store *s, struct conn *c, struct xenstore_domain_interface *ring);
/* Takes it off the list; its watches have been dropped. */
void conn_remove(struct store *s, struct conn *c);
/* Forgets input and output. */
void conn_flush(struct store *s, struct conn *c);
/* An empty ring, both indices 0. */
void conn_reset_ring(struct store *s, struct conn *c);
/* Its ring is written, or read. */
void conn_mark_dirty(struct store *s, struct conn *c);
/* Puts it in the queue of those with work. */
void conn_ready(struct store *s, struct conn *c);
/* Whether it may be given more requests: not while too many messages on its account are queued. */
bool conn_may_ask(const struct store *s, const struct conn *c);

enum conn_input {
    CONN_NOTHING,
    CONN_PROGRESS,
    CONN_REQUEST,
    CONN_NO_MEMORY,
    CONN_BROKEN_INDEX,
    CONN_BROKEN_LENGTH
};
/* Takes a request, or a part of one, from the ring; it is in s->message. CONN_NO_MEMORY: its head
 * is, and the rest has been dropped. */
enum conn_input conn_take(struct store *s, struct conn *c);
/*
 * Sends a message: into the ring, or the queue behind it. on_account: the domain that has one more
 * outstanding message if it has to wait. 0 or XEN_ENOMEM.
 */
int conn_send(struct store *s, struct conn *c, const struct xsd_sockmsg *head,
              const struct piece *pieces, unsigned n, uint32_t on_account);
/* An event is already in the queue (in the ring is not in the queue). A guest's queue that has
 * become long is not searched: who does not read costs others nothing, but finds events twice. */
bool conn_has_event(const struct store *s, const struct conn *c, const struct piece *pieces,
                    unsigned n, uint32_t len);
/* Moves what is queued into the ring as far as it fits. True: some of it. */
bool conn_pump(struct store *s, struct conn *c);
/* Commits all that was done, and shows it to the other sides. */
void conn_commit(struct store *s);
/* Undoes all that was done. */
void conn_abort(struct store *s);

#endif

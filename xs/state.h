/* SPDX-License-Identifier: MIT */
/*
 * The records of the store's vault (see vault.h) and what a process keeps beside it. Lists are
 * linked by `next`, the newest first; fields named *_ref that are not references of the record
 * point to what others own.
 */
#ifndef BH_XS_STATE_H
#define BH_XS_STATE_H

#include "xs/store.h"
#include "xs/tree.h"

#define TENANT_HASH   64U
#define WATCH_HASH    1024U
#define PATH_SPACE    (XENSTORE_PAYLOAD_MAX + 64U) /* the longest that a relative path becomes */
#define NO_GENERATION (~0ULL)                      /* of a node that is not there */

enum quota {
    QUOTA_NODES,
    QUOTA_WATCHES,
    QUOTA_TRANSACTIONS,
    QUOTA_OUTSTANDING,
    QUOTA_TRANSACTION_NODES,
    QUOTA_MEMORY,
    QUOTA_NODE_SIZE,
    QUOTA_PATH_MAX,
    QUOTA_PERMISSIONS,
    QUOTA_MEMORY_SOFT,
    QUOTAS,
};

struct state {
    struct record record;
    struct state_live {
        uint32_t tree, conns, tenants, introduce_perms, release_perms;
        uint32_t conn_order; /* the next connection's */
        uint64_t generation; /* counts changes */
        uint32_t quota[QUOTAS];
    } live, saved;
};

/* A domain that the store knows: it was introduced, or it owns nodes or stands in permissions. */
struct tenant {
    struct record record;
    struct tenant_live {
        uint32_t next;
        uint32_t conn_ref, port;
        int32_t nodes, memory, watches;
        int32_t outstanding; /* messages on its account that are still queued */
        uint8_t introduced, shut_down, unused[6];
    } live, saved;
    uint64_t born; /* generation */
    uint32_t domid;
    uint32_t hash_next; /* volatile: the list of its bucket */
};

struct conn {
    struct record record;
    struct conn_live {
        uint32_t next, watches, transactions;
        uint32_t in, out; /* struct bytes: the request so far, what did not fit into the ring */
        uint32_t in_used, in_skip; /* bytes; in_skip: to be dropped */
        /* As much of it as in_used says, while in is 0; all, of what is to be dropped. */
        char head[sizeof(struct xsd_sockmsg)];
        uint32_t out_start, out_end, out_sent; /* out_sent: of the first message */
        uint32_t next_transaction, transactions_open, watch_order, target, has_target;
        int32_t charged;  /* bytes that its tenant bears for it */
        uint32_t ignored; /* XENSTORE_ERROR_*: it broke the protocol */
        struct cursor {
            uint32_t req_cons, rsp_prod;
        } __aligned(8) cursor;
    } live, saved;
    uint32_t id, domid, order, tenant_ref;
    uint8_t privileged, introduced; /* not bool: a vault may be damaged */
    /* volatile */
    bool is_ready, is_dirty;
    struct cursor work; /* the cursor at the end of the request under way */
    struct xenstore_domain_interface *ring;
    struct conn *ready_next, *dirty_next;
};

struct bytes {
    struct block block;
    uint32_t unused;
    char data[];
};

struct watch {
    struct record record;
    struct watch_live {
        uint32_t next, unused;
    } live, saved;
    uint64_t order; /* the connection's, then its own: events go out by it */
    uint64_t hash;  /* of the path, by hash_of() */
    uint32_t conn_ref;
    uint32_t hash_next; /* volatile: the list of its bucket, by order */
    uint16_t path_len, token_len;
    uint16_t prefix; /* how much of the path its events leave out: a relative watch */
    char text[];     /* the path, NUL, the token, NUL */
};

struct transaction {
    struct record record;
    struct transaction_live {
        uint32_t next, accesses, changes;
        uint32_t nodes; /* accesses */
        int32_t charged;
        uint8_t failed, created, unused[2];
    } live, saved;
    uint32_t id;
};

enum { ACCESS_MODIFIED = 1, ACCESS_FIRE = 2, ACCESS_EXACT = 4 };

/* A node that a transaction has seen, as it was then or as the transaction has changed it. */
struct access {
    struct record record;
    struct access_live {
        uint32_t next, first, node; /* as first seen, as it is now; 0: there is none */
        uint32_t flags;
    } live, saved;
    uint64_t hash;
    uint32_t order_next; /* volatile: the oldest first, for the commit */
    uint16_t path_len;
    char path[];
};

/* How a transaction changes the number of nodes of a domain. */
struct change {
    struct record record;
    struct change_live {
        uint32_t next;
        int32_t nodes;
    } live, saved;
    uint32_t domid;
};

struct store {
    struct vault vault;
    struct state *state;
    const struct store_ops *ops;
    void *context;
    uint32_t tenants[TENANT_HASH];
    uint32_t watches[WATCH_HASH];
    struct conn *ready, *ready_last; /* those with work, first come first served */
    struct conn *dirty;              /* those whose ring this request has written */
    bool starving;                   /* a request has no room for its answer */
    bool reindex;                    /* this request has changed what its undoing makes anew */
    struct {                         /* what RELEASE tells the embedding program, when committed */
        bool pending;
        uint32_t id, domid;
    } release;
    struct {
        struct xsd_sockmsg head;
        char payload[XENSTORE_PAYLOAD_MAX + 1];
    } message;
    char path[PATH_SPACE];
    char reply[XENSTORE_PAYLOAD_MAX + 1];
    uint32_t walk[PATH_SPACE / 2]; /* of a walk of the tree: where in each node's names it is */
    struct watch_head {            /* of an event: the watches of the path and of those above it */
        const struct watch *watch;
        uint64_t hash;
        uint32_t len;
    } heads[PATH_SPACE / 2];
};

/* A request under way. conn is NULL when the store itself is the one who asks. */
struct request {
    struct store *s;
    struct conn *conn;
    struct transaction *transaction; /* or NULL */
    struct identity who;
    const struct xsd_sockmsg *head;
    const char *payload; /* NUL-terminated */
    uint32_t len;
};

#endif

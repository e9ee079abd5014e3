/* SPDX-License-Identifier: MIT */
/* Requests for what belongs to a connection: watches and transactions. */
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"
#include "xs/request.h"
#include "xs/transaction.h"
#include "xs/view.h"
#include "xs/watches.h"
#include "xs/wire.h"

/* The path and the token of (UN)WATCH, the path made absolute. */
static int watch_args(struct request *r, struct path *p, const char **token)
{
    if (wire_strings(r->payload, r->len) != 2)
        return XEN_EINVAL;
    *token = r->payload + strlen(r->payload) + 1;
    *p = view_absolute(r, r->payload);
    return 0;
}

static int check_watch_path(const struct request *r, const struct path *p)
{
    bool good = p->text[0] == '@'
                    ? p->len <= XENSTORE_REL_PATH_MAX
                    : wire_path_valid(p->text, p->len, r->s->state->live.quota[QUOTA_PATH_MAX]);

    return good ? 0 : XEN_EINVAL;
}

int request_watch(struct request *r)
{
    struct store *s = r->s;
    const struct tenant *t = vault_at(&s->vault, r->conn->tenant_ref);
    const struct watch *w;
    const char *token;
    struct path p;
    uint32_t prefix = 0;
    int error = watch_args(r, &p, &token);

    if (!error)
        error = check_watch_path(r, &p);
    if (error)
        return error;
    if (watches_find(s, r->conn, p.text, token))
        return XEN_EEXIST;
    if (!r->who.privileged && t->live.watches > (int64_t)s->state->live.quota[QUOTA_WATCHES])
        return XEN_E2BIG;
    if (p.text != r->payload)
        prefix = p.len - (uint32_t)strlen(r->payload) - 1;
    error = watches_add(s, r->conn, p.text, token, prefix, &w);
    if (!error)
        error = request_ack(r, XS_WATCH);
    /* Each watch fires once when it is made. */
    return error ? error : watches_tell(s, w, p.text, p.len, TENANT_NOBODY);
}

int request_unwatch(struct request *r)
{
    struct store *s = r->s;
    const char *token;
    struct path p;
    struct watch *w;
    int error = watch_args(r, &p, &token);

    if (error)
        return error;
    w = watches_find(s, r->conn, p.text, token);
    if (!w)
        return XEN_ENOENT;
    watches_remove(s, r->conn, w);
    return request_ack(r, XS_UNWATCH);
}

int request_reset_watches(struct request *r)
{
    watches_remove_all(r->s, r->conn);
    transaction_remove_all(r->s, r->conn);
    return request_ack(r, XS_RESET_WATCHES);
}

int request_transaction_start(struct request *r)
{
    struct store *s = r->s;
    struct transaction *t;
    char id[12];

    if (r->transaction)
        return XEN_EBUSY;
    if (!r->who.privileged &&
        r->conn->live.transactions_open > s->state->live.quota[QUOTA_TRANSACTIONS])
        return XEN_ENOSPC;
    t = transaction_new(s, r->conn);
    if (!t)
        return XEN_ENOMEM;
    vault_touch(&s->vault, s->state);
    s->state->live.generation++;
    return request_reply(r, XS_TRANSACTION_START, id,
                         (uint32_t)format(id, sizeof(id), "%u", t->id) + 1);
}

int request_transaction_end(struct request *r)
{
    struct transaction *t = r->transaction;
    int error = 0;

    if (!wire_is_string(r->payload, r->len) ||
        (strcmp(r->payload, "T") != 0 && strcmp(r->payload, "F") != 0))
        return XEN_EINVAL;
    if (!t)
        return XEN_ENOENT;
    if (r->payload[0] == 'T')
        error = transaction_end(r->s, r->conn, t);
    if (error == XEN_ENOMEM && r->s->vault.refused)
        return error;
    transaction_remove(r->s, r->conn, t);
    return error ? error : request_ack(r, XS_TRANSACTION_END);
}

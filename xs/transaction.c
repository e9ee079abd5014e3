/* SPDX-License-Identifier: MIT */
#include "xs/transaction.h"

#include "hyp/lib/string.h"
#include "xs/kinds.h"
#include "xs/watches.h"
#include "xs/wire.h"

struct transaction *transaction_find(const struct store *s, const struct conn *c, uint32_t id)
{
    struct transaction *t = vault_at(&s->vault, c->live.transactions);

    while (t && t->id != id)
        t = vault_at(&s->vault, t->live.next);
    return t;
}

static int charge(struct store *s, struct conn *c, struct transaction *t, int32_t bytes)
{
    int error = conn_charge(s, c, bytes, bytes > 0);

    if (error)
        return error;
    vault_touch(&s->vault, t);
    t->live.charged += bytes;
    return 0;
}

struct transaction *transaction_new(struct store *s, struct conn *c)
{
    struct transaction *t =
        vault_new_record(&s->vault, KIND_TRANSACTION, 3, sizeof(t->live), sizeof(*t), 0);

    if (!t || charge(s, c, t, (int32_t)vault_bytes(t)))
        return NULL;
    vault_touch(&s->vault, c);
    do
        t->id = c->live.next_transaction++;
    while (!t->id || transaction_find(s, c, t->id));
    t->live.next = c->live.transactions;
    c->live.transactions = vault_ref(&s->vault, t);
    c->live.transactions_open++;
    return t;
}

void transaction_remove(struct store *s, struct conn *c, struct transaction *t)
{
    uint32_t self = vault_ref(&s->vault, t);
    struct transaction *before = vault_at(&s->vault, c->live.transactions);

    conn_charge(s, c, -t->live.charged, false);
    vault_touch(&s->vault, c);
    c->live.transactions_open--;
    if (before == t) {
        c->live.transactions = t->live.next;
        return;
    }
    while (before->live.next != self)
        before = vault_at(&s->vault, before->live.next);
    vault_touch(&s->vault, before);
    before->live.next = t->live.next;
}

void transaction_remove_all(struct store *s, struct conn *c)
{
    while (c->live.transactions)
        transaction_remove(s, c, vault_at(&s->vault, c->live.transactions));
}

/* --- what it has seen --- */

static struct path path_of(const struct access *a)
{
    return (struct path){a->path, a->path_len, a->hash};
}

struct access *transaction_access(const struct store *s, const struct transaction *t,
                                  const struct path *p)
{
    struct access *a = vault_at(&s->vault, t->live.accesses);

    while (a &&
           (a->hash != p->hash || a->path_len != p->len || memcmp(a->path, p->text, p->len) != 0))
        a = vault_at(&s->vault, a->live.next);
    return a;
}

struct access *transaction_see(struct store *s, struct conn *c, struct transaction *t,
                               const struct path *p, const struct node *node, int *error)
{
    struct access *a;

    vault_touch(&s->vault, t);
    if (!c->privileged && t->live.nodes >= s->state->live.quota[QUOTA_TRANSACTION_NODES]) {
        t->live.failed = true;
        *error = XEN_ENOSPC;
        return NULL;
    }
    a = vault_new_record(&s->vault, KIND_ACCESS, 3, sizeof(a->live), offsetof(struct access, path),
                         p->len + 1);
    *error = XEN_ENOMEM;
    if (!a || charge(s, c, t, (int32_t)vault_bytes(a) + (node ? node_cost(&s->vault, node) : 0)))
        return NULL;
    a->hash = p->hash;
    a->path_len = (uint16_t)p->len;
    memcpy(a->path, p->text, p->len);
    a->path[p->len] = '\0';
    a->live.first = a->live.node = vault_ref(&s->vault, node);
    a->live.next = t->live.accesses;
    t->live.accesses = vault_ref(&s->vault, a);
    t->live.nodes++;
    *error = 0;
    return a;
}

int transaction_put(struct store *s, struct conn *c, struct transaction *t, struct access *a,
                    const struct node *node)
{
    int32_t bytes = node ? node_cost(&s->vault, node) : 0;

    if (a->live.node && a->live.node != a->live.first)
        bytes -= node_cost(&s->vault, vault_at(&s->vault, a->live.node));
    if (charge(s, c, t, bytes))
        return XEN_ENOMEM;
    vault_touch(&s->vault, a);
    a->live.node = vault_ref(&s->vault, node);
    a->live.flags |= ACCESS_MODIFIED;
    return 0;
}

void transaction_fail(struct store *s, struct transaction *t)
{
    vault_touch(&s->vault, t);
    t->live.failed = true;
}

int transaction_nodes(struct store *s, struct transaction *t, uint32_t domid, int32_t nodes)
{
    struct change *ch = vault_at(&s->vault, t->live.changes);

    while (ch && ch->domid != domid)
        ch = vault_at(&s->vault, ch->live.next);
    if (!ch) {
        ch = vault_new_record(&s->vault, KIND_CHANGE, 1, sizeof(ch->live), sizeof(*ch), 0);
        if (!ch)
            return XEN_ENOMEM;
        vault_touch(&s->vault, t);
        ch->domid = domid;
        ch->live.next = t->live.changes;
        t->live.changes = vault_ref(&s->vault, ch);
    }
    vault_touch(&s->vault, ch);
    ch->live.nodes += nodes;
    return 0;
}

/* --- the end --- */

/* Whether each domain may have the nodes that it gets. */
static int check_nodes(const struct store *s, const struct conn *c, const struct transaction *t)
{
    const struct change *ch = vault_at(&s->vault, t->live.changes);

    if (!t->live.created || c->privileged)
        return 0;
    for (; ch; ch = vault_at(&s->vault, ch->live.next)) {
        const struct tenant *owner = tenant_find(s, ch->domid);
        int64_t nodes = (owner ? owner->live.nodes : 0) + (int64_t)ch->live.nodes;

        if (!tenant_privileged(ch->domid) && nodes >= s->state->live.quota[QUOTA_NODES])
            return XEN_ENOSPC;
    }
    return 0;
}

/* The accesses in the order in which they came. NULL with *conflict: the store has another node. */
static struct access *in_order(struct store *s, const struct transaction *t, bool *conflict)
{
    struct access *oldest = NULL, *a = vault_at(&s->vault, t->live.accesses);

    *conflict = false;
    for (; a; a = vault_at(&s->vault, a->live.next)) {
        struct path p = path_of(a);
        const struct node *now = tree_find(&s->vault, s->state->live.tree, &p);
        const struct node *first = vault_at(&s->vault, a->live.first);

        if (!now != !first || (now && now->generation != first->generation)) {
            *conflict = true;
            return NULL;
        }
        a->order_next = vault_ref(&s->vault, oldest);
        oldest = a;
    }
    return oldest;
}

static void account(struct store *s, const struct node *n, int sign)
{
    if (n)
        tenant_charge(s, tenant_find(s, node_perms(&s->vault, n)->entry[0].domid),
                      sign * node_cost(&s->vault, n), false);
}

/* The transaction's node with a generation of its own. */
static int apply(struct store *s, const struct access *a)
{
    const struct node *first = vault_at(&s->vault, a->live.first);
    const struct node *node = vault_at(&s->vault, a->live.node);
    struct path p = path_of(a);
    struct node *n = NULL;
    uint32_t tree = s->state->live.tree;

    if (node) {
        n = node_new(&s->vault, &p, node->perms, node->names, node_data(node), node->data_len);
        if (!n)
            return XEN_ENOMEM;
        n->generation = ++s->state->live.generation;
        tree = tree_put(&s->vault, tree, n);
    } else if (first) {
        tree = tree_remove(&s->vault, tree, &p);
    }
    if (!tree)
        return XEN_ENOMEM;
    s->state->live.tree = tree;
    account(s, first, -1);
    account(s, n, 1);
    return 0;
}

static int tell(struct store *s, const struct conn *c, const struct access *a)
{
    const struct node *first = vault_at(&s->vault, a->live.first);
    struct watch_event e = {
        .path = path_of(a),
        .exact = a->live.flags & ACCESS_EXACT,
        .old = first ? node_perms(&s->vault, first) : NULL,
        .old_generation = first ? first->generation : 0,
        .on_account = c->privileged ? TENANT_NOBODY : c->domid,
    };

    e.node = tree_find(&s->vault, s->state->live.tree, &e.path);
    return watches_fire(s, &e);
}

int transaction_end(struct store *s, struct conn *c, struct transaction *t)
{
    const struct change *ch = vault_at(&s->vault, t->live.changes);
    int error = t->live.failed ? XEN_ENOMEM : check_nodes(s, c, t);
    struct access *oldest, *a;
    bool conflict;

    if (error)
        return error;
    oldest = in_order(s, t, &conflict);
    if (conflict)
        return XEN_EAGAIN;
    vault_touch(&s->vault, s->state);
    for (a = oldest; a && !error; a = vault_at(&s->vault, a->order_next))
        if (a->live.flags & ACCESS_MODIFIED)
            error = apply(s, a);
    for (a = oldest; a && !error; a = vault_at(&s->vault, a->order_next))
        if (a->live.flags & ACCESS_FIRE)
            error = tell(s, c, a);
    for (; ch && !error; ch = vault_at(&s->vault, ch->live.next))
        tenant_nodes(s, tenant_find(s, ch->domid), ch->live.nodes);
    return error;
}

/* SPDX-License-Identifier: MIT */
#include "xs/view.h"

#include "hyp/lib/format.h"
#include "hyp/lib/string.h"
#include "xs/transaction.h"
#include "xs/watches.h"
#include "xs/wire.h"

#define XEN_RECORD                                                                                 \
    24U /* bytes of a node besides permissions, value and names, as Xen counts them */

static bool unprivileged(const struct request *r)
{
    return !r->who.privileged;
}

struct path view_absolute(struct request *r, const char *text)
{
    struct store *s = r->s;
    int len;

    if (text[0] == '/' || text[0] == '@')
        return path_make(&s->vault, text, (uint32_t)strlen(text));
    len = format(s->path, sizeof(s->path), "/local/domain/%u/%s", r->who.domid, text);
    return path_make(&s->vault, s->path, (uint32_t)len);
}

int view_path(struct request *r, const char *text, struct path *p)
{
    *p = view_absolute(r, text);
    return wire_path_valid(p->text, p->len, r->s->state->live.quota[QUOTA_PATH_MAX]) ? 0
                                                                                     : XEN_EINVAL;
}

/* --- reading --- */

int view_read(struct request *r, const struct path *p, const struct node **n)
{
    struct store *s = r->s;
    struct access *a = r->transaction ? transaction_access(s, r->transaction, p) : NULL;
    int error = 0;

    if (a) {
        *n = vault_at(&s->vault, a->live.node);
    } else {
        *n = tree_find(&s->vault, s->state->live.tree, p);
        if (r->transaction && !transaction_see(s, r->conn, r->transaction, p, *n, &error))
            return error;
    }
    return *n ? 0 : XEN_ENOENT;
}

/* Both errors are told to everybody: they say nothing about the node. */
static bool is_open(int error)
{
    return error == XEN_ENOMEM || error == XEN_ENOSPC;
}

/* What is to be told to one who did not find the node: the nearest that is there decides. */
static int hide(struct request *r, const struct path *p, int error, unsigned need)
{
    struct path at = *p;
    const struct node *n;

    for (;;) {
        int result;

        at = path_parent(&r->s->vault, &at);
        result = view_read(r, &at, &n);
        if (!result)
            break;
        if (is_open(result))
            return result;
        if (at.len == 1)
            return XEN_EACCES;
    }
    return perms_of(node_perms(&r->s->vault, n), n->generation, &r->who) & need ? error
                                                                                : XEN_EACCES;
}

int view_get(struct request *r, const struct path *p, unsigned need, const struct node **n)
{
    int error = view_read(r, p, n);

    if (!error) {
        const struct perms *perms = node_perms(&r->s->vault, *n);

        if ((perms_of(perms, (*n)->generation, &r->who) & need) != need)
            error = XEN_EACCES;
    }
    return error && !is_open(error) ? hide(r, p, error, need) : error;
}

/* --- changing --- */

static uint32_t owner_of(const struct store *s, const struct node *n)
{
    return node_perms(&s->vault, n)->entry[0].domid;
}

/* A node in the place of another, or of nothing; no node: the other goes. Who makes a node larger
 * has to have the memory for it. */
static int charge_owners(struct request *r, const struct node *old, const struct node *n)
{
    struct store *s = r->s;
    int32_t less = old ? node_cost(&s->vault, old) : 0, more = n ? node_cost(&s->vault, n) : 0;

    if (old && n && owner_of(s, old) == owner_of(s, n)) {
        more -= less;
        less = 0;
    }
    if (old)
        tenant_charge(s, tenant_find(s, owner_of(s, old)), -less, false);
    return n ? tenant_charge(s, tenant_find(s, owner_of(s, n)), more, unprivileged(r)) : 0;
}

/* One more node of a domain, or one less. */
int view_count(struct request *r, const struct node *n, int32_t nodes)
{
    uint32_t owner = owner_of(r->s, n);

    if (r->transaction)
        return transaction_nodes(r->s, r->transaction, owner, nodes);
    tenant_nodes(r->s, tenant_find(r->s, owner), nodes);
    return 0;
}

/* The new node takes the place of the old one, or of nothing. */
static int put(struct request *r, const struct path *p, const struct node *old, struct node *n)
{
    struct store *s = r->s;
    uint32_t tree;

    vault_touch(&s->vault, s->state);
    n->generation = ++s->state->live.generation;
    if (r->transaction)
        return transaction_put(s, r->conn, r->transaction, transaction_access(s, r->transaction, p),
                               n);
    if (charge_owners(r, old, n))
        return XEN_ENOMEM;
    tree = tree_put(&s->vault, s->state->live.tree, n);
    if (!tree)
        return XEN_ENOMEM;
    s->state->live.tree = tree;
    return 0;
}

static int drop(struct request *r, const struct path *p, const struct node *n)
{
    struct store *s = r->s;
    uint32_t tree;

    vault_touch(&s->vault, s->state);
    s->state->live.generation++;
    if (r->transaction)
        return transaction_put(s, r->conn, r->transaction, transaction_access(s, r->transaction, p),
                               NULL);
    charge_owners(r, n, NULL);
    tree = tree_remove(&s->vault, s->state->live.tree, p);
    if (!tree)
        return XEN_ENOMEM;
    s->state->live.tree = tree;
    return 0;
}

static bool too_large(const struct request *r, uint32_t perms, uint32_t data_len,
                      uint32_t names_len)
{
    const struct perms *p = vault_at(&r->s->vault, perms);

    return unprivileged(r) &&
           XEN_RECORD + p->n * (uint32_t)sizeof(struct perm) + data_len + names_len >=
               r->s->state->live.quota[QUOTA_NODE_SIZE];
}

/* A write that is refused in a transaction is the end of it. */
static int no_space(struct request *r)
{
    if (r->transaction)
        transaction_fail(r->s, r->transaction);
    return XEN_ENOSPC;
}

int view_change(struct request *r, const struct path *p, const struct node *old, uint32_t perms,
                const char *data, uint32_t len, const struct node **n)
{
    struct store *s = r->s;
    struct node *fresh;
    uint32_t names_len;

    if (!perms)
        perms = tenant_perms(s, old->perms, old->generation);
    if (!perms)
        return XEN_ENOMEM;
    node_names(&s->vault, old, &names_len);
    if (too_large(r, perms, len, names_len))
        return no_space(r);
    fresh = node_new(&s->vault, p, perms, old->names, data, len);
    if (!fresh)
        return XEN_ENOMEM;
    *n = fresh;
    return put(r, p, old, fresh);
}

/* The parent with one name more. */
static int add_name(struct request *r, const struct path *p, const struct node *parent,
                    const char *name, uint32_t len)
{
    struct store *s = r->s;
    uint32_t perms = tenant_perms(s, parent->perms, parent->generation);
    uint32_t names = names_add(&s->vault, parent->names, name, len);
    struct node *n;

    if (!perms || !names)
        return XEN_ENOMEM;
    n = node_new(&s->vault, p, perms, names, node_data(parent), parent->data_len);
    return n ? put(r, p, parent, n) : XEN_ENOMEM;
}

/* The permissions of what is made below a node: who is not privileged owns what he makes. */
static uint32_t inherit(struct request *r, const struct node *parent)
{
    struct store *s = r->s;
    uint32_t ref = tenant_perms(s, parent->perms, parent->generation);
    const struct perms *p = vault_at(&s->vault, ref);
    struct perms *own;

    if (!p || !unprivileged(r) || p->entry[0].domid == r->who.domid)
        return ref;
    own = perms_new(&s->vault, p->n);
    if (!own)
        return 0;
    for (uint32_t i = 0; i < p->n; i++)
        own->entry[i] = p->entry[i];
    own->entry[0].domid = r->who.domid;
    return vault_ref(&s->vault, own);
}

/* Whether the node may be made, levels nodes at once, below this one: XEN_ENOSPC, as Xen's store
 * would find it writing one after the other from the lowest up. */
static int may_create(struct request *r, const struct path *p, const struct node *parent,
                      uint32_t perms, uint32_t data_len, uint32_t levels)
{
    struct store *s = r->s;
    const struct tenant *t = r->conn ? vault_at(&s->vault, r->conn->tenant_ref) : NULL;
    uint32_t most = s->state->live.quota[QUOTA_NODES], names_len, name_len;
    uint32_t have = t && t->live.nodes > 0 ? (uint32_t)t->live.nodes : 0;
    struct path at = *p;

    if (!unprivileged(r))
        return 0;
    if (have >= most)
        return XEN_ENOSPC;
    if (too_large(r, perms, data_len, 0))
        return no_space(r);
    for (uint32_t i = 1; i < levels; i++, at = path_parent(&s->vault, &at)) {
        path_name(&at, &name_len);
        if ((!r->transaction && have + i >= most) || too_large(r, perms, 0, name_len + 1))
            return no_space(r);
    }
    path_name(&at, &name_len);
    node_names(&s->vault, parent, &names_len);
    if (too_large(r, parent->perms, parent->data_len, names_len + name_len + 1))
        return no_space(r);
    return 0;
}

/* The nearest node above p that is there, and how many are missing. */
static int find_parent(struct request *r, const struct path *p, const struct node **parent,
                       uint32_t *levels)
{
    struct path at = *p;
    int error;

    *levels = 0;
    do {
        if (at.len == 1)
            return XEN_ENOENT;
        at = path_parent(&r->s->vault, &at);
        ++*levels;
        error = view_read(r, &at, parent);
    } while (error == XEN_ENOENT);
    return error;
}

/* The lowest of the nodes first, as Xen's store does it; at last the parent learns the name. */
static int create(struct request *r, struct path at, const struct node *parent, uint32_t perms,
                  uint32_t levels, const char *data, uint32_t len, const struct node **lowest)
{
    struct vault *v = &r->s->vault;
    uint32_t names = 0, name_len = 0;
    const char *name = NULL;
    int error = 0;

    for (uint32_t i = 0; i < levels && !error; i++) {
        struct node *n;

        if (i) {
            names = names_add(v, 0, name, name_len);
            if (!names)
                return XEN_ENOMEM;
        }
        n = node_new(v, &at, perms, names, i ? "" : data, i ? 0 : len);
        if (!n)
            return XEN_ENOMEM;
        if (!i)
            *lowest = n;
        error = put(r, &at, NULL, n);
        if (!error)
            error = view_count(r, n, 1);
        name = path_name(&at, &name_len);
        at = path_parent(v, &at);
    }
    return error ? error : add_name(r, &at, parent, name, name_len);
}

int view_create(struct request *r, const struct path *p, const char *data, uint32_t len,
                const struct node **n)
{
    const struct node *parent;
    uint32_t levels, perms;
    int error = find_parent(r, p, &parent, &levels);

    if (error)
        return error;
    if (r->transaction) {
        vault_touch(&r->s->vault, r->transaction);
        r->transaction->live.created = true;
    }
    perms = inherit(r, parent);
    if (!perms)
        return XEN_ENOMEM;
    error = may_create(r, p, parent, perms, len, levels);
    return error ? error : create(r, *p, parent, perms, levels, data, len, n);
}

int view_fire(struct request *r, const struct path *p, bool exact, const struct node *n,
              const struct node *old)
{
    struct watch_event e = {
        .path = *p,
        .exact = exact,
        .old = old ? node_perms(&r->s->vault, old) : NULL,
        .old_generation = old ? old->generation : 0,
        .node = n,
        .on_account = r->conn && unprivileged(r) ? r->who.domid : TENANT_NOBODY,
        .may_be_lost = !r->conn,
    };
    struct access *a;

    if (!r->transaction)
        return watches_fire(r->s, &e);
    a = transaction_access(r->s, r->transaction, p);
    vault_touch(&r->s->vault, a);
    if (!(a->live.flags & ACCESS_FIRE))
        a->live.flags |= ACCESS_FIRE | (exact ? ACCESS_EXACT : 0);
    else if (!exact)
        a->live.flags &= ~(uint32_t)ACCESS_EXACT;
    return 0;
}

/* --- removing --- */

static int remove_one(struct request *r, const struct path *p, bool exact)
{
    const struct node *n;
    int error = view_read(r, p, &n);

    if (!error)
        error = drop(r, p, n);
    if (!error)
        error = view_fire(r, p, exact, n, NULL);
    return error ? error : view_count(r, n, -1);
}

/* The parent forgets the name. In a transaction the two may not have been seen at the same time:
 * then it does not know it, and the transaction cannot end well. */
static int remove_name(struct request *r, const struct path *p)
{
    struct store *s = r->s;
    struct path up = path_parent(&s->vault, p);
    const struct node *parent;
    uint32_t len, names, perms;
    const char *name = path_name(p, &len);
    int error = view_read(r, &up, &parent);
    struct node *n;
    bool empty;

    if (error)
        return error;
    if (!names_have(&s->vault, parent->names, name, len))
        return XEN_EIO;
    names = names_remove(&s->vault, parent->names, name, len, &empty);
    perms = tenant_perms(s, parent->perms, parent->generation);
    if ((!names && !empty) || !perms)
        return XEN_ENOMEM;
    n = node_new(&s->vault, &up, perms, names, node_data(parent), parent->data_len);
    return n ? put(r, &up, parent, n) : XEN_ENOMEM;
}

/*
 * The next child of the node at p, from offset *at of its names on: p becomes the child's path, in
 * s->path. False: it has no more.
 */
static bool descend(struct request *r, struct path *p, const struct node *n, uint32_t *at)
{
    struct store *s = r->s;
    uint32_t len, base = p->len == 1 ? 0 : p->len, name_len;
    const char *names = node_names(&s->vault, n, &len);

    if (*at >= len)
        return false;
    name_len = (uint32_t)strlen(names + *at);
    s->path[base] = '/';
    memcpy(s->path + base + 1, names + *at, name_len + 1);
    *at += name_len + 1;
    *p = path_make(&s->vault, s->path, base + 1 + name_len);
    return true;
}

/* The node at top, in s->path, and all below it, children first. walk: where in the names of each
 * node on the way the walk is. */
static int remove_tree(struct request *r, struct path top, uint32_t *walk)
{
    struct store *s = r->s;
    struct path at = top;
    const struct node *n;
    unsigned depth = 0;

    walk[0] = 0;
    for (;;) {
        int error = view_read(r, &at, &n);

        if (error)
            return is_open(error) ? error : XEN_EIO;
        if (descend(r, &at, n, &walk[depth])) {
            walk[++depth] = 0;
            continue;
        }
        error = remove_one(r, &at, depth != 0);
        if (error)
            return error;
        if (!depth--)
            return remove_name(r, &top);
        s->state->live.generation++; /* Xen's store writes the parent each time */
        at = path_parent(&s->vault, &at);
    }
}

int view_remove(struct request *r, const struct path *p)
{
    struct store *s = r->s;
    struct path top = *p, up = path_parent(&s->vault, p);
    const struct node *parent;
    int error = view_read(r, &up, &parent);

    if (error)
        return is_open(error) ? error : XEN_EINVAL;
    if (p->text != s->path)
        memcpy(s->path, p->text, p->len);
    top.text = s->path;
    return remove_tree(r, top, s->walk);
}

/* What to do with a node that a walk comes to. */
enum step { STEP_INTO, STEP_REMOVE };

/* Every node below "/", parents first. */
static int walk_all(struct request *r,
                    enum step (*see)(const struct request *, const struct node *, uint32_t),
                    uint32_t arg)
{
    struct store *s = r->s;
    struct path at;
    const struct node *n;
    unsigned depth = 0;
    int error;

    s->path[0] = '/';
    at = path_make(&s->vault, s->path, 1);
    s->walk[0] = 0;
    for (;;) {
        uint32_t *walk = &s->walk[depth], before = *walk;

        error = view_read(r, &at, &n);
        if (error)
            return XEN_EIO;
        if (!descend(r, &at, n, walk)) {
            if (!depth--)
                return 0;
            at = path_parent(&s->vault, &at);
            continue;
        }
        error = view_read(r, &at, &n);
        if (error)
            return XEN_EIO;
        if (see(r, n, arg) == STEP_INTO) {
            s->walk[++depth] = 0;
            continue;
        }
        error = remove_tree(r, at, walk + 1);
        if (error)
            return error;
        *walk = before; /* the next name has moved there */
        at = path_parent(&s->vault, &at);
    }
}

static enum step is_owned(const struct request *r, const struct node *n, uint32_t domid)
{
    return owner_of(r->s, n) == domid ? STEP_REMOVE : STEP_INTO;
}

int view_remove_owned(struct request *r, uint32_t domid)
{
    return walk_all(r, is_owned, domid);
}

static enum step any(const struct request *r, const struct node *n, uint32_t arg)
{
    (void)r, (void)n, (void)arg;
    return STEP_INTO;
}

int view_check(struct request *r)
{
    return walk_all(r, any, 0);
}

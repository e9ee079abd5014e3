/* SPDX-License-Identifier: MIT */
#include "xs/store.h"

#include "hyp/lib/string.h"
#include "xs/conn.h"
#include "xs/kinds.h"
#include "xs/request.h"
#include "xs/transaction.h"
#include "xs/watches.h"
#include "xs/wire.h"

enum { NO_TRANSACTION = 1, PRIVILEGED = 2 };

static const struct {
    int (*serve)(struct request *r);
    unsigned flags;
} types[XS_TYPE_COUNT] = {
    [XS_CONTROL] = {request_control, PRIVILEGED},
    [XS_DIRECTORY] = {request_directory, 0},
    [XS_READ] = {request_read, 0},
    [XS_GET_PERMS] = {request_get_perms, 0},
    [XS_WATCH] = {request_watch, NO_TRANSACTION},
    [XS_UNWATCH] = {request_unwatch, NO_TRANSACTION},
    [XS_TRANSACTION_START] = {request_transaction_start, 0},
    [XS_TRANSACTION_END] = {request_transaction_end, 0},
    [XS_INTRODUCE] = {request_introduce, PRIVILEGED},
    [XS_RELEASE] = {request_release, PRIVILEGED},
    [XS_GET_DOMAIN_PATH] = {request_get_domain_path, 0},
    [XS_WRITE] = {request_write, 0},
    [XS_MKDIR] = {request_mkdir, 0},
    [XS_RM] = {request_rm, 0},
    [XS_SET_PERMS] = {request_set_perms, 0},
    [XS_IS_DOMAIN_INTRODUCED] = {request_is_domain_introduced, PRIVILEGED},
    [XS_RESUME] = {request_resume, PRIVILEGED},
    [XS_SET_TARGET] = {request_set_target, PRIVILEGED},
    [XS_RESET_WATCHES] = {request_reset_watches, 0},
    [XS_DIRECTORY_PART] = {request_directory_part, 0},
};

static const struct state_live initial = {
    .quota =
        {
            [QUOTA_NODES] = 1000,
            [QUOTA_WATCHES] = 128,
            [QUOTA_TRANSACTIONS] = 10,
            [QUOTA_OUTSTANDING] = 20,
            [QUOTA_TRANSACTION_NODES] = 1024,
            [QUOTA_MEMORY] = 2560 * 1024,
            [QUOTA_NODE_SIZE] = 2048,
            [QUOTA_PATH_MAX] = XENSTORE_REL_PATH_MAX,
            [QUOTA_PERMISSIONS] = 5,
            [QUOTA_MEMORY_SOFT] = 2048 * 1024,
        },
};

/* --- opening --- */

/* A node of domain 0, as the store has them from the start. */
static void first_node(struct store *s, const char *path, const char *child, uint32_t perms)
{
    struct path p = path_make(&s->vault, path, (uint32_t)strlen(path));
    uint32_t names = child ? names_add(&s->vault, 0, child, (uint32_t)strlen(child)) : 0;
    struct node *n = node_new(&s->vault, &p, perms, names, "", 0);

    n->generation = ++s->state->live.generation;
    s->state->live.tree = tree_put(&s->vault, s->state->live.tree, n);
    tenant_nodes(s, tenant_find(s, 0), 1);
    tenant_charge(s, tenant_find(s, 0), node_cost(&s->vault, n), false);
}

/* The smallest vault has room for all this. */
static void begin(struct store *s)
{
    struct state *state =
        vault_new_record(&s->vault, KIND_STATE, 5, sizeof(state->live), sizeof(*state), 0);
    struct perms *none = perms_new(&s->vault, 1);

    s->state = state;
    state->live = initial;
    none->entry[0] = (struct perm){0, PERM_NONE};
    state->live.introduce_perms = state->live.release_perms = vault_ref(&s->vault, none);
    tenant_new(s, 0)->live.introduced = true;
    first_node(s, "/", "tool", vault_ref(&s->vault, none));
    first_node(s, "/tool", "xenstored", vault_ref(&s->vault, none));
    first_node(s, "/tool/xenstored", NULL, vault_ref(&s->vault, none));
    vault_set_root(&s->vault, state);
}

size_t store_size(void)
{
    return sizeof(struct store);
}

/* What is volatile is made anew; everybody may have work. */
static void refresh(struct store *s)
{
    tenant_index(s);
    watches_index(s);
    s->reindex = false;
    s->release.pending = false;
    s->ready = NULL;
    for (struct conn *c = store_next(s, NULL); c; c = store_next(s, c)) {
        c->work = c->live.cursor;
        c->is_dirty = c->is_ready = false;
        conn_ready(s, c);
    }
}

#define LAYOUT                                                                                     \
    (sizeof(struct state) | sizeof(struct tenant) << 10 | sizeof(struct conn) << 20 |              \
     sizeof(struct watch) << 30 | sizeof(struct transaction) << 38 | sizeof(struct access) << 46 | \
     sizeof(struct node) << 54)

enum vault_state store_open(struct store *s, void *base, uint32_t size, const uint64_t key[2],
                            const struct store_ops *ops, void *context)
{
    enum vault_state found;

    memset(s, 0, sizeof(*s));
    s->ops = ops;
    s->context = context;
    found = vault_open(&s->vault, base, size, LAYOUT, key);
    if (found == VAULT_TOO_SMALL)
        return found;
    if (found == VAULT_FOUND)
        s->state = vault_at(&s->vault, s->vault.head->root);
    else
        begin(s);
    for (struct conn *c = store_next(s, NULL); c; c = store_next(s, c))
        c->ring = NULL;
    refresh(s);
    return found;
}

/* --- connections --- */

struct conn *store_next(struct store *s, const struct conn *after)
{
    return vault_at(&s->vault, after ? after->live.next : s->state->live.conns);
}

struct store_conn store_about(const struct store *s, const struct conn *c)
{
    const struct tenant *t = vault_at(&s->vault, c->tenant_ref);

    return (struct store_conn){
        .id = c->id,
        .domid = c->domid,
        .port = t ? t->live.port : 0,
        .privileged = c->privileged,
        .introduced = c->introduced,
        .broken = c->live.ignored,
    };
}

/* at is from..to, which is no more than a ring holds. */
static bool is_within(uint32_t from, uint32_t at, uint32_t to)
{
    return at - from <= to - from && to - from <= XENSTORE_RING_SIZE;
}

/* What was committed may not have been published; so the ring's own indices may be behind ours, but
 * neither side got further than what the other had shown it. */
bool store_fits(const struct conn *c, const struct xenstore_domain_interface *ring)
{
    const struct cursor *kept = &c->live.cursor;

    return is_within(ring->req_cons, kept->req_cons, READ_ONCE(ring->req_prod)) &&
           is_within(READ_ONCE(ring->rsp_cons), ring->rsp_prod, kept->rsp_prod);
}

void store_map(struct store *s, struct conn *c, struct xenstore_domain_interface *ring)
{
    c->ring = ring;
    conn_mark_dirty(s, c); /* what was committed may not have been published */
    conn_commit(s);
    conn_ready(s, c);
}

struct conn *store_attach(struct store *s, uint32_t id, uint32_t domid, bool privileged,
                          struct xenstore_domain_interface *ring)
{
    struct tenant *t = tenant_find(s, domid);
    struct conn *c;

    if (!t)
        t = tenant_new(s, domid);
    c = t ? conn_new(s, id, domid, privileged) : NULL;
    if (!c) {
        conn_abort(s);
        refresh(s);
        return NULL;
    }
    conn_take_ring(s, c, ring);
    if (!privileged && !t->live.conn_ref) {
        vault_touch(&s->vault, t);
        t->live.conn_ref = vault_ref(&s->vault, c);
    }
    conn_commit(s);
    return c;
}

static void ready_all(struct store *s)
{
    for (struct conn *c = store_next(s, NULL); c; c = store_next(s, c))
        conn_ready(s, c);
}

/* Memory may have been freed: who found none tries again. */
static void relieve(struct store *s)
{
    if (s->starving)
        ready_all(s);
    s->starving = false;
}

void store_detach(struct store *s, struct conn *c)
{
    struct tenant *t = vault_at(&s->vault, c->tenant_ref);

    request_forget_conn(s, c);
    if (t && t->live.conn_ref == vault_ref(&s->vault, c)) {
        vault_touch(&s->vault, t);
        t->live.conn_ref = 0;
    }
    conn_commit(s);
    relieve(s);
}

void store_kick(struct store *s, struct conn *c)
{
    conn_ready(s, c);
}

/* --- requests --- */

static int send_error(struct store *s, struct conn *c, int error)
{
    const char *text = wire_error(error);
    struct xsd_sockmsg head = s->message.head;
    struct piece piece = {text, (uint32_t)strlen(text) + 1};

    head.type = XS_ERROR;
    head.len = piece.len;
    return conn_send(s, c, &head, &piece, 1, c->privileged ? TENANT_NOBODY : c->domid);
}

int request_reply(struct request *r, uint32_t type, const void *data, uint32_t len)
{
    struct xsd_sockmsg head = *r->head;
    struct piece piece = {data, len};

    if (len > XENSTORE_PAYLOAD_MAX)
        return XEN_E2BIG;
    head.type = type;
    head.len = len;
    return conn_send(r->s, r->conn, &head, &piece, 1,
                     r->who.privileged ? TENANT_NOBODY : r->who.domid);
}

int request_ack(struct request *r, uint32_t type)
{
    return request_reply(r, type, "OK", sizeof("OK"));
}

static int serve(struct request *r)
{
    uint32_t type = r->head->type;

    if (type >= XS_TYPE_COUNT || !types[type].serve)
        return XEN_ENOSYS;
    if (types[type].flags & PRIVILEGED && !r->who.privileged)
        return XEN_EACCES;
    if (!(types[type].flags & NO_TRANSACTION) && r->head->tx_id) {
        r->transaction = transaction_find(r->s, r->conn, r->head->tx_id);
        if (!r->transaction)
            return XEN_ENOENT;
    }
    return types[type].serve(r);
}

/* Nothing of the request has happened. */
static void undo(struct store *s)
{
    conn_abort(s);
    if (s->reindex)
        refresh(s);
}

/* Not even the answer has room: the request stays in the ring until somebody else was served. */
static void starve(struct store *s)
{
    undo(s);
    s->starving = true;
}

/* A request that was undone is answered so; for want of memory, its transaction cannot end well. */
static void refuse(struct store *s, struct conn *c, int error)
{
    struct transaction *t;

    undo(s);
    if (conn_take(s, c) != CONN_REQUEST) {
        undo(s);
        return;
    }
    t = s->message.head.tx_id ? transaction_find(s, c, s->message.head.tx_id) : NULL;
    if (t && s->message.head.type == XS_TRANSACTION_END)
        transaction_remove(s, c, t);
    else if (t && error == XEN_ENOMEM)
        transaction_fail(s, t);
    if (send_error(s, c, error))
        starve(s);
}

static void answer(struct store *s, struct conn *c)
{
    struct request r = {
        .s = s,
        .conn = c,
        .who = tenant_identity(s, c),
        .head = &s->message.head,
        .payload = s->message.payload,
        .len = s->message.head.len,
    };
    int error;

    s->message.payload[r.len] = '\0';
    error = serve(&r);
    if (error && !s->vault.refused)
        error = send_error(s, c, error);
    if (s->vault.refused)
        refuse(s, c, error);
}

static void ignore(struct store *s, struct conn *c, uint32_t error)
{
    watches_remove_all(s, c);
    transaction_remove_all(s, c);
    conn_flush(s, c);
    vault_touch(&s->vault, c);
    c->live.ignored = error;
    conn_commit(s);
    c->ring->error = error;
    s->ops->broken(s->context, c->id);
}

/* True: something was done, and there may be more. Who reads tells us that there is room only if he saw
 * the ring full, so we look again after each time that we have filled it. */
static bool work_on(struct store *s, struct conn *c)
{
    enum conn_input input;
    bool pumped = conn_pump(s, c);

    input = conn_may_ask(s, c) ? conn_take(s, c) : CONN_NOTHING;
    switch (input) {
    case CONN_NOTHING:
    case CONN_PROGRESS:
        break;
    case CONN_REQUEST:
        answer(s, c);
        break;
    case CONN_NO_MEMORY:
        if (send_error(s, c, XEN_ENOMEM))
            starve(s);
        break;
    case CONN_BROKEN_INDEX:
    case CONN_BROKEN_LENGTH:
    default:
        ignore(s, c, input == CONN_BROKEN_INDEX ? XENSTORE_ERROR_RINGIDX : XENSTORE_ERROR_PROTO);
        return true;
    }
    if (s->starving && input != CONN_NOTHING)
        return false;
    pumped |= conn_pump(s, c);
    conn_commit(s);
    return pumped || input != CONN_NOTHING;
}

bool store_work(struct store *s)
{
    struct conn *c = s->ready;
    bool starved = s->starving, served;

    if (!c)
        return false;
    s->ready = c->ready_next;
    c->is_ready = false;
    s->starving = false;
    served = c->ring && !c->live.ignored && work_on(s, c);
    s->starving |= starved;
    if (!served)
        return s->ready;
    conn_ready(s, c);
    relieve(s);
    return true;
}

/* --- domains --- */

/* For want of memory the store forgets events, not domains. */
void store_domain_shutdown(struct store *s, uint32_t domid)
{
    struct tenant *t = tenant_find(s, domid);

    if (!t || !t->live.introduced || t->live.shut_down)
        return;
    vault_touch(&s->vault, t);
    t->live.shut_down = true;
    watches_fire_special(s, WATCH_RELEASE);
    conn_commit(s);
}

void store_domain_gone(struct store *s, uint32_t domid)
{
    struct request own = {.s = s, .who = {.privileged = true}};
    struct tenant *t = tenant_find(s, domid);

    if (!t || tenant_privileged(domid))
        return;
    if (request_forget_domain(&own, t)) {
        undo(s);
    } else {
        conn_commit(s);
        relieve(s);
    }
}

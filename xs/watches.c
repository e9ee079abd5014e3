/* SPDX-License-Identifier: MIT */
#include "xs/watches.h"

#include "hyp/lib/string.h"
#include "xs/kinds.h"
#include "xs/wire.h"

/* A hash that is known for each start of a path when it is known for the whole. */
static inline uint64_t hash_on(uint64_t hash, char c, uint64_t key)
{
    return (hash ^ (uint8_t)c) * key;
}

static uint64_t hash_key(const struct store *s)
{
    return s->vault.head->key[0] | 1;
}

static uint64_t hash_of(const struct store *s, const char *path, uint32_t len)
{
    uint64_t hash = 0, key = hash_key(s);

    for (uint32_t i = 0; i < len; i++)
        hash = hash_on(hash, path[i], key);
    return hash;
}

static unsigned bucket_of(uint64_t hash)
{
    return (unsigned)(hash >> 32) % WATCH_HASH;
}

static bool is_of(const struct watch *w, uint64_t hash, const char *path, uint32_t len)
{
    return w->hash == hash && w->path_len == len && memcmp(w->text, path, len) == 0;
}

static const char *token_of(const struct watch *w)
{
    return w->text + w->path_len + 1;
}

/* --- the table --- */

static void hash_in(struct store *s, struct watch *w)
{
    uint32_t *place = &s->watches[bucket_of(w->hash)];
    struct watch *at;

    while ((at = vault_at(&s->vault, *place)) && at->order < w->order)
        place = &at->hash_next;
    w->hash_next = *place;
    *place = vault_ref(&s->vault, w);
    s->reindex = true;
}

static void hash_out(struct store *s, const struct watch *w)
{
    uint32_t *place = &s->watches[bucket_of(w->hash)], self = vault_ref(&s->vault, w);

    while (*place != self)
        place = &((struct watch *)vault_at(&s->vault, *place))->hash_next;
    *place = w->hash_next;
    s->reindex = true;
}

void watches_index(struct store *s)
{
    for (unsigned i = 0; i < WATCH_HASH; i++)
        s->watches[i] = 0;
    for (struct conn *c = store_next(s, NULL); c; c = store_next(s, c))
        for (struct watch *w = vault_at(&s->vault, c->live.watches); w;
             w = vault_at(&s->vault, w->live.next))
            hash_in(s, w);
}

/* --- a connection's watches --- */

struct watch *watches_find(const struct store *s, const struct conn *c, const char *path,
                           const char *token)
{
    uint32_t len = (uint32_t)strlen(path), self = vault_ref(&s->vault, c);
    uint64_t hash = hash_of(s, path, len);
    struct watch *w = vault_at(&s->vault, s->watches[bucket_of(hash)]);

    for (; w; w = vault_at(&s->vault, w->hash_next))
        if (w->conn_ref == self && is_of(w, hash, path, len) && strcmp(token_of(w), token) == 0)
            return w;
    return NULL;
}

static void count_watches(struct store *s, const struct conn *c, int32_t n)
{
    struct tenant *t = vault_at(&s->vault, c->tenant_ref);

    if (!c->introduced || !t)
        return;
    vault_touch(&s->vault, t);
    t->live.watches += n;
}

int watches_add(struct store *s, struct conn *c, const char *path, const char *token,
                uint32_t prefix, const struct watch **made)
{
    size_t path_len = strlen(path), token_len = strlen(token);
    struct watch *w;

    w = vault_new_record(&s->vault, KIND_WATCH, 1, sizeof(w->live), offsetof(struct watch, text),
                         (uint32_t)(path_len + token_len + 2));
    if (!w || conn_charge(s, c, (int32_t)vault_bytes(w), true))
        return XEN_ENOMEM;
    vault_touch(&s->vault, c);
    w->order = (uint64_t)c->order << 32 | c->live.watch_order++;
    w->hash = hash_of(s, path, (uint32_t)path_len);
    w->conn_ref = vault_ref(&s->vault, c);
    w->path_len = (uint16_t)path_len;
    w->token_len = (uint16_t)token_len;
    w->prefix = (uint16_t)prefix;
    memcpy(w->text, path, path_len + 1);
    memcpy(w->text + path_len + 1, token, token_len + 1);
    w->live.next = c->live.watches;
    c->live.watches = vault_ref(&s->vault, w);
    count_watches(s, c, 1);
    hash_in(s, w);
    *made = w;
    return 0;
}

static void account_gone(struct store *s, struct conn *c, const struct watch *w)
{
    hash_out(s, w);
    count_watches(s, c, -1);
    conn_charge(s, c, -(int32_t)vault_bytes(w), false);
}

void watches_remove(struct store *s, struct conn *c, struct watch *w)
{
    uint32_t self = vault_ref(&s->vault, w);
    struct watch *before = vault_at(&s->vault, c->live.watches);

    account_gone(s, c, w);
    if (before == w) {
        vault_touch(&s->vault, c);
        c->live.watches = w->live.next;
        return;
    }
    while (before->live.next != self)
        before = vault_at(&s->vault, before->live.next);
    vault_touch(&s->vault, before);
    before->live.next = w->live.next;
}

void watches_remove_all(struct store *s, struct conn *c)
{
    for (const struct watch *w = vault_at(&s->vault, c->live.watches); w;
         w = vault_at(&s->vault, w->live.next))
        account_gone(s, c, w);
    vault_touch(&s->vault, c);
    c->live.watches = 0;
}

/* --- events --- */

/* Bytes that one request of a guest may leave waiting for a connection of domain 0. Were it all
 * that there is room for, the requests of others would fail for want of room for their events. */
#define MOST_WAITING 65536

static int32_t waiting(const struct conn_live *c)
{
    return (int32_t)(c->out_end - c->out_start);
}

/* So many bytes more would be too many behind what waited before the request. */
static bool is_flood(struct store *s, struct conn *c, uint32_t len)
{
    if (!c->live.out)
        return false;
    vault_touch(&s->vault, c); /* now what is saved is what was before */
    return waiting(&c->live) - waiting(&c->saved) + (int32_t)len > MOST_WAITING;
}

int watches_tell(struct store *s, const struct watch *w, const char *path, uint32_t len,
                 uint32_t on_account)
{
    struct conn *c = vault_at(&s->vault, w->conn_ref);
    uint32_t skip = w->prefix;
    struct xsd_sockmsg head = {.type = XS_WATCH_EVENT};
    struct piece pieces[3];
    int error;

    if (skip && path[skip] == '/')
        skip++;
    head.len = len - skip + 1 + w->token_len + 1;
    if (head.len > XENSTORE_PAYLOAD_MAX)
        return 0;
    pieces[0] = (struct piece){path + skip, len - skip};
    pieces[1] = (struct piece){"", 1};
    pieces[2] = (struct piece){token_of(w), w->token_len + 1U};
    if (c->live.out && path[0] != '@' && conn_has_event(s, c, pieces, 3, head.len))
        return 0;
    /* One who does not read his events loses them: that is his, not anybody else's, trouble. */
    if (!c->privileged) {
        if (c->live.out && conn_charge(s, c, (int32_t)head.len, true)) {
            s->vault.refused = false;
            return 0;
        }
        if (c->live.out)
            conn_charge(s, c, -(int32_t)head.len, false);
        on_account = TENANT_NOBODY;
    }
    if (on_account != TENANT_NOBODY && is_flood(s, c, head.len)) {
        s->vault.refused = true; /* what the request has done is undone */
        return XEN_ENOSPC;
    }
    error = conn_send(s, c, &head, pieces, 3, on_account);
    if (error && !c->privileged)
        s->vault.refused = false;
    return c->privileged ? error : 0;
}

static int tell(struct store *s, const struct watch *w, const struct watch_event *e)
{
    int error = watches_tell(s, w, e->path.text, e->path.len, e->on_account);

    if (!error || !e->may_be_lost)
        return error;
    s->vault.refused = false;
    return 0;
}

/* The first watch of the path from here on in a bucket's list. */
static const struct watch *match(const struct store *s, uint32_t ref, const char *path,
                                 uint64_t hash, uint32_t len)
{
    const struct watch *w = vault_at(&s->vault, ref);

    while (w && !is_of(w, hash, path, len))
        w = vault_at(&s->vault, w->hash_next);
    return w;
}

static inline unsigned add_head(struct store *s, unsigned n, const char *path, uint64_t hash,
                                uint32_t len)
{
    uint32_t first = s->watches[bucket_of(hash)];
    const struct watch *w = first ? match(s, first, path, hash, len) : NULL;

    if (w)
        s->heads[n++] = (struct watch_head){w, hash, len};
    return n;
}

/* The lists of the path's watches, and of those above it unless exact; how many. */
static unsigned find_heads(struct store *s, const char *path, uint32_t len, bool exact)
{
    uint64_t key = hash_key(s), hash;
    unsigned n = 0;

    if (exact)
        return add_head(s, 0, path, hash_of(s, path, len), len);
    hash = hash_on(0, path[0], key);
    n = add_head(s, n, path, hash, 1); /* "/" */
    for (uint32_t i = 1; i < len; i++) {
        if (path[i] == '/')
            n = add_head(s, n, path, hash, i);
        hash = hash_on(hash, path[i], key);
    }
    return len > 1 ? add_head(s, n, path, hash, len) : n;
}

/* The next watch in order from several lists. NULL: no more. */
static const struct watch *next_watch(struct store *s, unsigned n, const char *path)
{
    struct watch_head *least = NULL;
    const struct watch *w;

    for (unsigned i = 0; i < n; i++)
        if (s->heads[i].watch && (!least || s->heads[i].watch->order < least->watch->order))
            least = &s->heads[i];
    if (!least)
        return NULL;
    w = least->watch;
    least->watch = match(s, w->hash_next, path, least->hash, least->len);
    return w;
}

static bool may_read(const struct store *s, const struct node *n, const struct identity *who)
{
    return n && perms_of(node_perms(&s->vault, n), n->generation, who) & PERM_READ;
}

/* Who can read the node, or could, or can read its parent. */
static bool may_know(const struct store *s, const struct watch_event *e, const struct conn *c)
{
    struct identity who = tenant_identity(s, c);
    struct path parent;

    if (e->old && perms_of(e->old, e->old_generation, &who) & PERM_READ)
        return true;
    if (!e->node)
        return false;
    if (may_read(s, e->node, &who))
        return true;
    if (e->path.len == 1)
        return false;
    parent = path_parent(&s->vault, &e->path);
    return may_read(s, tree_find(&s->vault, s->state->live.tree, &parent), &who);
}

int watches_fire(struct store *s, const struct watch_event *e)
{
    unsigned n = find_heads(s, e->path.text, e->path.len, e->exact);
    const struct conn *asked = NULL;
    const struct watch *w;
    bool may = false;
    int error;

    while ((w = next_watch(s, n, e->path.text))) {
        const struct conn *c = vault_at(&s->vault, w->conn_ref);

        if (c != asked)
            may = may_know(s, e, c);
        asked = c;
        if (!may)
            continue;
        error = tell(s, w, e);
        if (error)
            return error;
    }
    return 0;
}

int watches_fire_special(struct store *s, const char *name)
{
    bool release = strcmp(name, WATCH_RELEASE) == 0;
    const struct perms *p = vault_at(&s->vault, release ? s->state->live.release_perms
                                                        : s->state->live.introduce_perms);
    const struct watch_event e = {
        .path = {.text = name, .len = (uint32_t)strlen(name)},
        .on_account = TENANT_NOBODY,
        .may_be_lost = release,
    };
    unsigned n = find_heads(s, name, e.path.len, true);
    const struct watch *w;
    int error;

    while ((w = next_watch(s, n, name))) {
        struct identity who = tenant_identity(s, vault_at(&s->vault, w->conn_ref));

        if (!(perms_of(p, NO_GENERATION, &who) & PERM_READ))
            continue;
        error = tell(s, w, &e);
        if (error)
            return error;
    }
    return 0;
}

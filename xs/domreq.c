/* SPDX-License-Identifier: MIT */
/* Requests about domains. */
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"
#include "xs/request.h"
#include "xs/transaction.h"
#include "xs/view.h"
#include "xs/watches.h"
#include "xs/wire.h"

/* The string of this number in the payload, which has so many. */
static const char *string_at(const struct request *r, unsigned i)
{
    const char *text = r->payload;

    while (i--)
        text += strlen(text) + 1;
    return text;
}

static struct tenant *introduced(const struct store *s, uint32_t domid)
{
    struct tenant *t = tenant_find(s, domid);

    return t && t->live.introduced ? t : NULL;
}

/* The introduced domain that the only string of the request names; 0 is not meant by anybody. */
static int named(const struct request *r, struct tenant **t)
{
    uint32_t domid;

    if (!wire_is_string(r->payload, r->len))
        return XEN_EINVAL;
    domid = wire_domid(r->payload);
    if (!domid)
        return XEN_EINVAL;
    *t = introduced(r->s, domid);
    return *t ? 0 : XEN_ENOENT;
}

/* Its ring begins anew, and nothing is left of what it had. */
static void restart(struct store *s, struct conn *c)
{
    watches_remove_all(s, c);
    transaction_remove_all(s, c);
    conn_flush(s, c);
    c->live.ignored = 0;
    conn_reset_ring(s, c);
    if (c->ring && c->ring->connection == XENSTORE_RECONNECT)
        c->ring->connection = XENSTORE_CONNECTED;
    conn_ready(s, c);
}

static int introduce_again(struct request *r, struct tenant *t, uint32_t port)
{
    struct store *s = r->s;
    struct conn *c = vault_at(&s->vault, t->live.conn_ref);

    if (!c)
        return 0; /* domain 0 */
    if (!s->ops->introduce(s->context, t->domid, port, &c->id, &c->ring))
        return XEN_EINVAL;
    vault_touch(&s->vault, t);
    t->live.port = port;
    restart(s, c);
    return 0;
}

static int introduce_new(struct request *r, uint32_t domid, uint32_t port)
{
    struct store *s = r->s;
    struct tenant *t = tenant_find(s, domid);
    struct conn *c;
    int error;

    if (!t)
        t = tenant_new(s, domid);
    c = t ? conn_new(s, 0, domid, tenant_privileged(domid)) : NULL;
    if (!c)
        return XEN_ENOMEM;
    if (!s->ops->introduce(s->context, domid, port, &c->id, &c->ring)) {
        s->vault.refused = true; /* so that tenant and connection vanish again */
        return XEN_EINVAL;
    }
    vault_touch(&s->vault, t);
    t->live.introduced = true;
    t->live.shut_down = false;
    t->live.port = port;
    t->live.conn_ref = vault_ref(&s->vault, c);
    c->introduced = true;
    restart(s, c);
    error = watches_fire_special(s, WATCH_INTRODUCE);
    if (error)
        s->ops->release(s->context, c->id, domid);
    return error;
}

int request_introduce(struct request *r)
{
    uint32_t domid, port;
    struct tenant *t;
    int error;

    if (wire_strings(r->payload, r->len) < 3)
        return XEN_EINVAL;
    domid = wire_domid(string_at(r, 0));
    port = (uint32_t)wire_number(string_at(r, 2), 10, NULL);
    if (!port)
        return XEN_EINVAL;
    t = introduced(r->s, domid);
    error = t ? introduce_again(r, t, port) : introduce_new(r, domid, port);
    return error ? error : request_ack(r, XS_INTRODUCE);
}

/* Permissions without this domain: what was its own is domain 0's. 0: no memory. */
static uint32_t without(struct store *s, uint32_t ref, uint32_t domid)
{
    const struct perms *p = vault_at(&s->vault, ref);
    struct perms *left;
    uint32_t n = 1;

    for (uint32_t i = 1; i < p->n; i++)
        n += p->entry[i].domid != domid;
    if (n == p->n && p->entry[0].domid != domid)
        return ref;
    left = perms_new(&s->vault, n);
    if (!left)
        return 0;
    left->entry[0] = p->entry[0];
    if (left->entry[0].domid == domid)
        left->entry[0].domid = 0;
    for (uint32_t i = 1, to = 1; i < p->n; i++)
        if (p->entry[i].domid != domid)
            left->entry[to++] = p->entry[i];
    return vault_ref(&s->vault, left);
}

static int forget_specials(struct store *s, uint32_t domid)
{
    struct state_live *live = &s->state->live;
    uint32_t release = without(s, live->release_perms, domid);
    uint32_t introduce = without(s, live->introduce_perms, domid);

    if (!release || !introduce)
        return XEN_ENOMEM;
    vault_touch(&s->vault, s->state);
    live->release_perms = release;
    live->introduce_perms = introduce;
    return 0;
}

void request_forget_conn(struct store *s, struct conn *c)
{
    watches_remove_all(s, c);
    transaction_remove_all(s, c);
    conn_remove(s, c);
}

void request_let_go(struct store *s, struct conn *c)
{
    request_forget_conn(s, c);
    s->release.pending = true;
    s->release.id = c->id;
    s->release.domid = c->domid;
}

static void forget_conn(struct store *s, struct tenant *t)
{
    struct conn *c = vault_at(&s->vault, t->live.conn_ref);

    for (struct conn *i = store_next(s, NULL); i; i = store_next(s, i)) {
        if (!i->live.has_target || i->live.target != t->domid)
            continue;
        vault_touch(&s->vault, i);
        i->live.has_target = 0;
    }
    if (!c)
        return;
    if (c->introduced)
        request_let_go(s, c);
    else
        request_forget_conn(s, c);
    vault_touch(&s->vault, t);
    t->live.conn_ref = 0;
}

int request_forget_domain(struct request *r, struct tenant *t)
{
    struct request own = {.s = r->s, .who = {.privileged = true}};
    bool told = t->live.introduced;
    int error = 0;

    forget_conn(r->s, t);
    if (t->live.nodes > 0)
        error = view_remove_owned(&own, t->domid);
    if (!error)
        error = forget_specials(r->s, t->domid);
    if (error)
        return error;
    tenant_remove(r->s, t);
    return told ? watches_fire_special(r->s, WATCH_RELEASE) : 0;
}

int request_release(struct request *r)
{
    struct tenant *t;
    int error = named(r, &t);

    if (!error)
        error = request_forget_domain(r, t);
    return error ? error : request_ack(r, XS_RELEASE);
}

int request_get_domain_path(struct request *r)
{
    char path[32];

    if (!wire_is_string(r->payload, r->len))
        return XEN_EINVAL;
    return request_reply(
        r, XS_GET_DOMAIN_PATH, path,
        (uint32_t)format(path, sizeof(path), "/local/domain/%u", wire_domid(r->payload)) + 1);
}

int request_is_domain_introduced(struct request *r)
{
    uint32_t domid;
    bool is;

    if (!wire_is_string(r->payload, r->len))
        return XEN_EINVAL;
    domid = wire_domid(r->payload);
    is = domid == DOMID_SELF_NUMBER || introduced(r->s, domid);
    return request_reply(r, XS_IS_DOMAIN_INTRODUCED, is ? "T" : "F", 2);
}

int request_resume(struct request *r)
{
    struct tenant *t;
    int error = named(r, &t);

    if (error)
        return error;
    vault_touch(&r->s->vault, t);
    t->live.shut_down = false;
    return request_ack(r, XS_RESUME);
}

int request_set_target(struct request *r)
{
    struct store *s = r->s;
    struct tenant *t, *target;
    struct conn *c;

    if (wire_strings(r->payload, r->len) < 2)
        return XEN_EINVAL;
    t = introduced(s, wire_domid(string_at(r, 0)));
    target = introduced(s, wire_domid(string_at(r, 1)));
    if (!t || !target)
        return XEN_ENOENT;
    c = vault_at(&s->vault, t->live.conn_ref);
    if (c) {
        vault_touch(&s->vault, c);
        c->live.target = target->domid;
        c->live.has_target = 1;
    }
    return request_ack(r, XS_SET_TARGET);
}

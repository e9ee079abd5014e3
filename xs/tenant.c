/* SPDX-License-Identifier: MIT */
#include "xs/tenant.h"

#include "xs/conn.h"
#include "xs/kinds.h"
#include "xs/wire.h"

static uint32_t *bucket(struct store *s, uint32_t domid)
{
    return &s->tenants[domid % TENANT_HASH];
}

struct tenant *tenant_find(const struct store *s, uint32_t domid)
{
    struct tenant *t = vault_at(&s->vault, s->tenants[domid % TENANT_HASH]);

    while (t && t->domid != domid)
        t = vault_at(&s->vault, t->hash_next);
    return t;
}

static void hash_in(struct store *s, struct tenant *t)
{
    uint32_t *place = bucket(s, t->domid);

    t->hash_next = *place;
    *place = vault_ref(&s->vault, t);
}

struct tenant *tenant_new(struct store *s, uint32_t domid)
{
    struct tenant *t = vault_new_record(&s->vault, KIND_TENANT, 1, sizeof(t->live), sizeof(*t), 0);

    if (!t)
        return NULL;
    t->domid = domid;
    t->born = s->state->live.generation;
    t->live.next = s->state->live.tenants;
    vault_touch(&s->vault, s->state);
    s->state->live.tenants = vault_ref(&s->vault, t);
    hash_in(s, t);
    s->reindex = true;
    return t;
}

void tenant_remove(struct store *s, struct tenant *t)
{
    uint32_t self = vault_ref(&s->vault, t), *place = bucket(s, t->domid);
    struct tenant *before = vault_at(&s->vault, s->state->live.tenants);

    while (*place != self)
        place = &((struct tenant *)vault_at(&s->vault, *place))->hash_next;
    *place = t->hash_next;
    s->reindex = true;
    if (before == t) {
        vault_touch(&s->vault, s->state);
        s->state->live.tenants = t->live.next;
        return;
    }
    while (before->live.next != self)
        before = vault_at(&s->vault, before->live.next);
    vault_touch(&s->vault, before);
    before->live.next = t->live.next;
}

void tenant_index(struct store *s)
{
    struct tenant *t = vault_at(&s->vault, s->state->live.tenants);

    for (unsigned i = 0; i < TENANT_HASH; i++)
        s->tenants[i] = 0;
    for (; t; t = vault_at(&s->vault, t->live.next))
        hash_in(s, t);
}

int tenant_charge(struct store *s, struct tenant *t, int32_t bytes, bool checked)
{
    int64_t sum;

    if (!t || !bytes)
        return 0;
    sum = (int64_t)t->live.memory + bytes;
    if (checked && bytes > 0 && !tenant_privileged(t->domid) &&
        (sum >= s->state->live.quota[QUOTA_MEMORY] || sum > s->vault.heap.free)) {
        s->vault.refused = true;
        return XEN_ENOMEM;
    }
    vault_touch(&s->vault, t);
    t->live.memory = (int32_t)sum;
    return 0;
}

void tenant_nodes(struct store *s, struct tenant *t, int32_t nodes)
{
    if (!t)
        return;
    vault_touch(&s->vault, t);
    t->live.nodes += nodes;
}

int conn_charge(struct store *s, struct conn *c, int32_t bytes, bool checked)
{
    int error = tenant_charge(s, vault_at(&s->vault, c->tenant_ref), bytes, checked);

    if (error || !bytes)
        return error;
    vault_touch(&s->vault, c);
    c->live.charged += bytes;
    return 0;
}

struct identity tenant_identity(const struct store *s, const struct conn *c)
{
    struct identity who = {.privileged = c->privileged, .domid = c->domid};
    const struct tenant *t = vault_at(&s->vault, c->tenant_ref);

    if (t)
        who.born = t->born;
    if (c->live.has_target) {
        who.has_target = true;
        who.target = c->live.target;
        t = tenant_find(s, c->live.target);
        who.target_born = t ? t->born : NO_GENERATION;
    }
    return who;
}

static bool is_stale(const struct store *s, const struct perm *e, uint64_t generation)
{
    const struct tenant *t;

    if (e->bits & PERM_IGNORE)
        return false;
    t = tenant_find(s, e->domid);
    return !t || t->born > generation;
}

uint32_t tenant_perms(struct store *s, uint32_t perms, uint64_t generation)
{
    const struct perms *p = vault_at(&s->vault, perms);
    struct perms *fresh = NULL;

    for (uint32_t i = 1; i < p->n; i++) {
        if (!is_stale(s, &p->entry[i], generation))
            continue;
        if (!fresh) {
            fresh = perms_new(&s->vault, p->n);
            if (!fresh)
                return 0;
            for (uint32_t k = 0; k < p->n; k++)
                fresh->entry[k] = p->entry[k];
        }
        fresh->entry[i].bits |= PERM_IGNORE;
    }
    return fresh ? vault_ref(&s->vault, fresh) : perms;
}

void tenant_outstanding(struct store *s, uint32_t domid, int32_t n)
{
    struct tenant *t = domid == TENANT_NOBODY ? NULL : tenant_find(s, domid);

    if (!t)
        return;
    vault_touch(&s->vault, t);
    t->live.outstanding += n;
    if (n < 0 && t->live.conn_ref)
        conn_ready(s, vault_at(&s->vault, t->live.conn_ref));
}

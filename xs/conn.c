/* SPDX-License-Identifier: MIT */
#include "xs/conn.h"

#include "hyp/lib/string.h"
#include "xs/kinds.h"
#include "xs/wire.h"

struct conn *conn_new(struct store *s, uint32_t id, uint32_t domid, bool privileged)
{
    struct conn *c = vault_new_record(&s->vault, KIND_CONN, 5, sizeof(c->live), sizeof(*c), 0);

    if (!c)
        return NULL;
    c->id = id;
    c->domid = domid;
    c->privileged = privileged;
    c->tenant_ref = vault_ref(&s->vault, tenant_find(s, domid));
    s->reindex = true;
    vault_touch(&s->vault, s->state);
    c->order = s->state->live.conn_order++;
    c->live.next = s->state->live.conns;
    s->state->live.conns = vault_ref(&s->vault, c);
    return c;
}

void conn_take_ring(struct store *s, struct conn *c, struct xenstore_domain_interface *ring)
{
    c->ring = ring;
    c->work = (struct cursor){ring->req_cons, ring->rsp_prod};
    conn_mark_dirty(s, c);
    conn_ready(s, c);
}

static void forget_ready(struct store *s, const struct conn *c)
{
    struct conn *before = NULL;

    for (struct conn *i = s->ready; i; before = i, i = i->ready_next) {
        if (i != c)
            continue;
        if (before)
            before->ready_next = c->ready_next;
        else
            s->ready = c->ready_next;
        if (s->ready_last == c)
            s->ready_last = before;
        return;
    }
}

static void forget_dirty(struct store *s, struct conn *c)
{
    struct conn **place = &s->dirty;

    while (*place && *place != c)
        place = &(*place)->dirty_next;
    if (*place)
        *place = c->dirty_next;
    c->is_dirty = false;
}

void conn_remove(struct store *s, struct conn *c)
{
    uint32_t self = vault_ref(&s->vault, c);
    struct conn *before = vault_at(&s->vault, s->state->live.conns);

    s->reindex = true;
    conn_flush(s, c);
    conn_charge(s, c, -c->live.charged, false);
    forget_ready(s, c);
    forget_dirty(s, c);
    if (before == c) {
        vault_touch(&s->vault, s->state);
        s->state->live.conns = c->live.next;
        return;
    }
    while (before->live.next != self)
        before = vault_at(&s->vault, before->live.next);
    vault_touch(&s->vault, before);
    before->live.next = c->live.next;
}

void conn_ready(struct store *s, struct conn *c)
{
    if (c->is_ready)
        return;
    c->is_ready = true;
    c->ready_next = NULL;
    if (s->ready)
        s->ready_last->ready_next = c;
    else
        s->ready = c;
    s->ready_last = c;
}

void conn_mark_dirty(struct store *s, struct conn *c)
{
    if (c->is_dirty)
        return;
    c->is_dirty = true;
    c->dirty_next = s->dirty;
    s->dirty = c;
}

void conn_reset_ring(struct store *s, struct conn *c)
{
    conn_mark_dirty(s, c);
    c->work = (struct cursor){0, 0};
    if (!c->ring)
        return;
    c->ring->req_prod = c->ring->rsp_cons = 0;
    c->ring->req_cons = c->ring->rsp_prod = 0;
}

bool conn_may_ask(const struct store *s, const struct conn *c)
{
    const struct tenant *t = vault_at(&s->vault, c->tenant_ref);

    if (c->live.out_end - c->live.out_start >= 16 * XENSTORE_PAYLOAD_MAX)
        return false; /* what waits comes first, and leaves room for the answer */
    if (c->privileged)
        return true;
    return t && t->live.outstanding < (int64_t)s->state->live.quota[QUOTA_OUTSTANDING];
}

/* --- what comes in --- */

/* Bytes in the ring; more than fit: the other side's index is impossible. */
static uint32_t available(const struct conn *c)
{
    return c->ring ? __atomic_load_n(&c->ring->req_prod, __ATOMIC_ACQUIRE) - c->work.req_cons : 0;
}

static void peek(const struct conn *c, void *to, uint32_t n)
{
    uint32_t at = MASK_XENSTORE_IDX(c->work.req_cons), first = MIN(n, XENSTORE_RING_SIZE - at);

    memcpy(to, c->ring->req + at, first);
    memcpy((char *)to + first, c->ring->req, n - first);
}

static void consume(struct store *s, struct conn *c, uint32_t n)
{
    c->work.req_cons += n;
    conn_mark_dirty(s, c);
}

/* Who is answered before he has written all of a request does not take it for the answer. */
static enum conn_input drop_rest(struct store *s, struct conn *c, uint32_t there)
{
    uint32_t n = MIN(there, c->live.in_skip);

    if (!n)
        return CONN_NOTHING;
    vault_touch(&s->vault, c);
    c->live.in_skip -= n;
    consume(s, c, n);
    if (c->live.in_skip)
        return CONN_PROGRESS;
    memcpy(&s->message.head, c->live.head, sizeof(s->message.head));
    return CONN_NO_MEMORY;
}

/* More of a request whose head is there. */
static enum conn_input gather(struct store *s, struct conn *c, uint32_t there)
{
    struct bytes *in = vault_at(&s->vault, c->live.in);
    struct xsd_sockmsg head;
    uint32_t total, n;

    memcpy(&head, in->data, sizeof(head));
    total = (uint32_t)sizeof(head) + head.len;
    n = MIN(there, total - c->live.in_used);
    if (!n && c->live.in_used < total)
        return CONN_NOTHING;
    vault_touch(&s->vault, c);
    peek(c, in->data + c->live.in_used, n);
    c->live.in_used += n;
    consume(s, c, n);
    if (c->live.in_used < total)
        return CONN_PROGRESS;
    memcpy(&s->message, in->data, total);
    c->live.in = c->live.in_used = 0;
    return CONN_REQUEST;
}

/* The head is whole: it goes to where gather() puts the rest. */
static enum conn_input begin(struct store *s, struct conn *c)
{
    struct xsd_sockmsg *head = &s->message.head;
    struct bytes *in;

    memcpy(head, c->live.head, sizeof(*head));
    if (head->len > XENSTORE_PAYLOAD_MAX)
        return CONN_BROKEN_LENGTH;
    in = vault_new(&s->vault, KIND_BYTES, 0, offsetof(struct bytes, data),
                   (uint32_t)sizeof(*head) + head->len);
    if (!in) {
        c->live.in_used = 0;
        c->live.in_skip = head->len;
        return head->len ? CONN_PROGRESS : CONN_NO_MEMORY;
    }
    memcpy(in->data, head, sizeof(*head));
    c->live.in = vault_ref(&s->vault, in);
    return CONN_PROGRESS;
}

/*
 * What there is of a request that is not whole, if only a part of its head: who writes one piece by
 * piece tells us of the next only if we have taken all before it.
 */
static enum conn_input take_part(struct store *s, struct conn *c, uint32_t there)
{
    uint32_t n = MIN(there, (uint32_t)sizeof(c->live.head) - c->live.in_used);

    if (!n)
        return CONN_NOTHING;
    vault_touch(&s->vault, c);
    peek(c, c->live.head + c->live.in_used, n);
    c->live.in_used += n;
    consume(s, c, n);
    return c->live.in_used < sizeof(c->live.head) ? CONN_PROGRESS : begin(s, c);
}

/* A request that is whole in the ring; false: it is not. */
static bool take_whole(struct store *s, struct conn *c, uint32_t there)
{
    struct xsd_sockmsg *head = &s->message.head;

    if (c->live.in_used || there < sizeof(*head))
        return false;
    peek(c, head, sizeof(*head));
    if (head->len > there - sizeof(*head))
        return false;
    c->work.req_cons += (uint32_t)sizeof(*head); /* the head is not read again */
    peek(c, s->message.payload, head->len);
    c->work.req_cons -= (uint32_t)sizeof(*head);
    consume(s, c, (uint32_t)sizeof(*head) + head->len);
    return true;
}

enum conn_input conn_take(struct store *s, struct conn *c)
{
    uint32_t there = available(c);

    if (there > XENSTORE_RING_SIZE)
        return CONN_BROKEN_INDEX;
    if (c->live.in_skip)
        return drop_rest(s, c, there);
    if (c->live.in)
        return gather(s, c, there);
    return take_whole(s, c, there) ? CONN_REQUEST : take_part(s, c, there);
}

/* --- commit --- */

/* Another side sees what was committed. */
static void publish(struct store *s, struct conn *c)
{
    if (!c->ring)
        return;
    __atomic_store_n(&c->ring->rsp_prod, c->live.cursor.rsp_prod, __ATOMIC_RELEASE);
    __atomic_store_n(&c->ring->req_cons, c->live.cursor.req_cons, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* before we look again what came meanwhile */
    s->ops->notify(s->context, c->id);
}

/* Before anybody is told: who gets the answer may want the ring back. */
static void let_go(struct store *s)
{
    if (!s->release.pending)
        return;
    s->release.pending = false;
    s->ops->release(s->context, s->release.id, s->release.domid);
}

/* A request that changed nothing but the indices of one ring is committed by storing both. */
static bool only_cursor(const struct store *s)
{
    return s->dirty && !s->dirty->dirty_next && vault_clean(&s->vault);
}

void conn_commit(struct store *s)
{
    struct conn *c = s->dirty;

    if (only_cursor(s)) {
        uint64_t both;

        _Static_assert(offsetof(struct conn, live.cursor) % 8 == 0, "stored as one word");
        memcpy(&both, &c->work, sizeof(both));
        __atomic_store_n((uint64_t *)(void *)&c->live.cursor, both, __ATOMIC_RELEASE);
    } else {
        for (; c; c = c->dirty_next) {
            vault_touch(&s->vault, c);
            c->live.cursor = c->work;
        }
        if (!vault_clean(&s->vault))
            vault_commit(&s->vault);
        s->reindex = false;
        let_go(s);
    }
    while (s->dirty) {
        c = s->dirty;
        s->dirty = c->dirty_next;
        c->is_dirty = false;
        publish(s, c);
    }
}

void conn_abort(struct store *s)
{
    while (s->dirty) {
        struct conn *c = s->dirty;

        s->dirty = c->dirty_next;
        c->is_dirty = false;
        c->work = c->live.cursor;
    }
    vault_abort(&s->vault);
}

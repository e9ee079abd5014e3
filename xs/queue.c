/* SPDX-License-Identifier: MIT */
/*
 * What a connection sends. A message that does not fit into the ring waits in a buffer in the
 * vault, behind the number of the domain on whose account it waits. What lies behind the end of a
 * buffer that is committed may be written before the next commit: nobody reads it until the end
 * moves.
 */
#include "hyp/lib/string.h"
#include "xs/conn.h"
#include "xs/kinds.h"
#include "xs/wire.h"

#define ACCOUNT ((uint32_t)sizeof(uint32_t)) /* the number before each message */
#define SMALL   444U                         /* the least that a buffer holds */
#define LOOK    XENSTORE_PAYLOAD_MAX         /* bytes of a guest's buffer that are worth a search */

/* Bytes that the ring has room for; none when the other side's index is impossible. */
static uint32_t room(const struct conn *c)
{
    uint32_t used;

    if (!c->ring)
        return 0;
    used = c->work.rsp_prod - __atomic_load_n(&c->ring->rsp_cons, __ATOMIC_ACQUIRE);
    return used > XENSTORE_RING_SIZE ? 0 : XENSTORE_RING_SIZE - used;
}

static void to_ring(struct conn *c, const void *data, uint32_t n)
{
    uint32_t at = MASK_XENSTORE_IDX(c->work.rsp_prod), first = MIN(n, XENSTORE_RING_SIZE - at);

    memcpy(c->ring->rsp + at, data, first);
    memcpy(c->ring->rsp, (const char *)data + first, n - first);
    c->work.rsp_prod += n;
}

static uint32_t capacity(const struct bytes *b)
{
    return vault_bytes(b) - (uint32_t)offsetof(struct bytes, data);
}

/* Room for n more bytes in the buffer, in a larger one if need be. NULL: no memory. */
static char *extend(struct store *s, struct conn *c, uint32_t n)
{
    struct bytes *old = vault_at(&s->vault, c->live.out), *b;
    uint32_t waiting = c->live.out_end - c->live.out_start;

    vault_touch(&s->vault, c);
    if (!old || capacity(old) - c->live.out_end < n) {
        b = vault_new(&s->vault, KIND_BYTES, 0, offsetof(struct bytes, data),
                      old ? 2 * (waiting + n) : MAX(n, SMALL));
        if (!b)
            return NULL;
        conn_charge(s, c, (int32_t)(vault_bytes(b) - (old ? vault_bytes(old) : 0)), false);
        if (old)
            memcpy(b->data, old->data + c->live.out_start, waiting);
        c->live.out = vault_ref(&s->vault, b);
        c->live.out_start = 0;
        c->live.out_end = waiting;
        old = b;
    }
    c->live.out_end += n;
    return old->data + c->live.out_end - n;
}

int conn_send(struct store *s, struct conn *c, const struct xsd_sockmsg *head,
              const struct piece *pieces, unsigned n, uint32_t on_account)
{
    uint32_t total = (uint32_t)sizeof(*head) + head->len;
    char *to;

    if (c->ring && !c->live.out && room(c) >= total) {
        to_ring(c, head, sizeof(*head));
        for (unsigned i = 0; i < n; i++)
            to_ring(c, pieces[i].data, pieces[i].len);
        conn_mark_dirty(s, c);
        return 0;
    }
    to = extend(s, c, ACCOUNT + total);
    if (!to)
        return XEN_ENOMEM;
    memcpy(to, &on_account, ACCOUNT);
    memcpy(to + ACCOUNT, head, sizeof(*head));
    to += ACCOUNT + sizeof(*head);
    for (unsigned i = 0; i < n; i++) {
        memcpy(to, pieces[i].data, pieces[i].len);
        to += pieces[i].len;
    }
    tenant_outstanding(s, on_account, 1);
    conn_ready(s, c);
    return 0;
}

/* The message at this place of the buffer: its head; its length with both heads. */
static struct xsd_sockmsg message_at(const struct bytes *b, uint32_t at, uint32_t *len)
{
    struct xsd_sockmsg head;

    memcpy(&head, b->data + at + ACCOUNT, sizeof(head));
    *len = ACCOUNT + (uint32_t)sizeof(head) + head.len;
    return head;
}

static bool is_equal(const char *text, const struct piece *pieces, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (memcmp(text, pieces[i].data, pieces[i].len) != 0)
            return false;
        text += pieces[i].len;
    }
    return true;
}

bool conn_has_event(const struct store *s, const struct conn *c, const struct piece *pieces,
                    unsigned n, uint32_t len)
{
    const struct bytes *b = vault_at(&s->vault, c->live.out);
    uint32_t step;

    if (!c->privileged && c->live.out_end - c->live.out_start > LOOK)
        return false;
    for (uint32_t at = c->live.out_start; b && at < c->live.out_end; at += step) {
        struct xsd_sockmsg head = message_at(b, at, &step);

        if (head.type == (uint32_t)XS_WATCH_EVENT && head.len == len &&
            is_equal(b->data + at + ACCOUNT + sizeof(head), pieces, n))
            return true;
    }
    return false;
}

static uint32_t account_at(const struct bytes *b, uint32_t at)
{
    uint32_t domid;

    memcpy(&domid, b->data + at, sizeof(domid));
    return domid;
}

static void drop_buffer(struct store *s, struct conn *c, const struct bytes *b)
{
    conn_charge(s, c, -(int32_t)vault_bytes(b), false);
    c->live.out = c->live.out_start = c->live.out_end = c->live.out_sent = 0;
}

bool conn_pump(struct store *s, struct conn *c)
{
    struct bytes *b = vault_at(&s->vault, c->live.out);
    uint32_t free = room(c);

    if (!b || !free)
        return false;
    vault_touch(&s->vault, c);
    conn_mark_dirty(s, c);
    while (free && c->live.out_start < c->live.out_end) {
        uint32_t at = c->live.out_start, len, n;

        message_at(b, at, &len);
        n = MIN(free, len - ACCOUNT - c->live.out_sent);
        to_ring(c, b->data + at + ACCOUNT + c->live.out_sent, n);
        free -= n;
        c->live.out_sent += n;
        if (c->live.out_sent < len - ACCOUNT)
            return true;
        tenant_outstanding(s, account_at(b, at), -1);
        c->live.out_sent = 0;
        c->live.out_start += len;
    }
    if (c->live.out_start == c->live.out_end)
        drop_buffer(s, c, b);
    return true;
}

void conn_flush(struct store *s, struct conn *c)
{
    const struct bytes *b = vault_at(&s->vault, c->live.out);
    uint32_t step;

    vault_touch(&s->vault, c);
    for (uint32_t at = c->live.out_start; b && at < c->live.out_end; at += step) {
        message_at(b, at, &step);
        tenant_outstanding(s, account_at(b, at), -1);
    }
    if (b)
        drop_buffer(s, c, b);
    c->live.in = c->live.in_used = c->live.in_skip = 0;
}

// SPDX-License-Identifier: MIT
#include "tests/xs/side.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BARRIER (1u << 31) /* in the id of the requests that prove that nothing more will come */

static uint32_t wire_tx(const struct link *link, const struct op *op)
{
    if (op->tx == TX_NONE)
        return 0;
    uint32_t id = op->tx <= TX_SLOTS ? link->tx[op->tx - 1] : 0;
    return id ? id : 0x40000000u + op->tx;
}

static bool send_request(struct side *side, const struct op *op, uint32_t step)
{
    struct link *link = &side->links[op->client];
    struct xsd_sockmsg header = {
        .type = op->type, .req_id = step, .tx_id = wire_tx(link, op), .len = (uint32_t)op->len};
    struct bytes message = {0};
    for (unsigned i = 0; i < op->times; i++) {
        bytes_add(&message, &header, sizeof(header));
        if (op->kind == OP_REQUEST)
            bytes_add(&message, op->payload, op->len);
    }
    size_t first = step % 8 ? message.len : message.len / 2; /* sometimes in two pieces */
    bool sent = link_send(side, link, message.data, first);
    if (first < message.len) {
        sched_yield();
        sent = sent && link_send(side, link, message.data + first, message.len - first);
    }
    free(message.data);
    return sent;
}

/* Of the domain that an INTRODUCE or RELEASE names; NULL: none of ours. */
static struct link *named_link(struct side *side, const struct op *op)
{
    unsigned client = CLIENT_DOM0 + (unsigned)atoi(op->payload);
    bool names = op->kind == OP_REQUEST && (op->type == XS_INTRODUCE || op->type == XS_RELEASE);
    return names && client > CLIENT_DOM0 && client < CLIENTS ? &side->links[client] : NULL;
}

bool side_begin(struct side *side, const struct op *op, uint32_t step)
{
    struct link *link = &side->links[op->client];
    struct link *named = named_link(side, op);
    if (named)
        named->paused = named != link;
    if (!link->up)
        return true;
    if (op->kind != OP_RECONNECT)
        return send_request(side, op, step);
    link_close(link);
    return link_open(side, op->client);
}

/* The message at offset at, when it is there whole: its size. */
static size_t message_at(const struct bytes *in, size_t at, struct xsd_sockmsg *header)
{
    if (in->len < at + sizeof(*header))
        return 0;
    memcpy(header, in->data + at, sizeof(*header));
    return in->len - at - sizeof(*header) < header->len ? 0 : sizeof(*header) + header->len;
}

static bool answered(const struct link *link, uint32_t id, unsigned times,
                     struct xsd_sockmsg *header)
{
    size_t size;
    for (size_t at = 0; (size = message_at(&link->in, at, header)) != 0; at += size) {
        if (header->type != XS_WATCH_EVENT && header->req_id == id && !--times)
            return true;
    }
    return false;
}

static bool await(struct side *side, struct link *link, uint32_t id, unsigned times,
                  struct xsd_sockmsg *header)
{
    while (!answered(link, id, times, header)) {
        if (!link->up)
            return true;
        if (!link_receive_all(side))
            return false;
    }
    return true;
}

/* The daemon tells nobody when it puts an error into a ring. */
static bool await_drop(struct side *side, struct link *link)
{
    for (int ms = 0; link->ring && ms < HANG_MS; ms++) {
        if (__atomic_load_n(&link->ring->error, __ATOMIC_ACQUIRE)) {
            link->up = false;
            return true;
        }
        usleep(1000);
    }
    while (link->up && link_receive_all(side))
        continue;
    return !link->up;
}

/* A domain comes or goes. */
static bool domain_changed(struct side *side, const struct op *op, struct link *link)
{
    if (op->type == XS_INTRODUCE && link->up) {
        memset(link->tx, 0, sizeof(link->tx));
        return true;
    }
    link_close(link);
    link->dropped = link->dropped && op->type == XS_INTRODUCE;
    return link->dropped || op->type == XS_RELEASE ||
           link_open(side, (unsigned)(link - side->links));
}

/* A client that broke the protocol: on a socket it tries again. */
static bool dropped(struct side *side, const struct op *op)
{
    struct link *link = &side->links[op->client];
    link_close(link);
    link->dropped = client_domid(op->client) >= 0;
    return link->dropped || link_open(side, op->client);
}

static bool all_quiet(struct side *side, uint32_t step)
{
    struct xsd_sockmsg header = {
        .type = XS_GET_DOMAIN_PATH, .req_id = step | BARRIER, .tx_id = 0, .len = 2};
    char message[sizeof(header) + 2] = {0};
    memcpy(message, &header, sizeof(header));
    message[sizeof(header)] = '0';
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (side->links[i].up && !link_send(side, &side->links[i], message, sizeof(message)))
            return false;
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (!await(side, &side->links[i], step | BARRIER, 1, &header))
            return false;
    }
    return true;
}

/* Moves a client's messages to out; headers say whether the ids were right. */
static void collect(struct side *side, unsigned client, const struct op *op, uint32_t step,
                    uint32_t tx, struct bytes *out)
{
    struct link *link = &side->links[client];
    struct xsd_sockmsg header;
    size_t size;
    while ((size = message_at(&link->in, 0, &header)) != 0) {
        struct bytes payload = {0};
        bytes_add(&payload, link->in.data + sizeof(header), header.len);
        bytes_drop(&link->in, size);
        if (header.req_id != (step | BARRIER)) {
            if (header.type != XS_WATCH_EVENT && client == op->client) {
                header.req_id = header.req_id == step;
                header.tx_id = header.tx_id == tx;
                normal_answer(side, op, &header, &payload);
            }
            bytes_add(out, &header, sizeof(header));
            bytes_add(out, payload.data, payload.len);
        }
        free(payload.data);
    }
}

bool side_end(struct side *side, const struct op *op, uint32_t step, struct answers *out)
{
    struct link *link = &side->links[op->client];
    struct link *named = named_link(side, op);
    struct xsd_sockmsg header = {.type = XS_ERROR};
    uint32_t tx = wire_tx(link, op);
    bool was_up = link->up, ok = true;
    if (was_up && op->kind == OP_OVERLONG)
        ok = await_drop(side, link) && dropped(side, op);
    if (was_up && op->kind == OP_REQUEST)
        ok = await(side, link, step, op->times, &header);
    if (named)
        named->paused = false;
    if (ok && named && header.type == op->type)
        ok = domain_changed(side, op, named);
    ok = ok && all_quiet(side, step);
    for (unsigned i = 0; i < CLIENTS; i++)
        collect(side, i, op, step, tx, &out->by_client[i]);
    return ok;
}

/* SPDX-License-Identifier: MIT */
/* The store's ring: requests that are right, up to every quota, and what is none. */
#include "tests/guest/flood/flood.h"

#include <xen/hvm/params.h>
#include "drvdom/ctl/xsring.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define NODES        900U /* of the 1,000 that a domain may have */
#define WATCHES      128U
#define TRANSACTIONS 10U
#define BATCH        64U /* requests in a round; the ring holds less */

static struct xsring ring;
static uint32_t port, next; /* next: request */

/* The request that has not gone whole into the ring. */
static struct {
    struct xsd_sockmsg head;
    char payload[256];
} out;
static uint32_t sent, size;

static void compose(uint32_t type, uint32_t tx, const char *payload, uint32_t len)
{
    out.head = (struct xsd_sockmsg){type, next, tx, len};
    memcpy(out.payload, payload, len);
    size = (uint32_t)sizeof(out.head) + len;
    sent = 0;
}

/* A path with a number in place of %u, and a value behind its zero, if there is one. */
static void compose_node(uint32_t type, uint32_t tx, const char *path, uint32_t n,
                         const char *value)
{
    char payload[128];
    uint32_t len = (uint32_t)format(payload, sizeof(payload), path, n) + 1;

    if (value) {
        memcpy(payload + len, value, strlen(value));
        len += (uint32_t)strlen(value);
    }
    compose(type, tx, payload, len);
}

static bool push(void)
{
    sent += (uint32_t)lane_write(&ring.requests, (const char *)&out + sent, size - sent);
    return sent == size;
}

static bool drain(void)
{
    char bytes[256];
    bool any = false;

    while (lane_read(&ring.answers, bytes, sizeof(bytes)))
        any = true;
    return any;
}

/* As many requests as there is room for; make() composes number `next`. */
static bool send(void (*make)(void))
{
    unsigned n = 0;

    while (n < BATCH && push()) {
        next++;
        make();
        n++;
    }
    rt_notify(port);
    return n;
}

static bool send_and_drain(void (*make)(void))
{
    bool any = send(make);

    return drain() || any;
}

static void make_read(void)
{
    compose(XS_READ, 0, "domid", sizeof("domid"));
}

static void make_write(void)
{
    compose_node(XS_WRITE, 0, "data/node-%u", next % NODES, "a value of some length");
}

/* Nodes, then all of them removed by one request. */
static void make_tree(void)
{
    if (next % NODES)
        compose_node(XS_WRITE, 0, "data/tree/%u", next % NODES, "");
    else
        compose(XS_RM, 0, "data/tree", sizeof("data/tree"));
}

/* Watches, each of which every write below fires. */
static void make_watch(void)
{
    char token[16];

    format(token, sizeof(token), "%u", next);
    if (next <= WATCHES) {
        compose_node(XS_WATCH, 0, "data", 0, token);
        out.payload[out.head.len++] = '\0';
        size++;
    } else {
        compose_node(XS_WRITE, 0, "data/node-%u", next % NODES, token);
    }
}

/* Transactions, numbered from 1 on, that are written in and end well or not; and some that stay. */
static void make_transaction(void)
{
    uint32_t tx = next / 4;

    switch (next % 4) {
    case 0:
        compose(XS_TRANSACTION_START, 0, "", 1);
        break;
    case 3:
        if (tx < TRANSACTIONS)
            compose_node(XS_WRITE, 0, "data/t%u", tx % NODES, "outside");
        else
            compose(XS_TRANSACTION_END, tx, tx % 4 ? "T" : "F", 2);
        break;
    default:
        compose_node(XS_WRITE, tx, "data/t%u", tx % NODES, "in a transaction");
        break;
    }
}

static bool flood_write(struct rng *r)
{
    (void)r;
    return send_and_drain(make_write);
}

static bool flood_tree(struct rng *r)
{
    (void)r;
    return send_and_drain(make_tree);
}

/* Of the events no more is read than must be, to go on. */
static bool flood_watch(struct rng *r)
{
    char bytes[256];

    (void)r;
    return send(make_watch) || lane_read(&ring.answers, bytes, sizeof(bytes));
}

static bool flood_transaction(struct rng *r)
{
    (void)r;
    return send_and_drain(make_transaction);
}

/* Answers are never read. */
static bool flood_deaf(struct rng *r)
{
    (void)r;
    return send(make_read);
}

/* Heads and bodies at random, no longer than allowed; their bytes are the next heads. */
static bool flood_garbage(struct rng *r)
{
    char bytes[XENSTORE_RING_SIZE];
    struct xsd_sockmsg head = {rng_below(r, 25), (uint32_t)rng_next(r), rng_below(r, 3),
                               rng_below(r, XENSTORE_RING_SIZE - (uint32_t)sizeof(head))};
    uint32_t done = 0, total = (uint32_t)sizeof(head) + head.len;

    memcpy(bytes, &head, sizeof(head));
    for (uint32_t i = sizeof(head); i < total; i++)
        bytes[i] = (char)rng_next(r);
    while (done < total) {
        done += (uint32_t)lane_write(&ring.requests, bytes + done, total - done);
        rt_notify(port);
        if (!drain() && done < total)
            return false;
    }
    return true;
}

/* A length beyond the limit, at which the store gives the ring up; and events from then on. */
static bool flood_long(struct rng *r)
{
    struct xsd_sockmsg head = {XS_WRITE, 1, 0, XENSTORE_PAYLOAD_MAX + 1 + rng_below(r, 100000)};

    lane_write(&ring.requests, &head, sizeof(head));
    rt_notify(port);
    return true;
}

/* Indices that jump: the store gives the ring up, and events and jumps go on. */
static bool flood_index(struct rng *r)
{
    WRITE_ONCE(ring.page->req_prod, (uint32_t)rng_next(r));
    WRITE_ONCE(ring.page->rsp_cons, (uint32_t)rng_next(r));
    rt_notify(port);
    return true;
}

const struct flood floods_store[] = {
    {"write", flood_write}, {"tree", flood_tree},
    {"watch", flood_watch}, {"transaction", flood_transaction},
    {"deaf", flood_deaf},   {"garbage", flood_garbage},
    {"long", flood_long},   {"index", flood_index},
    {NULL, NULL},
};

void flood_store_init(void)
{
    port = (uint32_t)rt_param(HVM_PARAM_STORE_EVTCHN);
    xsring_init(&ring, (void *)(rt_param(HVM_PARAM_STORE_PFN) << 12));
}

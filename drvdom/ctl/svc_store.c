/* SPDX-License-Identifier: MIT */
/* Service STORE: a connection to the store, by a ring of its own between the store and us. */
#include <xen/errno.h>
#include "drvdom/ctl/domstore.h"
#include "drvdom/ctl/held.h"
#include "drvdom/ctl/services.h"
#include "drvdom/ctl/xsring.h"
#include "guestdrv/rt/rt.h"

#define SESSIONS 32U
#define WAITING  1024U /* bytes for the ring */

static struct session {
    void *page;        /* NULL: free */
    struct channel *c; /* NULL: the client has gone */
    struct xsring ring;
    uint32_t ref, port;
    bool there; /* the store serves the ring */
    bool kept;  /* nobody uses it, but the store has it mapped */
    struct held waiting;
    uint8_t bytes[WAITING];
} sessions[SESSIONS];

/* While the store keeps the page, it must not become anything else's. */
static void forget(struct session *s)
{
    if (s->ref && !rt_grant_end(s->ref)) {
        if (!s->kept)
            rt_print("ctl: the store keeps a ring that it is not to use\n");
        s->kept = true;
        return;
    }
    if (s->port)
        rt_close(s->port);
    rt_page_free(s->page);
    s->page = NULL;
}

static void connected(void *arg, bool ok)
{
    struct session *s = arg;

    if (ok) {
        s->there = true;
        return;
    }
    if (s->c)
        services_close(s->c);
    forget(s);
}

/* A ring, and the store is asked to serve it. */
static int make(struct session *s, uint16_t store)
{
    int port;

    *s = (struct session){.page = rt_page_alloc(), .waiting = {s->bytes, 0, WAITING}};
    if (!s->page)
        return -XEN_ENOMEM;
    port = rt_alloc_unbound(store);
    s->port = port < 0 ? 0 : (uint32_t)port;
    s->ref = s->port ? rt_grant(store, s->page) : 0;
    if (s->ref && domstore_connect(true, s->ref, s->port, connected, s)) {
        xsring_init(&s->ring, s->page);
        return 0;
    }
    forget(s);
    return -XEN_EBUSY;
}

static int store_open(struct channel *c, uint32_t *credit, const char **why)
{
    struct session *s = SESSION_FREE(sessions);
    int store = domstore_peer(), rc;

    *why = "this host has no store";
    if (store < 0)
        return -XEN_ENOSYS;
    *why = "too many clients of the store at once";
    rc = s ? make(s, (uint16_t)store) : -XEN_EBUSY;
    if (rc)
        return rc;
    s->c = c;
    c->user = s;
    *credit = WAITING;
    return 0;
}

static void disconnected(void *arg, bool ok)
{
    (void)ok;
    forget(arg);
}

/* Asked again until there is room among the errands. */
static void leave(struct session *s)
{
    s->there = !domstore_connect(false, s->ref, s->port, disconnected, s);
}

static void store_end(struct channel *c)
{
    ((struct session *)c->user)->c = NULL;
}

static void push(struct session *s)
{
    size_t n = lane_write(&s->ring.requests, s->bytes, s->waiting.n);

    if (n)
        rt_notify(s->port);
    held_drop(&s->waiting, s->c, n);
}

static void store_received(struct channel *c, const uint8_t *bytes, size_t n)
{
    struct session *s = c->user;

    held_add(&s->waiting, bytes, n);
    push(s);
}

static size_t store_send(struct channel *c, uint8_t *bytes, size_t max)
{
    struct session *s = c->user;
    size_t n = lane_read(&s->ring.answers, bytes, max);

    if (n)
        rt_notify(s->port);
    return n;
}

void svc_store_serve(void)
{
    for (struct session *s = sessions; s < sessions + SESSIONS; s++) {
        if (!s->page)
            continue;
        if (s->kept) {
            forget(s);
            continue;
        }
        if (!s->c) {
            if (s->there)
                leave(s);
            continue;
        }
        if (s->waiting.n)
            push(s);
        if (lane_waits(&s->ring.answers))
            mux_ready(s->c);
    }
}

const struct service svc_store = {store_open, store_received, store_send, store_end};

/* SPDX-License-Identifier: MIT */
/* Service EVENTS: what changes in the list of domains. */
#include <xen/errno.h>
#include "drvdom/ctl/services.h"
#include "guestdrv/rt/rt.h"
#include "hyp/lib/string.h"

#define DOMAINS  512U
#define SESSIONS 16U
#define QUEUE    16U /* events that wait for a client */

static struct session {
    struct channel *c; /* NULL: free */
    struct bh_event queue[QUEUE];
    unsigned head, n;
    size_t sent; /* bytes of the one at the head */
    bool lost;
} sessions[SESSIONS];

/* The domains as they were at the last look. */
static struct known {
    struct bh_domain_info info;
    bool used, seen;
} domains[DOMAINS];

static int events_open(struct channel *c, uint32_t *credit, const char **why)
{
    struct session *s = SESSION_FREE(sessions);

    *why = "too many clients wait for events";
    if (!s)
        return -XEN_EBUSY;
    *s = (struct session){.c = c};
    c->user = s;
    *credit = 0;
    return 0;
}

static void events_end(struct channel *c)
{
    ((struct session *)c->user)->c = NULL;
}

/* The client has no credit for anything. */
static void events_received(struct channel *c, const uint8_t *bytes, size_t n)
{
    (void)c, (void)bytes, (void)n;
}

static size_t events_send(struct channel *c, uint8_t *bytes, size_t max)
{
    struct session *s = c->user;
    size_t n = MIN(sizeof(struct bh_event) - s->sent, max);

    if (!s->n)
        return 0;
    memcpy(bytes, (const uint8_t *)&s->queue[s->head] + s->sent, n);
    s->sent += n;
    if (s->sent == sizeof(struct bh_event)) {
        s->sent = 0;
        s->head = (s->head + 1) % QUEUE;
        s->n--;
    }
    return n;
}

static void add(struct session *s, const struct bh_event *e)
{
    s->queue[(s->head + s->n++) % QUEUE] = *e;
    mux_ready(s->c);
}

static void tell(enum bh_event_type type, const struct bh_domain_info *d)
{
    struct bh_event e = {.type = type,
                         .domid = d->domid,
                         .time = rt_now(),
                         .state = d->state,
                         .flags = d->flags,
                         .shutdown_reason = d->shutdown_reason};

    memcpy(e.name, d->name, sizeof(e.name));
    for (struct session *s = sessions; s < sessions + SESSIONS; s++) {
        if (!s->c)
            continue;
        if (s->lost && s->n < QUEUE - 1) {
            add(s, &(struct bh_event){.type = BH_EVENT_LOST, .time = e.time});
            s->lost = false;
        }
        if (!s->lost && s->n < QUEUE)
            add(s, &e);
        else
            s->lost = true;
    }
}

void svc_events_scan_begin(void)
{
    for (struct known *k = domains; k < domains + DOMAINS; k++)
        k->seen = false;
}

static bool differs(const struct bh_domain_info *a, const struct bh_domain_info *b)
{
    return a->state != b->state || a->flags != b->flags ||
           a->shutdown_reason != b->shutdown_reason || strncmp(a->name, b->name, sizeof(a->name));
}

void svc_events_scan(const struct bh_domain_info *d)
{
    struct known *free = NULL, *k;

    for (k = domains; k < domains + DOMAINS; k++) {
        if (k->used && k->info.domid == d->domid)
            break;
        if (!k->used && !free)
            free = k;
    }
    if (k == domains + DOMAINS)
        k = free;
    if (!k) /* more than we can remember: told each time */
        return tell(BH_EVENT_CHANGED, d);
    if (!k->used || differs(&k->info, d))
        tell(BH_EVENT_CHANGED, d);
    *k = (struct known){*d, true, true};
}

void svc_events_scan_end(void)
{
    for (struct known *k = domains; k < domains + DOMAINS; k++)
        if (k->used && !k->seen) {
            tell(BH_EVENT_GONE, &k->info);
            k->used = false;
        }
}

const struct service svc_events = {events_open, events_received, events_send, events_end};

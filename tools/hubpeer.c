/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/hubpeer.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS           1000000UL
#define ASK_TIME     (5000 * MS)
#define LEAVE_TIME   (2000 * MS)
#define PATIENCE_MAX (86400000U) /* ms */

void peer_init(struct peer *p, int fd, uint64_t now)
{
    *p = (struct peer){.fd = fd, .state = PEER_ASKS, .deadline = now + ASK_TIME};
}

void peer_drop(struct peer *p)
{
    if (p->channel)
        mux_close(p->channel);
    close(p->fd);
    free(p->buffer);
    *p = (struct peer){.fd = -1, .state = PEER_NONE};
}

/* Nothing else has been written to the socket: there is room. */
static bool answer(struct peer *p, const struct hub_opened *o)
{
    return send(p->fd, o, sizeof(*o), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(*o);
}

void peer_refuse(struct peer *p, int error, const char *fmt, ...)
{
    struct hub_opened o = {.magic = HUB_MAGIC, .error = error};
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(o.text, sizeof(o.text), fmt, ap);
    va_end(ap);
    for (char *c = o.text; *c; c++) /* the host's word, on somebody's terminal */
        if (*c < ' ' || *c > '~')
            *c = '?';
    answer(p, &o); /* in vain if it has gone meanwhile */
    peer_drop(p);
}

short peer_events(const struct peer *p)
{
    short events = 0;

    if (p->state == PEER_ASKS)
        return POLLIN;
    if (p->state == PEER_TALKS && !p->eof && p->channel->may_send && !p->channel->ready)
        events |= POLLIN;
    if (p->n)
        events |= POLLOUT;
    return events;
}

/* The other users of the folder are root only; a version of bl that is not ours is told. */
static void hear(struct peer *p, uint64_t now)
{
    ssize_t n = recv(p->fd, (char *)&p->asked + p->heard, sizeof(p->asked) - p->heard, 0);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        peer_drop(p);
        return;
    }
    p->heard += (uint32_t)n;
    if (p->heard < sizeof(p->asked))
        return;
    if (p->asked.magic != HUB_MAGIC || p->asked.service >= LINK_SERVICES ||
        p->asked.patience > PATIENCE_MAX) {
        peer_refuse(p, HUB_NO_HOST, "the hub is of another version; end it, process %d", getpid());
        return;
    }
    p->state = PEER_WAITS;
    p->deadline = now + p->asked.patience * MS;
}

/* As far as the client takes it; the host may send as much more. */
static void flush(struct peer *p)
{
    while (p->n) {
        uint32_t part = PEER_BUFFER - p->from;
        ssize_t n = send(p->fd, p->buffer + p->from, p->n < part ? p->n : part,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n <= 0)
            return;
        p->from = (p->from + (uint32_t)n) % PEER_BUFFER;
        p->n -= (uint32_t)n;
        if (p->channel)
            mux_credit(p->channel, (uint32_t)n);
    }
    if (p->state == PEER_ENDS)
        peer_drop(p);
}

/* What it has sent before goes to the host still, if the host takes it soon. */
static void leave(struct peer *p, uint64_t now)
{
    char byte;

    if (p->state != PEER_TALKS || p->eof || recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) {
        peer_drop(p);
        return;
    }
    mux_credit(p->channel, p->n);
    p->n = 0;
    p->state = PEER_LEAVES;
    p->deadline = now + LEAVE_TIME;
    mux_ready(p->channel);
}

void peer_serve(struct peer *p, short events, uint64_t now)
{
    if (p->state == PEER_ASKS && events) {
        hear(p, now);
        return;
    }
    if (events & POLLOUT)
        flush(p);
    if (p->state == PEER_NONE || p->state == PEER_LEAVES)
        return;
    if (events & (POLLHUP | POLLERR))
        leave(p, now);
    else if (events & POLLIN)
        mux_ready(p->channel);
}

void peer_tick(struct peer *p, uint64_t now)
{
    if (now < p->deadline)
        return;
    if (p->state == PEER_ASKS || p->state == PEER_LEAVES)
        peer_drop(p);
    else if (p->state == PEER_WAITS || p->state == PEER_OPENS)
        peer_refuse(
            p, HUB_NO_HOST,
            "the host does not answer; does it run, and does no other program use its line?");
}

void peer_open(struct peer *p, struct mux *m)
{
    p->buffer = p->buffer ? p->buffer : malloc(PEER_BUFFER);
    p->channel =
        p->buffer ? mux_open(m, p->asked.service, p->asked.argument, PEER_BUFFER, p) : NULL;
    if (p->channel)
        p->state = PEER_OPENS;
    else
        peer_refuse(p, HUB_NO_HOST, "the host serves no more than %u connections", LINK_CHANNELS);
}

void peer_session_lost(struct peer *p)
{
    p->channel = NULL;
    if (p->state == PEER_OPENS) {
        p->state = PEER_WAITS;
    } else if (p->state == PEER_LEAVES) {
        peer_drop(p);
    } else if (p->state == PEER_TALKS) {
        p->state = PEER_ENDS;
        flush(p);
    }
}

void peer_opened(struct channel *c, int error, const char *text, size_t n)
{
    struct hub_opened o = {.magic = HUB_MAGIC};
    struct peer *p = c->user;

    if (error) {
        p->channel = NULL;
        peer_refuse(p, error, "%.*s", (int)n, text);
        return;
    }
    p->state = PEER_TALKS;
    if (!answer(p, &o))
        peer_drop(p);
}

/* There is room: the host sends no more than it was told. */
void peer_received(struct channel *c, const uint8_t *bytes, size_t n)
{
    struct peer *p = c->user;
    uint32_t to = (p->from + p->n) % PEER_BUFFER;
    size_t part = n < PEER_BUFFER - to ? n : PEER_BUFFER - to;

    if (p->state == PEER_LEAVES) {
        mux_credit(c, (uint32_t)n);
        return;
    }
    memcpy(p->buffer + to, bytes, part);
    memcpy(p->buffer, bytes + part, n - part);
    p->n += (uint32_t)n;
    flush(p);
}

size_t peer_send(struct channel *c, uint8_t *bytes, size_t max)
{
    struct peer *p = c->user;
    ssize_t n = recv(p->fd, bytes, max, MSG_DONTWAIT);

    if (n > 0)
        return (size_t)n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && p->state == PEER_TALKS)
        return 0;
    p->eof = true;
    if (p->state == PEER_LEAVES)
        peer_drop(p);
    return 0;
}

void peer_closed(struct channel *c)
{
    struct peer *p = c->user;

    p->channel = NULL;
    if (p->state == PEER_LEAVES) {
        peer_drop(p);
        return;
    }
    p->state = PEER_ENDS;
    flush(p);
}

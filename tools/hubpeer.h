/* SPDX-License-Identifier: MIT */
/* A client of the hub: its socket on one side, its channel on the other. */
#ifndef BH_TOOLS_HUBPEER_H
#define BH_TOOLS_HUBPEER_H

#include <stdbool.h>
#include <stdint.h>

#include "drvdom/ctl/mux.h"
#include "tools/hub.h"

#define PEER_BUFFER 65536U /* bytes from the host that wait for the client */

enum peer_state {
    PEER_NONE,
    PEER_ASKS,  /* has not said yet what it wants */
    PEER_WAITS, /* for a session with the host */
    PEER_OPENS, /* its channel is being opened */
    PEER_TALKS,
    PEER_LEAVES, /* has gone; what it sent last is on its way */
    PEER_ENDS,   /* the channel has gone; what came last is on its way */
};

struct peer {
    int fd;
    enum peer_state state;
    bool eof;          /* it sends nothing more */
    uint64_t deadline; /* to have asked, to be opened, to be gone */
    struct hub_open asked;
    uint32_t heard; /* bytes of asked */
    struct channel *channel;
    uint8_t *buffer; /* PEER_BUFFER */
    uint32_t from, n;
};

void peer_init(struct peer *p, int fd, uint64_t now);
/* Drops it, and its channel. */
void peer_drop(struct peer *p);
/* It is told why it gets no channel, and dropped. */
void peer_refuse(struct peer *p, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What poll() has to look for at its socket; -1 for its fd: nothing. */
short peer_events(const struct peer *p);
/* What poll() has found. */
void peer_serve(struct peer *p, short events, uint64_t now);
void peer_tick(struct peer *p, uint64_t now);
/* Opens its channel, in a session. */
void peer_open(struct peer *p, struct mux *m);
/* The session has gone. */
void peer_session_lost(struct peer *p);

/* Of its channel. */
void peer_opened(struct channel *c, int error, const char *text, size_t n);
void peer_received(struct channel *c, const uint8_t *bytes, size_t n);
size_t peer_send(struct channel *c, uint8_t *bytes, size_t max);
void peer_closed(struct channel *c);

#endif

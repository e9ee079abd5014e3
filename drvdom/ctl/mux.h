/* SPDX-License-Identifier: MIT */
/*
 * Channels on one line: each a stream of bytes both ways, with credit, so that one that nobody
 * reads stops nobody else. Holds no bytes: it asks a channel's owner for some when there is room
 * for them, and gives what has come at once; never more than the owner has said it takes.
 */
#ifndef BH_CTL_MUX_H
#define BH_CTL_MUX_H

#include "drvdom/ctl/arq.h"

enum channel_state {
    CHANNEL_FREE,
    CHANNEL_OPENING, /* bl: OPEN is, or will be, under way */
    CHANNEL_OPEN,
    CHANNEL_REFUSED, /* ctl: REFUSED is to be sent */
    CHANNEL_CLOSING, /* CLOSE is to be sent, then waited for */
    CHANNEL_CLOSED,  /* the other side's CLOSE has come; ours is to be sent */
};

struct channel {
    struct mux *mux;
    void *user; /* the owner's */
    enum channel_state state;
    bool unsaid;       /* the message that belongs to the state has not been sent yet */
    bool ready;        /* the owner may have something to send */
    uint32_t may_send; /* bytes that the other side takes */
    uint32_t may_come; /* bytes that we take, as the other side knows it */
    uint32_t credit;   /* and more, as it must be told */
    uint32_t service, argument;
    int32_t error; /* REFUSED */
    const char *why;
};

/* After closed(), opened() with an error and down() a channel is not the owner's any more. */
struct mux_owner {
    void (*up)(struct mux *m);
    /* The session is over, and every channel with it, without a closed(). */
    void (*down)(struct mux *m, enum arq_end why);
    /* ctl: bl asks for c->service and c->argument: 0 and bytes that we take in *credit, or -XEN_E*
     * and a lasting text. NULL: nothing can be opened from that side. */
    int (*open)(struct channel *c, uint32_t *credit, const char **why);
    /* bl: the answer; text has n bytes. */
    void (*opened)(struct channel *c, int error, const char *text, size_t n);
    void (*received)(struct channel *c, const uint8_t *bytes, size_t n);
    /* The next bytes to send, at most max: how many; 0: none until mux_ready(). May close. */
    size_t (*send)(struct channel *c, uint8_t *bytes, size_t max);
    /* The other side has closed it. */
    void (*closed)(struct channel *c);
};

struct mux {
    struct arq arq;
    const struct mux_owner *owner;
    unsigned turn; /* channel that may send first */
    struct channel channels[LINK_CHANNELS];
};

/* As arq_init(). Bytes and time: arq_receive(), arq_take(), arq_tick() and so on of m->arq. */
void mux_init(struct mux *m, const struct mux_owner *owner, bool server, uint64_t silence,
              uint32_t random);
/* bl, in a session: a channel to a service, which may send credit bytes. NULL: all are in use. */
struct channel *mux_open(struct mux *m, uint32_t service, uint32_t argument, uint32_t credit,
                         void *user);
/* The owner has consumed n of the bytes that came. */
void mux_credit(struct channel *c, uint32_t n);
/* send() has something. */
void mux_ready(struct channel *c);
/* No more, either way; the channel is not the owner's any more. */
void mux_close(struct channel *c);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Payloads in order and without loss over a line that loses, changes and adds bytes: sessions,
 * selective repeat (docs/control-protocol.md). Knows no line and no clock: bytes that came are
 * given to it, bytes to send are taken from it whenever the line has room for some, and times are
 * nanoseconds of any clock that goes on evenly. The other side may send anything.
 */
#ifndef BH_CTL_ARQ_H
#define BH_CTL_ARQ_H

#include "drvdom/ctl/framing.h"

#define ARQ_NEVER (~0UL)

enum arq_state {
    ARQ_DOWN,  /* ctl: until a HELLO; bl: until arq_start() */
    ARQ_HELLO, /* bl only: waits for WELCOME */
    ARQ_UP,
};

/* Why a session has ended, or did not begin. */
enum arq_end {
    ARQ_END_ASKED,   /* arq_stop() of this side, or BYE */
    ARQ_END_RESET,   /* the other side knows of no such session: it has started again */
    ARQ_END_SILENT,  /* no frame came for too long; at ctl: and then something that is none */
    ARQ_END_BROKEN,  /* it broke the rules */
    ARQ_END_VERSION, /* ctl speaks no version that bl speaks */
};

struct arq;
struct arq_user {
    void (*up)(struct arq *a);
    void (*down)(struct arq *a, enum arq_end why);
    /* The next payload to send, of at most LINK_PAYLOAD_MAX bytes; 0: there is none now. */
    size_t (*fill)(struct arq *a, uint8_t *payload);
    void (*deliver)(struct arq *a, const uint8_t *payload, size_t n);
};

/* A payload under way: sent and not acknowledged, or come before its turn. */
struct arq_slot {
    uint16_t n;  /* bytes; 0: empty */
    uint16_t tx; /* when sent last */
    bool lost, arrived;
    uint64_t when;
    uint8_t payload[LINK_PAYLOAD_MAX];
};

struct arq {
    const struct arq_user *user;
    bool server;
    enum arq_state state;
    uint64_t silence; /* ns without a frame after which the other side may have gone */
    uint32_t random, session, nonce;
    struct link_refuse refused; /* after ARQ_END_VERSION: what ctl speaks */

    /* Sending: from base on not all are acknowledged; next has never been sent. */
    uint16_t base, next, tx;
    struct arq_slot sent[LINK_WINDOW];
    /* Receiving: everything before expected has been delivered. */
    uint16_t expected, echo;
    struct arq_slot come[LINK_WINDOW];

    /* What is to be sent beside: nothing but the header, or something of the handshake. */
    bool ack_due, ping_due, farewell_due;
    uint8_t greeting;  /* LINK_HELLO, LINK_WELCOME or LINK_REFUSE; 0: none */
    uint32_t farewell; /* session that the other side must forget */
    uint32_t asked;    /* nonce of the HELLO that is answered */

    uint64_t heard, pinged; /* when a frame came, when one was asked for */
    uint64_t rtt, rtt_var;  /* ns; 0: not measured yet */
    uint64_t timeout,
        expires; /* of the oldest payload under way, or of HELLO; ARQ_NEVER: there is none */

    struct deframer in;
    bool unsure;              /* in.inside: a frame may have begun before our time */
    uint64_t since;           /* when the last zero came, unsure: byte; 0: our time has not begun */
    uint8_t out[FRAMING_MAX]; /* the frame that is being taken */
    size_t out_at, out_n;
    uint64_t repeated; /* frames, in all sessions */
};

/* random: differs from that of the last life. */
void arq_init(struct arq *a, const struct arq_user *user, bool server, uint64_t silence,
              uint32_t random);
/* bl: begin a session. */
void arq_start(struct arq *a, uint64_t now);
/* The session is over, and the other side is told; why is passed to down(). */
void arq_stop(struct arq *a, enum arq_end why);
void arq_receive(struct arq *a, const uint8_t *bytes, size_t n, uint64_t now);
/* At most max bytes to send: how many; 0: there is nothing now. */
size_t arq_take(struct arq *a, uint8_t *bytes, size_t max, uint64_t now);
/* When arq_tick() is due; after it arq_take() may have something. ARQ_NEVER: nothing is. */
uint64_t arq_deadline(const struct arq *a);
void arq_tick(struct arq *a, uint64_t now);
/* A byte that comes now belongs to a frame, or may do so: nobody has typed it. */
bool arq_in_frame(const struct arq *a, uint64_t now);

#endif

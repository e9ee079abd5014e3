/* SPDX-License-Identifier: MIT */
/*
 * The line between a host's control domain and `bl`: frames, the messages of its channels, and what
 * the services say on them. All numbers little-endian; docs/control-protocol.md tells how it works.
 */
#ifndef BH_ABI_LINK_H
#define BH_ABI_LINK_H

#include <stdint.h>

#include "hyp/abi/control.h"

/*
 * A frame: header, payload, CRC-32C of both; byte-stuffed (COBS) so that it holds no zero; between
 * two zero bytes.
 */
#define LINK_VERSION     1U
#define LINK_PAYLOAD_MAX 1024U
#define LINK_WINDOW      32U /* frames under way in one direction: bits of link_header.have */

enum link_type {
    LINK_HELLO = 1, /* bl: begin a session; struct link_hello */
    LINK_WELCOME,   /* ctl: the session has begun; struct link_welcome */
    LINK_REFUSE,    /* ctl: not in any version that you speak; struct link_refuse */
    LINK_RESET,     /* ctl: there is no such session (any more) */
    LINK_BYE,       /* bl: the session is over */
    LINK_DATA,      /* the next payload */
    LINK_ACK,       /* nothing but the header */
    LINK_PING,      /* bl: acknowledge at once */
};

struct link_header {
    uint32_t session; /* of HELLO, WELCOME and REFUSE: 0 */
    uint32_t have;    /* bit n: payload ack + 1 + n has arrived */
    uint16_t seq;     /* DATA: number of the payload, the session's first is 0 */
    uint16_t tx;      /* DATA: counts the sender's data frames, repeated ones too; the first is 1 */
    uint16_t ack;     /* all payloads before this one have arrived */
    uint16_t echo;    /* tx of the last data frame that arrived, 0: none has */
    uint8_t type;     /* enum link_type */
    uint8_t zero[3];
};
_Static_assert(sizeof(struct link_header) == 20, "frame header");
#define LINK_FRAME_MAX (sizeof(struct link_header) + LINK_PAYLOAD_MAX + sizeof(uint32_t))

#define LINK_MAGIC 0x6b6c4842U /* "BHlk" */
struct link_hello {
    uint32_t magic;
    uint32_t nonce;          /* another one for each session */
    uint16_t oldest, newest; /* LINK_VERSIONs that bl speaks */
};
struct link_welcome {
    uint32_t magic;
    uint32_t nonce; /* HELLO's */
    uint32_t session;
    uint16_t version; /* the newest that both speak */
    uint16_t zero;
};
struct link_refuse {
    uint32_t magic;
    uint32_t nonce;
    uint16_t oldest, newest; /* that ctl speaks */
};
_Static_assert(sizeof(struct link_hello) == 12 && sizeof(struct link_welcome) == 16 &&
                   sizeof(struct link_refuse) == 12,
               "handshake");

/* A payload is messages, each with its header, none split between two payloads. */
#define LINK_CHANNELS 64U /* numbers 0 to 63; bl chooses one that is free */

enum link_message_type {
    LINK_OPEN = 1, /* bl: struct link_open */
    LINK_OPENED,   /* ctl: uint32_t, bytes that it takes in advance */
    LINK_REFUSED,  /* ctl: int32_t -XEN_E*, then a text without a terminating zero */
    LINK_BYTES,    /* of the channel, at least one and at most what the other side takes */
    LINK_CREDIT,   /* uint32_t: it takes so many bytes more */
    LINK_CLOSE,    /* either: no more of this channel; answered with LINK_CLOSE */
};

struct link_message {
    uint16_t channel;
    uint16_t length; /* of what follows */
    uint8_t type;    /* enum link_message_type */
    uint8_t zero;
};
_Static_assert(sizeof(struct link_message) == 6, "message header");

enum link_service {
    LINK_SERVICE_CONTROL, /* struct bh_request one way, struct bh_answer the other */
    LINK_SERVICE_STORE,   /* a connection to the store, with the right to everything */
    LINK_SERVICE_CONSOLE, /* of the domain whose number is the argument */
    LINK_SERVICE_EVENTS,  /* struct bh_event, to bl only */
};
#define LINK_SERVICES 4U

struct link_open {
    uint32_t service; /* enum link_service */
    uint32_t argument;
    uint32_t credit; /* bytes that bl takes in advance */
};
_Static_assert(sizeof(struct link_open) == 12, "open");

/* Most bytes for or from the buffer of one request. */
#define BH_REQUEST_BUFFER 16384U

/* Service CONTROL. Requests are answered in their order. */
struct bh_request {
    uint32_t size;          /* of all, with what follows for the buffer */
    uint32_t id;            /* the answer has the same */
    uint32_t command;       /* enum bh_control_command or BH_CTL_*; with BH_REQUEST_LZ4 */
    uint32_t reply_max;     /* bytes from the buffer that are wanted at most */
    struct bh_control args; /* buffer 0; size: bytes for the buffer, else of the buffer */
};
struct bh_answer {
    uint32_t size; /* of all, with what follows from the buffer */
    uint32_t id;
    int32_t error; /* 0 or -XEN_E* */
    uint32_t zero;
    struct bh_control args;
};
_Static_assert(sizeof(struct bh_request) == 56 && sizeof(struct bh_answer) == 56, "requests");

/* The bytes are one LZ4 block, which unpacks to args.size bytes. */
#define BH_REQUEST_LZ4 0x80000000U

/* Commands that ctl answers itself. */
#define BH_CTL_ABOUT 0x10000U /* fills a struct bh_about */
/* Fills the buffer with pages, from frame number a on, as many as fit (one at least, so it needs
 * room for a whole one): each a struct bh_page and its bytes. a becomes the number to go on with.
 * -XEN_ENOENT: there are no more. */
#define BH_CTL_READ_MEMORY 0x10001U

struct bh_page {
    uint64_t gfn;
    uint32_t size; /* of what follows: 0: the page is zeros; 4096: as it is; else an LZ4 block */
    uint32_t zero;
};
_Static_assert(sizeof(struct bh_page) == 16, "page");

struct bh_about {
    uint32_t version;     /* LINK_VERSION */
    uint32_t channels;    /* open now, with this one */
    uint32_t domid;       /* of ctl */
    uint32_t store;       /* domid of xs; ~0: there is none */
    uint64_t since;       /* ns since the host booted: when this life of ctl began */
    uint64_t memory_free; /* bytes of ctl's own memory */
};
_Static_assert(sizeof(struct bh_about) == 32, "about");

/* Service EVENTS. */
enum bh_event_type {
    BH_EVENT_CHANGED, /* the domain is new, or its state, flags or name are */
    BH_EVENT_GONE,
    BH_EVENT_LOST, /* some changes before the next record were left out: read the list again */
};
struct bh_event {
    uint32_t type; /* enum bh_event_type */
    uint32_t domid;
    uint64_t time;  /* ns since the host booted */
    uint32_t state; /* this and what follows: as in struct bh_domain_info */
    uint32_t flags;
    uint32_t shutdown_reason;
    uint32_t zero;
    char name[64];
};
_Static_assert(sizeof(struct bh_event) == 96, "event");

#endif

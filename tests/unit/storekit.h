/* SPDX-License-Identifier: MIT */
/*
 * The store in a process of its own, and clients of it: what is on the other side of its rings.
 * Everything that the store keeps, and the rings, lie in one mapping that forks share.
 */
#ifndef BH_UNIT_STOREKIT_H
#define BH_UNIT_STOREKIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xs/store.h"

#define KIT_CLIENTS 16U
#define KIT_EVENTS  65536U

struct kit_answer {
    uint32_t type, req_id, tx_id, len;
    char text[4096 + 1]; /* NUL-terminated */
};

/* A client's side of a ring. */
struct kit_client {
    struct xenstore_domain_interface *ring;
    struct conn *conn;
    uint32_t domid, next_id;
    uint32_t takes; /* bytes that it reads while the store is writing, before it is notified */
    bool broken;
    char input[8192]; /* bytes that are no whole message yet */
    uint32_t input_len, events_len;
    char events[KIT_EVENTS]; /* "path token\n" of each event */
};

extern struct store *kit_store;
extern struct kit_client kit_clients[KIT_CLIENTS];
extern char kit_printed[256];
extern uint32_t kit_port, kit_released; /* what INTRODUCE said last; the domain released last */
extern uint32_t kit_told;               /* bytes that client 0 had been told then */
extern bool kit_introduce_fails;

/* A store in a new vault. */
void kit_open(uint32_t vault_size);
/* Opens the vault again, as who comes after a crash; clients keep their rings. */
enum vault_state kit_reopen(void);
void *kit_vault(void);
/* Client number i is a connection of domain 0, or (by INTRODUCE from client 0) of another. */
struct kit_client *kit_connect(unsigned i);
struct kit_client *kit_introduce(unsigned i, uint32_t domid);
/* Puts bytes into the ring as far as they fit; how many. Gets what is there into c->input. */
uint32_t kit_put(struct kit_client *c, const void *data, uint32_t len);
void kit_get(struct kit_client *c);
void kit_work(void);
/* Takes a message from c->input. */
bool kit_message(struct kit_client *c, struct kit_answer *a);
/* Sends a request, the store running, and waits for its answer; events on the way are noted. */
const struct kit_answer *kit_ask(struct kit_client *c, uint32_t type, uint32_t tx, const void *data,
                                 uint32_t len);
/* Notes the events that are there; all since the last call. */
const char *kit_events(struct kit_client *c);

/* Requests whose payload is a literal. */
#define ASK(c, type, tx, literal) kit_ask(c, type, tx, literal, sizeof(literal) - 1)
void kit_expect(struct kit_client *c, uint32_t type, uint32_t tx, const void *data, uint32_t len,
                const void *want, uint32_t want_len, const char *file, int line);
/* The answer is this literal; is XS_ERROR with this name. */
#define EXPECT(c, type, tx, literal, want)                                                         \
    kit_expect(c, type, tx, literal, sizeof(literal) - 1, want, sizeof(want) - 1, __FILE__,        \
               __LINE__)
#define REFUSED(c, type, tx, literal, want)                                                        \
    kit_expect(c, type, tx, literal, sizeof(literal) - 1, want, ~0U, __FILE__, __LINE__)
#define GOOD(c, type, tx, literal) EXPECT(c, type, tx, literal, "OK\0")
uint32_t kit_start(struct kit_client *c);

#endif

/* SPDX-License-Identifier: MIT */
/* One step of a history: what a client does, the same to either daemon. */
#ifndef TESTS_XS_STOREOP_H
#define TESTS_XS_STOREOP_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The clients: two privileged ones on sockets, the ring of domain 0, and domains 1 to 3. */
enum {
    CLIENT_SOCKET,
    CLIENT_SOCKET_2,
    CLIENT_DOM0,
    CLIENT_DOM1,
    CLIENT_DOM2,
    CLIENT_DOM3,
    CLIENTS
};
#define TX_SLOTS 3
#define TX_NONE  0              /* no transaction; 1 to TX_SLOTS: the one started into that slot */
#define TX_WRONG (TX_SLOTS + 1) /* one that never was */

enum op_kind {
    OP_REQUEST,
    OP_RECONNECT, /* the socket is closed and opened again */
    OP_OVERLONG,  /* a header that announces more than the protocol allows */
};

struct op {
    enum op_kind kind;
    unsigned client;
    unsigned tx;
    unsigned slot;  /* where the id that TRANSACTION_START gives goes, 0 to TX_SLOTS - 1 */
    unsigned times; /* that the request is sent, before an answer is read */
    uint32_t type;
    size_t len;
    char *payload;
};

static inline int client_domid(unsigned client) /* -1: a socket */
{
    return client < CLIENT_DOM0 ? -1 : (int)client - CLIENT_DOM0;
}

const char *op_type_name(uint32_t type);
/* As xenstore.txt writes payloads: | is a NUL; {N}: N times what stands before it. */
void op_print(FILE *to, const struct op *op);
void op_print_bytes(FILE *to, const char *bytes, size_t len);

/* A history of count steps, the same for a seed. */
struct op *gen_history(size_t count, uint64_t seed);
void gen_free(struct op *ops, size_t count);
#endif

/* SPDX-License-Identifier: MIT */
/* A store for tests of its clients: what it does with a connection is the test's function. */
#ifndef BH_UNIT_FAKE_STORE_H
#define BH_UNIT_FAKE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <xen/io/xs_wire.h>

struct fake_request {
    struct xsd_sockmsg header;
    char body[XENSTORE_PAYLOAD_MAX];
};

/* XENSTORED_PATH names it from now on. Connections are served one after the other, in a thread. */
void fake_start(void (*serve)(int fd, void *arg), void *arg);

/* Waits until the clients that there are have been served. */
void fake_stop(void);

/* Both with a client. */
struct xs_handle *fake_open(void (*serve)(int fd, void *arg), void *arg);
void fake_close(struct xs_handle *h);

/* The call gives false, NULL or 0, for this reason. */
#define FAILS(call, reason)                                                                        \
    do {                                                                                           \
        errno = 0;                                                                                 \
        ck_assert(!(call));                                                                        \
        ck_assert_int_eq(errno, reason);                                                           \
    } while (0)

/* False when the client has gone. */
bool fake_receive(int fd, struct fake_request *r);

void fake_send(int fd, uint32_t type, uint32_t req_id, const void *body, size_t len);
void fake_event(int fd, const char *path, const char *token);

/* A script: requests that must come, whole, and what each is answered. */
struct fake_step {
    uint32_t type;
    const char *request;
    size_t request_len;
    uint32_t answer_type;
    const char *answer;
    size_t answer_len;
};

#define FAKE_STEP(type, request, answer)                                                           \
    {                                                                                              \
        type, request, sizeof(request) - 1, type, answer, sizeof(answer) - 1                       \
    }
#define FAKE_REFUSE(type, request, name)                                                           \
    {                                                                                              \
        type, request, sizeof(request) - 1, XS_ERROR, name, sizeof(name)                           \
    }

/* For fake_start(): arg is an array of steps that ends with one without request. */
void fake_play(int fd, void *arg);

#endif

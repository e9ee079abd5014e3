/* SPDX-License-Identifier: MIT */
/*
 * The process that owns the line to a host and serves any number of clients on a Unix socket: each
 * connection is one channel of the line. It ends when it has had no client for a while.
 */
#ifndef BH_TOOLS_HUB_H
#define BH_TOOLS_HUB_H

#include <stdint.h>

#include "tools/hubline.h"

#define HUB_MAGIC    0x31627568U /* "hub1" */
#define HUB_TEXT_MAX 248U
#define HUB_NO_HOST  (-100000)

/* A client says what it wants; the hub answers; then the connection carries the channel's bytes. */
struct hub_open {
    uint32_t magic;
    uint32_t service, argument; /* enum link_service */
    uint32_t patience;          /* ms to wait for the host */
};
struct hub_opened {
    uint32_t magic;
    int32_t error; /* 0, -XEN_E* of the host, or HUB_NO_HOST */
    char text[HUB_TEXT_MAX];
};
_Static_assert(sizeof(struct hub_open) == 16 && sizeof(struct hub_opened) == 256, "sizes");

/* A connection to the hub of this host, which is started if there is none; -1, and what is wrong.
 */
int hub_connect(const char *host, char wrong[256]);
/* This process becomes the hub, and says on stderr what it does; -1, and what is wrong. */
int hub_foreground(const char *host, char wrong[256]);
/*
 * Serves on the socket listener, which is at path, until nobody needs it: an exit code. ready: gets
 * a zero byte as soon as the line is open, or a text that says what is wrong; -1: stderr does.
 */
int hub_run(struct hubline *line, int listener, const char *path, int ready);

/* Held by who starts the hub at path, and by a hub that ends. */
#define HUB_LOCK_MAX 128U
void hub_lock_path(const char *path, char lock[HUB_LOCK_MAX]);

#endif

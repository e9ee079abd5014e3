/* SPDX-License-Identifier: MIT */
/* The host's end of a line for tests: a Unix socket or pty, and services on its channels. */
#ifndef BH_HUB_CARRIER_H
#define BH_HUB_CARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The test's: it defines the struct, and what its services do. */
struct service;
/* channel: for channel_send(). NULL: refused, with ESRCH; argument CARRIER_RUDE: and with a text
 * that is not for terminals. */
#define CARRIER_RUDE 0xbadU
struct service *service_open(uint32_t kind, uint32_t argument, void *channel);
void service_input(struct service *s, const uint8_t *p, size_t n);
void service_close(struct service *s);

/* However much it is, it waits here until bl takes it. */
void channel_send(void *channel, const void *p, size_t n);
/* Closed, when all has been sent. */
void channel_end(void *channel);

/* A socket like an emulator's: one connection at a time, the next when it has gone. */
int carrier_listen(const char *path);
/*
 * Serves the line, at a listening socket or, with a pty, at its master; never returns. tick, if not
 * NULL, is called some 20 times a second. noise: bytes in a million that are garbage.
 */
void carrier_run(int fd, bool pty, unsigned noise, void (*tick)(void));

#endif

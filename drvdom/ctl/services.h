/* SPDX-License-Identifier: MIT */
/*
 * What the host offers on the line (hyp/abi/link.h): each channel is a session of one service. The
 * client may send anything.
 */
#ifndef BH_CTL_SERVICES_H
#define BH_CTL_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drvdom/ctl/mux.h"
#include "hyp/abi/control.h"
#include "hyp/lib/util.h"

/* A session's state belongs to its service; c->user points to it. */
struct service {
    /* 0 and bytes that the client may send in advance, or -XEN_E* and why. */
    int (*open)(struct channel *c, uint32_t *credit, const char **why);
    void (*received)(struct channel *c, const uint8_t *bytes, size_t n);
    size_t (*send)(struct channel *c, uint8_t *bytes, size_t max);
    /* The client has closed it, or is gone. */
    void (*end)(struct channel *c);
};
extern const struct service svc_control, svc_store, svc_console, svc_events;

/* Of a table of sessions, each of which begins with a pointer that is NULL when it is free: the
 * first that is; NULL: none is. */
#define SESSION_FREE(table) services_free(table, ARRAY_SIZE(table), sizeof((table)[0]))
void *services_free(void *table, size_t n, size_t size);

void services_init(void);
/* ns since the host booted: when this life began. */
uint64_t services_since(void);
/* This side has nothing more to say. */
void services_close(struct channel *c);
/* Bytes from the line; those in no frame, while no session is up, are keys for the screen. */
void services_input(const uint8_t *bytes, size_t n, uint64_t now);
/* Sends what there is, as far as the terminal has room; true: something has moved. */
bool services_serve(void);
/* When services_serve() is due at the latest; ~0: when something comes. */
uint64_t services_due(void);
/* A session is up: the line is not for plain text. */
bool services_up(void);
/* Channels that are open. */
unsigned services_channels(void);

/* svc_events.c: a look at the hypervisor's list: begin, each domain, end. */
void svc_events_scan_begin(void);
void svc_events_scan(const struct bh_domain_info *d);
void svc_events_scan_end(void);
/* svc_console.c, svc_store.c: wakes the channels that have something to send. */
void svc_console_serve(void);
void svc_store_serve(void);

#endif

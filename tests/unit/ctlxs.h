/* SPDX-License-Identifier: MIT */
/*
 * The store's domain, as far as the control domain sees it: the real store answers, unless the test
 * has another answer. It can die between two requests, and come back.
 */
#ifndef BH_UNIT_CTLXS_H
#define BH_UNIT_CTLXS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/storekit.h"

struct xs_request {
    struct xsd_sockmsg head;
    char body[XENSTORE_PAYLOAD_MAX + 1]; /* NUL-terminated */
};

extern bool xs_dead;
extern bool xs_lies;       /* what it says need not be so: set by the test */
extern unsigned xs_served; /* requests of ctl's own ring */
extern unsigned xs_lives;  /* requests until it dies */
extern int xs_open;        /* transactions */
extern uint32_t xs_keeps;  /* a grant that it has mapped, whatever it says; 0: none */
/* What the test answers: true: *a is it, with the length that it says. NULL: nothing. */
extern bool (*xs_rule)(const struct xs_request *q, struct kit_answer *a);

/* A new store. first: the indices of ctl's ring. */
void xs_start(uint32_t first);
struct xenstore_domain_interface *xs_main_page(void);
void xs_revive(void);
/* True: it has done something. */
bool xs_serve(void);
/* Whether it has mapped this grant. */
bool xs_has_mapped(uint32_t ref);

bool xs_is_introduced(uint32_t domid);
/* What is at /local/domain/N/key, or at a path; "" when it is not there. The text lasts until the
 * next call. */
const char *xs_read(uint32_t domid, const char *key);
const char *xs_get(const char *path);
/* As domain 0. */
void xs_set(const char *path, const char *value);
/* The children of a node, with a space behind each. */
const char *xs_names(const char *path);
/* The node's permissions, with a space behind each. */
const char *xs_rights(const char *path);

#endif

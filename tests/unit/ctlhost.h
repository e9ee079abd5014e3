/* SPDX-License-Identifier: MIT */
/*
 * A host around the control domain, which is the real one: the runtime and the hypervisor are
 * fakes, the store's domain a fake around the real store (ctlxs.h), and bl's end of the line the
 * real mux (ctlline.h).
 */
#ifndef BH_UNIT_CTLHOST_H
#define BH_UNIT_CTLHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp/abi/control.h"

#define HOST_CTL     1U /* ctl's domain number */
#define HOST_XS      2U /* the store's */
#define HOST_DOMAINS 32U

/* By number; a domain without a name is not there. */
extern struct bh_domain_info host_domains[HOST_DOMAINS];
extern uint64_t host_now; /* ns */
/* The arguments of the last control hypercall that ctl does for a client, and its number. */
extern struct bh_control host_args;
extern uint32_t host_command;
/* How often a domain was destroyed by ctl; pages and grants that ctl has. */
extern unsigned host_destroyed, host_pages, host_grants;

/* The page of a grant of ctl's; NULL: there is none. */
void *host_granted(uint32_t ref);
/* ctl begins to live, on a host with a store or without one. */
void host_start(bool store);
/* All that is under way comes to its end. */
void host_run(void);
/* The list of domains changes. */
struct bh_domain_info *host_birth(uint32_t domid, const char *name, enum bh_domain_state state);
void host_death(uint32_t domid);
void host_changed(void);
/* What a domain's console says, and whether all has been taken; a byte that it has heard, or 0. */
void host_say(uint32_t domid, const char *text);
bool host_is_heard(uint32_t domid);
char host_heard(uint32_t domid);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A host in memory with the semantics of hyp/abi/control.h, for tests of the tool. Some names make
 * a created domain fail: "vanish" while it gets its memory, "spoil" by a damaged byte; with "slow"
 * each piece of the upload takes its time, and each of what is read; for "plain" the host does not
 * unpack.
 */
#ifndef BH_TOOL_MODEL_H
#define BH_TOOL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hyp/abi/bundle.h"
#include "hyp/abi/control.h"

#define MODEL_BUFFER 16384U

struct model_domain {
    struct model_domain *next;
    struct bh_domain_info info;
    struct bundle_domain record;
    struct bh_vcpu_info vcpus[BUNDLE_MAX_VCPUS];
    uint8_t *ram;
    uint32_t segment;    /* that is being loaded, */
    uint64_t at;         /* and from where on */
    const void *creator; /* session that has not finished it */
    bool dying;          /* the next tick tears it down */
};

void model_init(void);
/* A command: 0 or -XEN_E*. a->size bytes at in, when it takes some; out has MODEL_BUFFER bytes. */
int model_control(const void *session, uint32_t command, struct bh_control *a, const uint8_t *in,
                  uint8_t *out);
/* The session is over: what it has not finished goes. */
void model_session_ended(const void *session);
/* What takes time gets on. */
void model_tick(void);
struct model_domain *model_find(uint32_t domid);
/* It ends with SHUTDOWN_* reason, as its record says. */
void model_end(struct model_domain *d, uint32_t reason);
/* Whoever runs the model is told of changes; a domain that is gone has no info any more. */
void model_changed(uint32_t domid);

#endif

/* SPDX-License-Identifier: MIT */
/* Grant tables, version 1 (xen/grant_table.h). */
#ifndef BH_DOM_GRANT_H
#define BH_DOM_GRANT_H

#include <stdint.h>

#include <xen/grant_table.h>
#include "hyp/x86/copy.h"

struct domain;
struct vcpu;
struct grant_active; /* private to grant.c: one for each reference */
struct grant_maptrack;

#define GRANT_MAX_FRAMES 64 /* 512 references each */

struct grant_table {
    struct spinlock lock;
    grant_entry_v1_t *frames[GRANT_MAX_FRAMES]; /* hypervisor pages the guest maps by physmap */
    uint32_t nframes;
    struct grant_active **active;
    struct grant_maptrack **maptrack;
    uint32_t maptrack_free, nmaptrack;
};

int grant_init(struct domain *d);
/* True when done: unmaps what d had mapped; d's own frames mapped by others stay pinned. */
bool grant_free_slice(struct domain *d, unsigned budget);
/* Number of d's references others have mapped: a dead domain with any is a zombie. */
uint32_t grant_mapped_by_others(struct domain *d);
/* The builder's: reference ref gives backend access to gfn, read-write. 0 or error. */
int grant_set(struct domain *d, uint32_t ref, uint16_t backend, gfn_t gfn);
/* The table page behind XENMAPSPACE_grant_table index idx, growing the table: NULL when beyond. */
void *grant_frame(struct domain *d, uint32_t idx);
/* GNTTABOP_*: progress lives in *count and *arg, so that -XEN_ERESTART re-executes with the rest.
 */
long grant_op(struct vcpu *v, unsigned cmd, gva_t *arg, unsigned *count);

#endif

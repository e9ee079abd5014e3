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
    uint32_t mapped;                  /* own references in use by mappings and copies */
    bool dead;                        /* the domain goes away: no new uses */
    struct grant_active **active;     /* table of pages */
    struct grant_maptrack **maptrack; /* table of pages: what this domain has mapped, by handle */
    uint32_t maptrack_free, nmaptrack;
};

/* 0, or -XEN_ENOMEM: grant_free() frees what there is. */
int grant_init(struct domain *d);
/*
 * For a domain whose vCPUs run nowhere, before p2m_free_slice(): unmaps at most budget of what d
 * had mapped; d's own frames mapped by others stay pinned. True when done.
 */
bool grant_free_slice(struct domain *d, unsigned budget);
/* Number of d's references others have mapped: a dead domain with any is a zombie. */
uint32_t grant_mapped_by_others(struct domain *d);
/*
 * Frees the tables, last of all: after p2m_free_slice() is done (the p2m shows the table pages to
 * the guest) and when grant_mapped_by_others() is 0. Until then d must be there: the others'
 * mappings point to it.
 */
void grant_free(struct domain *d);
/* The builder's: reference ref gives backend access to gfn, read-write. 0 or error. */
int grant_set(struct domain *d, uint32_t ref, uint16_t backend, gfn_t gfn);
/* The table page behind XENMAPSPACE_grant_table index idx, growing the table: NULL when beyond. */
void *grant_frame(struct domain *d, uint32_t idx);
/* GNTTABOP_*: progress lives in *count and *arg, so that -XEN_ERESTART re-executes with the rest.
 */
long grant_op(struct vcpu *v, unsigned cmd, gva_t *arg, unsigned *count);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A domain's map from guest frames to host frames: a four-level table that the CPU walks itself
 * (EPT, SDM vol. 3 ch. 29.3; NPT, APM vol. 2 ch. 15.25). The two formats differ in a few bits,
 * which struct p2m_format names; the type of an entry is kept in its software bits.
 */
#ifndef BH_MM_P2M_H
#define BH_MM_P2M_H

#include "hyp/lib/lock.h"
#include "mm/frame.h"

enum p2m_type {
    P2M_NONE,
    P2M_RAM,      /* the domain's own frame; the entry owns one reference */
    P2M_GRANT_RW, /* another domain's frame, by grant; the grant table owns the reference */
    P2M_GRANT_RO,
    P2M_HYP, /* a hypervisor page shown to the guest (shared_info); writable */
};

struct p2m_format {
    uint64_t present;  /* bits of every present entry that points to a table */
    uint64_t leaf;     /* bits of every present leaf (memory type, user, ...) */
    uint64_t writable; /* added to writable leaves */
    uint64_t nx;       /* added to non-executable leaves (NPT: bit 63) */
    uint64_t exec;     /* added to executable leaves (EPT: bit 2) */
    uint64_t large;    /* added to a 2 MiB leaf */
};

/* Regions of 2 MiB that p2m_peek() looked up last. */
#define P2M_RECENT 8
struct p2m_recent {
    uint64_t region; /* gfn >> 9 */
    uint64_t *entry; /* its entry of level 1, which stays where it is; NULL: none */
};

struct p2m {
    struct spinlock lock;
    const struct p2m_format *fmt;
    uint64_t *root;      /* top table, hypervisor memory */
    uint16_t owner;      /* domain number */
    uint64_t gen;        /* bumped by every removal or restriction; see arch_p2m_flush() */
    uint64_t ram_gen;    /* the same, for entries of type P2M_RAM */
    uint64_t tables;     /* table pages in use */
    uint64_t max_tables; /* no more than these: what a domain may cost; p2m_init() sets no limit */
    bool code_4k;        /* 2 MiB entries are not executable, p2m_split() them; not p2m_init()'s */
    uint64_t ram_frames; /* frames mapped as P2M_RAM */
    struct p2m_recent recent[P2M_RECENT];
};

#define GFN_BITS 32 /* 44-bit guest-physical addresses: struct frame and grants name no others */

/* 0 or -XEN_ENOMEM. */
int p2m_init(struct p2m *p, const struct p2m_format *fmt, uint16_t owner);

/*
 * What gfn maps to: *f and the type, P2M_NONE when nothing. *order, if wanted, is 0 or 9.
 */
enum p2m_type p2m_lookup(struct p2m *p, gfn_t gfn, hfn_t *f, unsigned *order);

/*
 * Maps 1 << order frames (0 or 9; gfn and f aligned to it). An existing entry is refused with
 * -XEN_EEXIST; -XEN_ENOMEM leaves the table as it was. order 9 is split by itself into 4 KiB
 * entries when one of its pages changes.
 */
int p2m_map(struct p2m *p, gfn_t gfn, hfn_t f, unsigned order, enum p2m_type t);

/* A 2 MiB entry for gfn becomes 4 KiB entries: 0, -XEN_ENOMEM. No translation changes: no flush. */
int p2m_split(struct p2m *p, gfn_t gfn);

/*
 * Removes the 4 KiB entry of gfn and returns what was there. The caller calls arch_p2m_flush(), and
 * then drops the reference of a P2M_RAM entry. -XEN_ENOENT when nothing is mapped, -XEN_ENOMEM when
 * a large page could not be split.
 */
int p2m_unmap_noflush(struct p2m *p, gfn_t gfn, hfn_t *f, enum p2m_type *t);
/*
 * The same, but a frame of RAM that others hold (granted, registered) stays, -XEN_EBUSY: it would
 * no longer count, and a domain could have more than it may.
 */
int p2m_unmap_idle_noflush(struct p2m *p, gfn_t gfn, hfn_t *f, enum p2m_type *t);

/*
 * The frame behind gfn with a reference for the caller (frame_put() gives it back): 0,
 * -XEN_EFAULT when not RAM, or not writable though write is asked. What is there by grant is
 * refused: the reference would outlive the mapping, and its user the granter's revocation.
 */
int p2m_get(struct p2m *p, gfn_t gfn, bool write, hfn_t *f);
/* The same, with a pin for the caller (frame_unpin()): private RAM of p's domain only. */
int p2m_pin(struct p2m *p, gfn_t gfn, hfn_t *f);
/*
 * The same without a reference, HFN_NONE for all errors, for as long as p's lock is held: then what
 * is there by grant may be used as well. What was there as P2M_RAM still is while ram_gen is equal.
 */
hfn_t p2m_peek(struct p2m *p, gfn_t gfn, bool write, enum p2m_type *t, struct locked held);

/*
 * Teardown, for a domain whose vCPUs run nowhere: drops about budget entries, references of P2M_RAM
 * included, and table pages behind them. True when nothing is left, the root included.
 */
bool p2m_free_slice(struct p2m *p, unsigned budget);

/*
 * Calls fn for every page that is mapped, writable as the CPU sees it; the number of tables, the
 * root included. For checks, while nothing changes.
 */
typedef void p2m_walk_fn(void *arg, gfn_t gfn, hfn_t f, enum p2m_type t, bool writable);
uint64_t p2m_walk(const struct p2m *p, p2m_walk_fn *fn, void *arg);

#endif

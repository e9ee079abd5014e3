/* SPDX-License-Identifier: MIT */
/* Event channels (xen/event_channel.h): 2-level and FIFO. */
#ifndef BH_DOM_EVTCHN_H
#define BH_DOM_EVTCHN_H

#include <stdint.h>

#include <xen/event_channel.h>
#include "hyp/dom/area.h"

struct domain;
struct vcpu;
struct evtchn; /* private to evtchn.c */

struct evtchn_set {
    struct spinlock lock;       /* the table: who is bound to what */
    struct spinlock queue_lock; /* FIFO queues and the areas below */
    struct evtchn **pages;      /* table of pages of struct evtchn */
    uint32_t nports;            /* ports allocated so far; port 0 is reserved */
    uint32_t limit;             /* ports this ABI can have */
    uint32_t nopen;
    uint32_t free_head, free_tail; /* closed ports, oldest first; 0: none */
    uint32_t closing;              /* where evtchn_free_slice() and a reset go on */
    uint32_t pirq_port;            /* bound to the one physical interrupt; 0: none */
    bool fifo;
    bool dead;                /* the domain goes away: no new ports */
    struct guest_area *array; /* FIFO event array pages */
    uint32_t narray;
    uint32_t replay;  /* next port that was raised without a page there now is; 0: none */
    gfn_t replay_gfn; /* that page's */
};

struct evtchn_vcpu {
    struct guest_area control; /* FIFO control block */
    uint32_t tail[16];         /* FIFO: last port of each queue, private */
    uint32_t virq[24];         /* port bound to each VIRQ; 0: none */
};

/* 0, or -XEN_ENOMEM: evtchn_free_slice() frees what there is. */
int evtchn_init(struct domain *d);
/*
 * The end of d's event channels, for a domain whose vCPUs run nowhere: no new ones from now on, at
 * most budget ports closed, peers' ends unbound, or pages freed. True when nothing is left: then
 * nobody notifies d any more and its shared page and vCPUs may go.
 */
bool evtchn_free_slice(struct domain *d, unsigned budget);
/* The builder's: an unbound port of d for remote. Port number or error. */
int evtchn_alloc_unbound(struct domain *d, uint16_t remote);
void evtchn_send_virq(struct vcpu *v, unsigned virq);
/* EVTCHNOP_send from the hypervisor: sets the domain's own port pending. */
void evtchn_raise(struct domain *d, uint32_t port);
/* Is port pending? (SCHEDOP_poll) */
bool evtchn_is_pending(struct domain *d, uint32_t port);
long evtchn_op(struct vcpu *v, unsigned cmd, gva_t arg); /* EVTCHNOP_* */

#endif

/* SPDX-License-Identifier: MIT */
/* What the event channel files share: one channel's entry, and delivery. */
#ifndef BH_DOM_EVTCHN_PRIVATE_H
#define BH_DOM_EVTCHN_PRIVATE_H

#include "hyp/dom/dom.h"

struct evtchn {
    uint8_t state; /* EVTCHNSTAT_* */
    uint8_t priority;
    uint8_t vcpu; /* whom it notifies; < nvcpus */
    bool pending; /* FIFO: raised before the guest gave the page of its event word */
    uint8_t last_vcpu, last_priority; /* FIFO: the queue it was put into last */
    uint16_t remote;                  /* UNBOUND: the domain that may bind */
    uint32_t port;                    /* INTERDOMAIN: the peer's; closed: next in the free list */
    uint32_t irq;                     /* VIRQ, PIRQ: number */
    struct domain *peer;              /* INTERDOMAIN */
} __aligned(32);
_Static_assert(sizeof(struct evtchn) == 32, "event channel entry");
_Static_assert(MAX_VCPUS <= 256, "vCPU numbers fit a byte");

#define EVTCHN_PER_PAGE    (PAGE_SIZE / sizeof(struct evtchn))
#define EVTCHN_PAGES       (EVTCHN_FIFO_NR_CHANNELS / EVTCHN_PER_PAGE)
#define EVTCHN_TABLE_ORDER 1 /* of the table of pages */
_Static_assert(EVTCHN_PAGES * sizeof(struct evtchn *) <= PAGE_SIZE << EVTCHN_TABLE_ORDER,
               "table of pages");

/* The entry of port, or NULL beyond the table. Needs the set's lock, or a channel that leads there.
 */
struct evtchn *evtchn_entry(struct evtchn_set *s, uint32_t port);

/* evtchn.c: what EVTCHNOP_* do, arguments decoded. 0 (bind: the port) or error. */
int evtchn_bind_interdomain(struct domain *d, struct domain *remote, uint32_t port);
int evtchn_bind_virq(struct vcpu *v, uint32_t virq); /* < NR_VIRQS */
int evtchn_bind_ipi(struct vcpu *v);
int evtchn_bind_pirq(struct domain *d, uint32_t irq);
int evtchn_close(struct domain *d, uint32_t port);
int evtchn_send(struct domain *d, uint32_t port);
int evtchn_get_status(struct domain *d, struct evtchn_status *op);
int evtchn_bind_vcpu(struct vcpu *v, uint32_t port);
int evtchn_unmask(struct domain *d, uint32_t port);
int evtchn_set_priority(struct domain *d, uint32_t port, uint32_t priority);
int evtchn_reset(struct domain *d); /* -XEN_ERESTART: call again */
bool evtchn_virq_is_global(uint32_t virq);

/* evtchn_deliver.c: one port's bits in the guest's memory, whichever the ABI. */
void evtchn_deliver_pending(struct domain *d, struct evtchn *c, uint32_t port);
void evtchn_deliver_unmask(struct domain *d, struct evtchn *c, uint32_t port);
void evtchn_deliver_clear(struct domain *d, struct evtchn *c, uint32_t port);
/* sel: bit of evtchn_pending_sel to set, -1: none. The edge of upcall_pending interrupts v. */
void evtchn_deliver_upcall(struct vcpu *v, int sel);

/* evtchn_fifo.c. *kick: v's upcall is due. Result: the event was not pending before. */
bool evtchn_fifo_pending(struct domain *d, struct evtchn *c, uint32_t port, struct vcpu **kick);
/* Clears MASKED; true when the event is pending, and has to be delivered again. */
bool evtchn_fifo_unmask(struct domain *d, uint32_t port);
void evtchn_fifo_clear(struct domain *d, struct evtchn *c, uint32_t port);
bool evtchn_fifo_is_pending(struct domain *d, uint32_t port);
/* The port is still in one of the guest's queues. */
bool evtchn_fifo_is_linked(struct domain *d, uint32_t port);
int evtchn_fifo_init_control(struct vcpu *v, gfn_t gfn, uint32_t offset);
int evtchn_fifo_expand(struct domain *d, gfn_t gfn); /* -XEN_ERESTART: call again */
/* Back to 2-level, all areas given back; the set's lock is held. */
void evtchn_fifo_reset(struct domain *d);

#endif

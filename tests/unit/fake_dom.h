/* SPDX-License-Identifier: MIT */
/* Domains for unit tests of hyp/dom's parts: the layers around are replaced, mm/ is the real one.
 */
#ifndef BH_UNIT_FAKE_DOM_H
#define BH_UNIT_FAKE_DOM_H

#include "hyp/dom/dom.h"

#define FAKE_RAM 64U /* frames of RAM at gfn 0.. of each domain */

/* A domain with RAM, event channels and grants; its linear addresses are host pointers, 0 is bad.
 */
struct domain *fake_domain(uint16_t id, uint32_t nvcpus);
/* Teardown in the order of the real one. False: a zombie, found by domain_get() as before. */
bool fake_destroy(struct domain *d);
/* No reference and no lock was forgotten. */
bool fake_idle(struct domain *d);
hfn_t fake_ram(struct domain *d, uint32_t gfn);

static inline bool spin_is_locked(const struct spinlock *l)
{
    return READ_ONCE(l->owner) != READ_ONCE(l->next);
}

extern bool fake_slow;                      /* a hypercall has always taken long enough */
extern bool fake_resched;                   /* the vCPU is to give up its CPU */
extern unsigned fake_notified, fake_raised; /* upcall_notify(), vlapic_raise() */
extern struct x86_vcpu *fake_last;          /* the vCPU of the last of these */
extern void (*fake_irq)(void *arg);         /* what irq_bind(3) set */
extern void *fake_irq_arg;
extern void (*fake_irq_binding)(void); /* what happens before irq_bind() has done anything */
extern unsigned fake_refused;

#endif

/* SPDX-License-Identifier: MIT */
/* Between domain.c, the list and life of domains, and teardown.c, their work in slices. */
#ifndef BH_DOM_DOMAIN_H
#define BH_DOM_DOMAIN_H

#include "hyp/dom/dom.h"

/* Out of the list; the last reference frees it. */
void domain_unlink(struct domain *d);
/* How many zombies have d's name or UUID: earlier lives that others hold, and d if it is one. */
unsigned domain_zombies(const struct domain *d);
/* A new vCPU of d: 0 or -XEN_ENOMEM; domain_free_vcpu() when it runs nowhere and never will. */
int domain_make_vcpu(struct domain *d, uint32_t id);
void domain_free_vcpu(struct domain *d, uint32_t id);

#endif

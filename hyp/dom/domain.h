/* SPDX-License-Identifier: MIT */
/* Between domain.c, the list and life of domains, and teardown.c, their work in slices. */
#ifndef BH_DOM_DOMAIN_H
#define BH_DOM_DOMAIN_H

#include "hyp/dom/dom.h"

/* Out of the list; the last reference frees it. */
void domain_unlink(struct domain *d);
/* Queues d's next step. */
void domain_queue(struct domain *d, enum domain_step step);

#endif

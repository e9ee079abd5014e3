/* SPDX-License-Identifier: MIT */
#ifndef BH_FUZZ_AUDIT_H
#define BH_FUZZ_AUDIT_H

#include "hyp/dom/dom.h"

/*
 * Between two operations: every reference and pin of every frame has a reason, a guest sees no
 * frame that it should not, connections of event channels have two ends. d: all domains, some NULL.
 */
void audit(struct domain *const *d, unsigned n);

#endif

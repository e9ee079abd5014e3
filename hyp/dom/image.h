/* SPDX-License-Identifier: MIT */
/* The kept segments of a domain that was made by BH_CONTROL_create. One that is from the bundle has
 * them there. */
#ifndef BH_DOM_IMAGE_H
#define BH_DOM_IMAGE_H

#include "hyp/dom/dom.h"

/* The record starts the domain again at some end; and its segments are small enough to be kept. */
bool image_wanted(const struct bundle_domain *r);
bool image_fits(const struct bundle_domain *r);
/* Frames that it takes to keep them, at most. */
uint64_t image_cost(const struct bundle_domain *r);
/* Where byte `at` of a segment is kept, and the rest of its page. NULL: there is none; no memory.
 */
uint8_t *image_at(struct domain *d, uint32_t segment, uint64_t at, bool make);
/* Frees about budget pages; true when nothing is left. */
bool image_free_slice(struct domain *d, unsigned budget);

#endif

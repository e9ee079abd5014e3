/* SPDX-License-Identifier: MIT */
/* The bytes of segments that the host has: those of the bundle, and those that came by call and are
 * kept, once for all domains that have the same. */
#ifndef BH_DOM_IMAGE_H
#define BH_DOM_IMAGE_H

#include "hyp/dom/dom.h"

/* Where the bundle is; once, before the first domain. */
void image_bundle(hpa_t bundle, uint64_t size);
/* The record starts the domain again at some end: what comes by call is kept. */
bool image_wanted(const struct bundle_domain *r);
/* Its segments are small enough for that. */
bool image_fits(const struct bundle_domain *r);
/* Frames that it takes to keep them, at most. */
uint64_t image_cost(const struct bundle_domain *r);
/* True: the host has the bytes of this segment, by size and checksum. */
bool image_find(struct domain *d, uint32_t segment);
/* n bytes of such a segment from a page's begin on, to be unmapped if *window is set. */
uint8_t *image_map(const struct domain *d, uint32_t segment, uint64_t at, uint8_t **window);
/* Where byte `at` of a segment that comes by call is to be kept, and the rest of its page. NULL: no
 * memory. */
uint8_t *image_keep(struct domain *d, uint32_t segment, uint64_t at);
/* It is whole, and its checksum is right: others may have it. */
void image_complete(struct domain *d, uint32_t segment);
/* Frees about budget pages; true when d has none any more. */
bool image_free_slice(struct domain *d, unsigned budget);

#endif

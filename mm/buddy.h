/* SPDX-License-Identifier: MIT */
/*
 * Free frames, in blocks of 1 << order frames, order 0..9. Memory is divided into chunks of 2 MiB;
 * each belongs to one of two zones as a whole. Guest chunks are mapped nowhere; hypervisor chunks
 * are mapped (mm/arch.h), taken from the guest zone when that zone's blocks run out, and given back
 * when they are free again, all but one. Every function needs the frame lock held.
 */
#ifndef BH_MM_BUDDY_H
#define BH_MM_BUDDY_H

#include "hyp/lib/lock.h"
#include "mm/frame.h"

enum zone { ZONE_GUEST, ZONE_HYP, ZONES };

#define BUDDY_NONE ~0U

void buddy_init(void);
/* A block whose frames are still FREE, the caller's to fill in; BUDDY_NONE: there is none. */
uint32_t buddy_alloc(enum zone z, unsigned order, struct locked held);
/* The frames of the block become FREE. */
void buddy_free(enum zone z, uint32_t f, unsigned order, struct locked held);
uint64_t buddy_count(void); /* free frames */
bool buddy_is_sound(void);  /* the lists and buddy_count() agree; for checks, needs no lock then */

#endif

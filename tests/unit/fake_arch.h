/* SPDX-License-Identifier: MIT */
/* A machine for unit tests: physical memory from a memfd, windows and chunk mappings as in hyp/x86.
 */
#ifndef BH_UNIT_FAKE_ARCH_H
#define BH_UNIT_FAKE_ARCH_H

#include "mm/frame.h"

/*
 * RAM of n frames, numbers 0..n-1; all but frame 0 is given to the
 * allocator. Touching hypervisor memory outside a mapped chunk is a SIGSEGV.
 */
void fake_machine(uint64_t n);
extern uint64_t fake_flushes; /* calls of arch_p2m_flush() */
extern unsigned fake_chunks;  /* mapped chunks */
/* The bytes of a frame, whoever owns it. */
uint8_t *fake_frame(hfn_t f);

#endif

/* SPDX-License-Identifier: MIT */
/* The hypervisor's own page tables (SDM vol. 3 ch. 4.5): made once at boot, see layout.h. */
#ifndef BH_X86_PAGING_H
#define BH_X86_PAGING_H

#include "hyp/lib/addr.h"

/*
 * Makes the final tables from pages of the 2 MiB chunk at pool (zeroed here, below 4 GiB, reachable
 * at its physical address while the boot tables are in use): the image by its permissions, the pool
 * itself at DIRECT_BASE, directories for chunks up to ram_end, windows for every CPU. NULL, or what
 * is missing. paging_switch() makes this CPU use them.
 */
const char *paging_init(hpa_t pool, uint64_t ram_end);
void paging_switch(void);

/* Maps 2 MiB of the frame table: part i of it lives in the chunk at a. */
void paging_map_frames(unsigned i, hpa_t a);
/* The same where there is no RAM: one zero page, read-only, serves. */
void paging_map_no_frames(unsigned i);

/* A stack of STACK_PAGES pages for cpu, number n of its stacks, guard pages around: its top. */
uint64_t paging_map_stack(unsigned cpu, unsigned n);

/* [va, va + n) lies in one of this CPU's stacks, or in the one it booted with. */
bool paging_on_stack(uint64_t va, size_t n);
/* va lies in the guard page below a stack of any CPU. */
bool paging_in_guard(uint64_t va);

/*
 * Drops this CPU's translations of chunks that other CPUs have unmapped since its last call. They
 * are never wrong, for a chunk's address depends on nothing, but should not stay.
 */
void paging_refresh(void);

#endif

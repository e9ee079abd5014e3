/* SPDX-License-Identifier: MIT */
/*
 * What mm/ needs of the machine. hyp/x86 implements it for real; tests/unit/fake_arch.c implements
 * it on the host for the unit tests.
 */
#ifndef BH_MM_ARCH_H
#define BH_MM_ARCH_H

#include "hyp/lib/addr.h"

/*
 * Hypervisor memory is mapped in chunks of 2 MiB, each at a fixed virtual address that depends only
 * on its physical one (hva = base + hpa). chunk is 2 MiB aligned. Guest memory is never mapped so.
 */
void arch_chunk_map(hfn_t chunk);
void arch_chunk_unmap(hfn_t chunk);
void *arch_hfn_to_hva(hfn_t f); /* f must lie in a mapped chunk */
hfn_t arch_hva_to_hfn(const void *p);

/*
 * A per-CPU window onto any one frame: for as long as the hypervisor copies and no longer. Windows
 * nest at most SLOT_DEPTH deep and are closed in the opposite order.
 */
#define SLOT_DEPTH 8
void *arch_slot_map(hfn_t f);
void arch_slot_unmap(void *p);

/* Waits until no CPU uses a translation of p2m p that was removed before this call. */
struct p2m;
void arch_p2m_flush(struct p2m *p);

#endif

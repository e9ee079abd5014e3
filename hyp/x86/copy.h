/* SPDX-License-Identifier: MIT */
/*
 * The one way to reach a guest's memory. A copy walks the guest's own page tables (copy_*_guest) or
 * takes guest-physical addresses, resolves each page through the p2m under its lock, and moves bytes
 * through a per-CPU window. Nothing else in the hypervisor dereferences guest memory.
 */
#ifndef BH_X86_COPY_H
#define BH_X86_COPY_H

#include "hyp/x86/vcpu.h"

/*
 * Between hypervisor memory and linear addresses of the current vCPU's guest, with its supervisor
 * rights at this moment. 0 or -XEN_EFAULT; a fault part-way leaves a part copied.
 */
int copy_from_guest(struct x86_vcpu *v, void *dst, gva_t src, size_t n);
int copy_to_guest(struct x86_vcpu *v, gva_t dst, const void *src, size_t n);

/* The same with guest-physical addresses of any domain. */
int copy_from_gpa(struct x86_domain *d, void *dst, gpa_t src, size_t n);
int copy_to_gpa(struct x86_domain *d, gpa_t dst, const void *src, size_t n);

/* n bytes from frame to frame, within each: the caller holds what keeps both. */
void copy_frames(hfn_t to, size_t to_at, hfn_t from, size_t from_at, size_t n);

/* Walks to the guest-physical address of a linear one: 0 or -XEN_EFAULT. */
int guest_walk(struct x86_vcpu *v, gva_t va, bool write, gpa_t *out);

/* A handle (XEN_GUEST_HANDLE) as address: guests' pointers are never dereferenced. */
#define HANDLE_GVA(h) mk_gva((uint64_t)(uintptr_t)(h).p)

#endif

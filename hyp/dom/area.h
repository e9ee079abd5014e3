/* SPDX-License-Identifier: MIT */
/*
 * A piece of guest memory that the guest registered once and the hypervisor writes from then on
 * (vcpu_info, runstate, time, event FIFO pages): pinned at registration, reached through a window.
 */
#ifndef BH_DOM_AREA_H
#define BH_DOM_AREA_H

#include "hyp/x86/copy.h"

struct guest_area {
    hfn_t frame[2];        /* HFN_NONE: unused */
    uint32_t offset, size; /* size 0: not registered */
};

/*
 * Pins n bytes (at most a page) at a guest-physical address or at a linear one of the current vCPU;
 * 0, -XEN_EFAULT, -XEN_EINVAL.
 */
int area_set_gpa(struct guest_area *a, struct x86_domain *d, gpa_t gpa, size_t n);
int area_set_gva(struct guest_area *a, struct x86_vcpu *v, gva_t gva, size_t n);
void area_clear(struct guest_area *a);
void area_write(const struct guest_area *a, size_t at, const void *src, size_t n);
/* The whole area in one window; only for areas that lie in one frame. */
void *area_open(const struct guest_area *a);
void area_close(void *p);

#endif

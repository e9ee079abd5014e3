/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls (xen/xen.h): one file for each family. A handler copies its arguments in once, checks
 * all of them, then applies them; v is the vCPU that this CPU runs. A handler that has done a part
 * changes args to say what is left and returns -XEN_ERESTART.
 */
#ifndef BH_CALL_CALL_H
#define BH_CALL_CALL_H

#include "hyp/dom/dom.h"

#define CALL_ARGS 6

typedef long call_fn(struct vcpu *v, uint64_t args[CALL_ARGS]);

/* Hypercall nr: its result, or -XEN_ERESTART with args changed. */
long call_dispatch(struct vcpu *v, uint64_t nr, uint64_t args[CALL_ARGS]);

call_fn call_console_io, call_control, call_hvm_op, call_memory_op, call_multicall, call_physdev_op,
    call_sched_op, call_set_timer_op, call_vcpu_op, call_vm_assist, call_xen_version;

/* consoleio.c: a line of d's console for the host log; too many of them are dropped. d is locked.
 */
void consoleio_line(struct domain *d, struct locked held, const char *text, size_t len);
/* physmap.c: XENMEM_add_to_physmap, _batch, XENMEM_remove_from_physmap; start: pages done before.
 * Number of pages done when there are more to do, 0, or an error. */
long physmap_add(struct vcpu *v, gva_t arg, uint32_t start);
long physmap_add_batch(struct vcpu *v, gva_t arg, uint32_t start);
long physmap_remove(struct vcpu *v, gva_t arg);
/* Takes n pages from gfn on away, memory, which becomes free, or the hypervisor's. Those before one
 * that cannot be are gone: -XEN_ENOENT, -XEN_EINVAL: a grant, -XEN_EBUSY: others hold it,
 * -XEN_ENOMEM. d is locked. */
int physmap_free(struct domain *d, gfn_t gfn, uint64_t n);
/* vcpuinit.c: VCPUOP_initialise for a vCPU of v's domain that has not been started. */
long vcpuinit(struct vcpu *v, struct vcpu *target, gva_t arg);

#endif

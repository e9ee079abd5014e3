/* SPDX-License-Identifier: MIT */
/* What hyp/x86 asks of the layers above it; implemented in hyp/dom (and hyp/call: hypercalls). */
#ifndef BH_X86_UPCALL_H
#define BH_X86_UPCALL_H

#include "hyp/x86/vcpu.h"

/* rax: number; rdi, rsi, rdx, r10, r8, r9: arguments; result to rax. False: execute it again. */
bool upcall_hypercall(struct x86_vcpu *v);
/* vcpu_info->evtchn_upcall_pending of v. */
bool upcall_event_pending(struct x86_vcpu *v);
/* HLT with nothing deliverable: v sleeps until upcall_notify(). */
void upcall_block(struct x86_vcpu *v);
/* Any CPU: v has something to look at; wakes it, or kicks it out of the guest. */
void upcall_notify(struct x86_vcpu *v);
void upcall_yield(struct x86_vcpu *v);
/* An INIT or SIPI for x, from any vCPU of its domain (SDM vol. 3 ch. 9.4.1). upcall_sipi: false:
 * x has not come to a stop yet, ask again. */
void upcall_init(struct x86_vcpu *x);
bool upcall_sipi(struct x86_vcpu *x, uint8_t vector);
/* HLT that nothing can end but INIT: x goes down; the last one to go powers the domain off. */
void upcall_stopped(struct x86_vcpu *x);
/* reason: SHUTDOWN_poweroff, _reboot, _crash (xen/sched.h); why: for the log. */
void upcall_shutdown(struct x86_vcpu *v, unsigned reason, const char *why);

#endif

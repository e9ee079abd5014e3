/* SPDX-License-Identifier: MIT */
/* Instructions of a guest that exit, dealt with in cpuid.c and msr.c. */
#ifndef BH_X86_GUEST_H
#define BH_X86_GUEST_H

#include "hyp/x86/vcpu.h"

#define MSR_XEN_HYPERCALL 0x40000000U

/* CPUID: eax, ecx in; eax to edx out. */
void cpuid_guest(struct x86_vcpu *v);
/* RDMSR and WRMSR of MSR ecx, edx:eax; false: #GP. v->retry: execute it again. */
bool msr_guest_read(struct x86_vcpu *v);
bool msr_guest_write(struct x86_vcpu *v);

#endif

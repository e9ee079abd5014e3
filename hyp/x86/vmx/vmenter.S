/* SPDX-License-Identifier: MIT */
/* World switch of VT-x: bool vmenter(struct gprs *regs (rdi), bool launched (sil)). */
#include "hyp/x86/spec.h"
#include "hyp/x86/switch.h"
#include "hyp/x86/vmx/vmcs.h"

    .text
    .globl vmenter, vmenter_exit
    .type vmenter, @function
vmenter:
    switch_begin
    push %rdi
    mov $VMCS_HOST_RSP, %eax
    vmwrite %rsp, %rax
    spec_clear_buffers
    test %sil, %sil /* no load below changes ZF */
    mov 0(%rdi), %rax
    each_gpr load_gpr
    mov 56(%rdi), %rdi
    jz 1f
    vmresume
    jmp 2f
1:  vmlaunch
2:  pop %rdi /* VMfail: the guest's registers are as they were */
    mov $1, %eax
    jmp 3f

vmenter_exit:
    push %rdi
    mov 8(%rsp), %rdi
    pop 56(%rdi)
    mov %rax, 0(%rdi)
    each_gpr store_gpr
    pop %rdi
    spec_fill_rsb %eax
    xor %eax, %eax
3:  switch_end
    .size vmenter, . - vmenter
    .section .note.GNU-stack, "", @progbits

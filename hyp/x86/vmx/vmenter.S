/* SPDX-License-Identifier: MIT */
/* World switch of VT-x: bool vmenter(struct gprs *regs (rdi), bool launched (sil)). */
#include "hyp/x86/spec.h"
#include "hyp/x86/vmx/vmcs.h"

    .text
    .globl vmenter, vmenter_exit
    .type vmenter, @function
vmenter:
    push %rbp
    mov %rsp, %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdi
    mov $VMCS_HOST_RSP, %eax
    vmwrite %rsp, %rax
    spec_clear_buffers
    test %sil, %sil /* no load below changes ZF */
    mov 0(%rdi), %rax
    mov 8(%rdi), %rcx
    mov 16(%rdi), %rdx
    mov 24(%rdi), %rbx
    mov 40(%rdi), %rbp
    mov 48(%rdi), %rsi
    mov 64(%rdi), %r8
    mov 72(%rdi), %r9
    mov 80(%rdi), %r10
    mov 88(%rdi), %r11
    mov 96(%rdi), %r12
    mov 104(%rdi), %r13
    mov 112(%rdi), %r14
    mov 120(%rdi), %r15
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
    mov %rcx, 8(%rdi)
    mov %rdx, 16(%rdi)
    mov %rbx, 24(%rdi)
    mov %rbp, 40(%rdi)
    mov %rsi, 48(%rdi)
    mov %r8, 64(%rdi)
    mov %r9, 72(%rdi)
    mov %r10, 80(%rdi)
    mov %r11, 88(%rdi)
    mov %r12, 96(%rdi)
    mov %r13, 104(%rdi)
    mov %r14, 112(%rdi)
    mov %r15, 120(%rdi)
    pop %rdi
    spec_fill_rsb %eax
    xor %eax, %eax
3:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size vmenter, . - vmenter
    .section .note.GNU-stack, "", @progbits

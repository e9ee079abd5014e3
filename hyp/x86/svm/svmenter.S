/* SPDX-License-Identifier: MIT */
/*
 * World switch of AMD-V: svmenter(struct gprs *regs (rdi), guest (rsi), host (rdx)). GIF is 0 from
 * CLGI to STGI but in the guest, so IF may be 1 for VMRUN: only then a physical interrupt makes the
 * guest exit (APM vol. 2 15.21.1). An NMI that made it exit is taken at STGI.
 */
#include "hyp/x86/spec.h"

    .text
    .globl svmenter
    .type svmenter, @function
svmenter:
    push %rbp
    mov %rsp, %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdx
    push %rdi
    spec_clear_buffers
    clgi
    sti
    mov %rsi, %rax
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
    vmload %rax
    vmrun %rax
    vmsave %rax
    push %rdi
    mov 8(%rsp), %rdi
    pop 56(%rdi)
    mov 8(%rsp), %rax
    vmload %rax
    cli
    stgi
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
    add $16, %rsp
    spec_fill_rsb %eax
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size svmenter, . - svmenter
    .section .note.GNU-stack, "", @progbits

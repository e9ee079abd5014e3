/* SPDX-License-Identifier: MIT */
/*
 * World switch of AMD-V: svmenter(struct gprs *regs (rdi), guest (rsi), host (rdx)). GIF is 0 from
 * CLGI to STGI but in the guest, so IF may be 1 for VMRUN: only then a physical interrupt makes the
 * guest exit (APM vol. 2 15.21.1). An NMI that made it exit is taken at STGI, when what the guest has
 * trained is forgotten.
 */
#include "hyp/x86/spec.h"
#include "hyp/x86/switch.h"

    .text
    .globl svmenter
    .type svmenter, @function
svmenter:
    switch_begin
    push %rdx
    push %rdi
    spec_clear_buffers
    clgi
    sti
    mov %rsi, %rax
    each_gpr load_gpr
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
    each_gpr store_gpr
    add $16, %rsp
    spec_forget
    spec_fill_rsb %eax
    stgi
    switch_end
    .size svmenter, . - svmenter
    .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT */
/*
 * Where gcc's and clang's indirect calls and jumps go: the CPU predicts the return to end in the
 * loop, whatever a guest has taught it about the branch.
 */
    .macro thunk name reg
    .section .text.\name, "ax", @progbits
    .balign 16
    .globl \name
    .type \name, @function
\name:
    call 2f
1:  pause
    lfence
    jmp 1b
2:  mov %\reg, (%rsp)
    ret
    .size \name, . - \name
    .endm

    .irp reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    thunk __x86_indirect_thunk_\reg \reg
    .endr
    thunk __llvm_retpoline_r11 r11
    .section .note.GNU-stack, "", @progbits

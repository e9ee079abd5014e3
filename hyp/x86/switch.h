/* SPDX-License-Identifier: MIT */
/* What the world switches of both vendors have in common; for the assembler only. */
#ifndef BH_X86_SWITCH_H
#define BH_X86_SWITCH_H

#ifdef __ASSEMBLER__
/* clang-format off */
/* The registers that belong to the caller in C. */
.macro switch_begin
    push %rbp
    mov %rsp, %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
.endm

.macro switch_end
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
.endm

.macro load_gpr reg at
    mov \at(%rdi), %\reg
.endm

.macro store_gpr reg at
    mov %\reg, \at(%rdi)
.endm

/* The guest's registers in the struct gprs at rdi, all but rax, rsp and rdi. No flags change. */
.macro each_gpr op
    \op rcx, 8
    \op rdx, 16
    \op rbx, 24
    \op rbp, 40
    \op rsi, 48
    \op r8, 64
    \op r9, 72
    \op r10, 80
    \op r11, 88
    \op r12, 96
    \op r13, 104
    \op r14, 112
    \op r15, 120
.endm
/* clang-format on */
#endif
#endif

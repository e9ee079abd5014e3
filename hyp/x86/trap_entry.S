/* SPDX-License-Identifier: MIT */
/*
 * One stub for each vector: 16 bytes, pushes the vector (and a zero where the CPU pushes no error
 * code), saves all registers as struct trap_frame has them, and calls trap_handle().
 */
    .altmacro
    .macro stub n
    .balign 16
    .if (\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17) || (\n == 21) || (\n == 29) || (\n == 30)
    .else
    pushq $0
    .endif
    pushq $\n
    jmp common
    .endm

    .text
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set i, 0
    .rept 256
    stub %i
    .set i, i + 1
    .endr

common:
    .irp r, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
    pushq %\r
    .endr
    cld
    movq %rsp, %rdi
    movq %rsp, %rbp
    andq $-16, %rsp
    call trap_handle
    movq %rbp, %rsp
    .irp r, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    popq %\r
    .endr
    addq $16, %rsp
    iretq

/* bool rdmsr_safe(uint32_t msr, uint64_t *v) */
    .globl rdmsr_safe
rdmsr_safe:
    movl %edi, %ecx
1:  rdmsr
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, (%rsi)
    movl $1, %eax
    ret
failed:
    xorl %eax, %eax
    ret
    .section .extable, "a"
    .balign 8
    .quad 1b, failed
    .section .note.GNU-stack, "", @progbits

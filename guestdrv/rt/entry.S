/* SPDX-License-Identifier: MIT */
/*
 * PVH entry (Xen docs/misc/pvh): 32-bit protected mode, paging off, ebx = hvm_start_info. Builds an
 * identity map of the first 4 GiB in 2 MiB pages and goes to long mode; rt_main() refines it.
 */
    .section .note.xen, "a", @note
    .balign 4
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long rt_entry

    .section .text.entry, "ax"
    .code32
    .globl rt_entry
rt_entry:
    cld
    movl $rt_stack_top, %esp
    movl %ebx, rt_start_info_gpa
    movl $rt_pd, %edi
    movl $0x83, %eax /* present, writable, 2 MiB */
    xorl %ecx, %ecx
1:  movl %eax, (%edi, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jne 1b
    movl $(rt_pd + 3), %eax
    movl $rt_pdpt, %edi
    xorl %ecx, %ecx
2:  movl %eax, (%edi, %ecx, 8)
    addl $4096, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 2b
    movl $(rt_pdpt + 3), rt_pml4
    movl $rt_pml4, %eax
    movl %eax, %cr3
    movl $0x6a0, %eax /* PAE, PGE, OSFXSR, OSXMMEXCPT */
    movl %eax, %cr4
    movl $0xc0000080, %ecx /* EFER: LME, NXE */
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    lgdt rt_gdtr
    ljmp $8, $3f
    .code64
3:  movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $rt_stack_top, %rsp
    xorl %ebp, %ebp
    call rt_main
    ud2

/* Traps 0..31 push vector and error code and end in rt_trap(); the upcall ends in rt_upcall(). */
    .altmacro
    .macro stub n
    .balign 16
    .if (\n == 8) || (\n >= 10 && \n <= 14) || (\n == 17)
    .else
    pushq $0
    .endif
    pushq $\n
    jmp trap_common
    .endm
    .text
    .balign 16
    .globl rt_trap_stubs
rt_trap_stubs:
    .set i, 0
    .rept 32
    stub %i
    .set i, i + 1
    .endr
trap_common:
    movq %rsp, %rdi
    andq $-16, %rsp
    call rt_trap
    ud2

    .globl rt_upcall_stub
rt_upcall_stub:
    .irp r, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
    pushq %\r
    .endr
    cld
    call rt_upcall
    .irp r, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
    popq %\r
    .endr
    iretq

    .data
    .balign 8
rt_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
    .globl rt_gdtr
rt_gdtr:
    .word . - rt_gdt - 1
    .quad rt_gdt
    .globl rt_start_info_gpa
rt_start_info_gpa:
    .quad 0

    .bss
    .balign 4096
    .globl rt_pml4, rt_pdpt, rt_pd
rt_pml4: .skip 4096
rt_pdpt: .skip 4096
rt_pd:   .skip 4 * 4096
    .globl rt_stack_guard
rt_stack_guard: .skip 4096
    .skip 16384
rt_stack_top:
    .section .note.GNU-stack, "", @progbits

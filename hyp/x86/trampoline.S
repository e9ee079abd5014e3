/* SPDX-License-Identifier: MIT */
/*
 * Where another CPU begins: real mode, at the page that the SIPI names, to which the first few bytes
 * here are copied. From there by the boot CPU's first page tables to the final ones and its own
 * stack (hyp/x86/smp.c).
 */
#define HYP_BASE 0xffffffff80000000
#define PHYS(x)  ((x) - HYP_BASE)

    .section .rodata, "a"
    .globl trampoline_start, trampoline_end
    .code16
trampoline_start:
    cli
    movw %cs, %ax
    movw %ax, %ds
    lgdtl gdtr - trampoline_start
    movl $0x11, %eax /* ET, PE */
    movl %eax, %cr0
    ljmpl $8, $PHYS(protected)
    .balign 4
gdtr:
    .word gdt_end - gdt - 1
    .long PHYS(gdt)
trampoline_end:

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdt_end:

    .section .text.trampoline, "ax"
    .code32
protected:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x900, %eax /* NXE, LME */
    wrmsr
    movl $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    ljmp $24, $PHYS(1f)

    .code64
1:  movabsq $2f, %rax
    jmp *%rax
2:  movl $PHYS(paging_root), %eax
    movq %rax, %cr3
    xorl %eax, %eax
    xchgq %rax, smp_claim
    testq %rax, %rax
    jz 3f
    movq %rax, %rsp
    popq %rdi
    xorl %ebp, %ebp
    call smp_main
    ud2
3:  cli
    hlt
    jmp 3b
    .section .note.GNU-stack, "", @progbits

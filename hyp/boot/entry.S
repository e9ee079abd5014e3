/* SPDX-License-Identifier: MIT */
/*
 * From GRUB to C (Multiboot2 specification, sections 3.1 and 3.3): 32-bit protected mode, paging off,
 * eax = magic, ebx = information. The page tables made here map the first 4 GiB twice, at 0 and at
 * HYP_BASE (the first GiB), all writable and executable; boot replaces them within its first lines.
 */
#define HYP_BASE 0xffffffff80000000
#define PHYS(x)  ((x) - HYP_BASE)
#define MAGIC    0xe85250d6

    .section .multiboot2, "a"
    .balign 8
header:
    .long MAGIC, 0, header_end - header, -(MAGIC + header_end - header)
    .balign 8
    .word 6, 0 /* module alignment: pages */
    .long 8
    .balign 8
    .word 0, 0
    .long 8
header_end:

    .section .text.boot, "ax"
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    movl %eax, %esi
    movl %ebx, %ebp
    rdtsc /* time begins here */
    movl %eax, PHYS(boot_tsc)
    movl %edx, PHYS(boot_tsc) + 4
    movl $PHYS(boot_pd), %edi
    movl $0x83, %eax
    xorl %ecx, %ecx
1:  movl %eax, (%edi, %ecx, 8)
    addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jne 1b
    movl $PHYS(boot_pd) + 3, %eax
    xorl %ecx, %ecx
2:  movl %eax, PHYS(boot_pdpt)(, %ecx, 8)
    addl $4096, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 2b
    movl $PHYS(boot_pd) + 3, PHYS(boot_pdpt_high) + 510 * 8
    movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4)
    movl $PHYS(boot_pdpt_high) + 3, PHYS(boot_pml4) + 511 * 8

    movl $0x80000001, %eax /* long mode at all? APM vol. 3 appendix E */
    cpuid
    btl $29, %edx
    jnc no_long_mode
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax /* LME */
    wrmsr
    movl $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
    movl %eax, %cr0
    lgdt PHYS(boot_gdtr)
    ljmp $8, $PHYS(3f)

no_long_mode: /* nothing is set up to say so but the serial port: 'L' and stop */
    movw $0x3f8, %dx
    movb $'L', %al
    outb %al, %dx
4:  hlt
    jmp 4b

    .code64
3:  movabsq $5f, %rax
    jmp *%rax
5:  movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movq $boot_stack_top, %rsp
    movl %esi, %edi
    movl %ebp, %esi
    xorl %ebp, %ebp
    call boot_main
    ud2

/* boot_switch_stack(top, fn): goes on in fn, which does not return, on another stack. */
    .globl boot_switch_stack
boot_switch_stack:
    movq %rdi, %rsp
    xorl %ebp, %ebp
    call *%rsi
    ud2

    .section .rodata, "a"
    .balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdtr:
    .word . - boot_gdt - 1
    .quad PHYS(boot_gdt)

    .data
    .balign 8
    .globl boot_tsc
boot_tsc: .quad 0

    .bss
    .balign 4096
    .globl boot_pml4, boot_stack_bottom, boot_stack_top
boot_pml4:      .skip 4096
boot_pdpt:      .skip 4096
boot_pdpt_high: .skip 4096
boot_pd:        .skip 4 * 4096
boot_stack_bottom:
    .skip 16384
boot_stack_top:
    .section .note.GNU-stack, "", @progbits

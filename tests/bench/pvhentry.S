/* SPDX-License-Identifier: MIT */
/*
 * In place of a kernel in QEMU (-kernel, q35): says what the TSC was when QEMU's firmware came to the
 * PVH entry, "bench entry" and 16 hexadecimal digits on the first serial port, and powers off.
 */
    .section .note.xen, "a", @note
    .balign 4
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long pvhentry

    .text
    .code32
    .globl pvhentry
pvhentry:
    rdtsc
    movl %eax, %ebx
    movl %edx, %ebp
    movl $text, %esi
    movl $(text_end - text), %ecx
    movw $0x3f8, %dx
    rep outsb
    movl $16, %ecx
1:  shldl $4, %ebp, %edi /* the next digit, from the top of ebp:ebx */
    shldl $4, %ebx, %ebp
    shll $4, %ebx
    andl $15, %edi
    movb digits(%edi), %al
    outb %al, %dx
    loop 1b
    movb $'\n', %al
    outb %al, %dx
    movw $0x604, %dx /* the PM1a control register of q35: S5 */
    movw $0x2000, %ax
    outw %ax, %dx
2:  hlt
    jmp 2b

text: .ascii "bench entry "
text_end:
digits: .ascii "0123456789abcdef"
    .section .note.GNU-stack, "", @progbits

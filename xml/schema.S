/* SPDX-License-Identifier: MIT */
/* The schema, as a string inside the tool. */
    .section .rodata
    .globl bulkhead_rng
bulkhead_rng:
    .incbin "xml/bulkhead.rng"
    .byte 0
    .section .note.GNU-stack, "", @progbits

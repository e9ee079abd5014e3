/* SPDX-License-Identifier: MIT */
/* The schema, inside the tool. */
    .section .rodata
    .globl schema_start, schema_end
schema_start:
    .incbin "xml/bulkhead.rng"
schema_end:
    .section .note.GNU-stack, "", @progbits

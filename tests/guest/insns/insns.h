/* SPDX-License-Identifier: MIT */
/* The random instructions guest: what is executed (insngen.c) and how it is survived (arena.c). */
#ifndef BH_GUEST_INSNS_H
#define BH_GUEST_INSNS_H

#include "tests/guest/hostile.h"

/*
 * Linear addresses of the arena, far from one another and from the guest's image, of which only
 * text and constants are there while an attempt runs.
 */
#define ARENA_CODE    0x2a8000200000UL /* one page, and nothing around it */
#define ARENA_SCRATCH 0x2a8000400000UL /* four pages */
#define ARENA_TABLES  0x4c8000600000UL /* descriptor tables, read-only */
#define ARENA_STACK   0x4c8000a00000UL /* where traps go */
#define ARENA_CONTEXT 0x4c8000c00000UL /* registers to start with */

#define CODE64 8
#define DATA   16
#define CODE32 24
#define TASK   32 /* two entries */

/* Popped in this order by arena_go. */
struct attempt {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t rip, cs, rflags, rsp, ss;
};

void arena_init(void);
extern uint8_t *arena_code;           /* the code page, to be written */
extern struct attempt *arena_context; /* what arena_go starts with */
/* Runs the attempt; the trap that ends it comes to arena_trapped, with all state as it was. */
void arena_go(void) __noreturn;
void arena_trapped(uint64_t vector) __noreturn;

/* Writes an attempt: code of at most 60 bytes, registers. */
void insngen(struct rng *r, uint8_t *code, struct attempt *a);

#endif

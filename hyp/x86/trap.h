/* SPDX-License-Identifier: MIT */
/* Descriptor tables of each CPU, traps and interrupts (SDM vol. 3 ch. 6 and 7.2). */
#ifndef BH_X86_TRAP_H
#define BH_X86_TRAP_H

#include "hyp/x86/cpu.h"

struct trap_frame {
    uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* Stacks of a CPU by number, as paging_map_stack() counts them. */
enum { STACK_MAIN, STACK_DOUBLE_FAULT, STACK_NMI, STACK_MACHINE_CHECK, STACKS };

/*
 * Loads GDT, TSS, IDT and GS of CPU c on the CPU that calls; stacks[STACKS] are the tops of its
 * stacks, of which the interrupt ones may be 0 until they are mapped: then traps use the current
 * one.
 */
void trap_init(struct cpu *c, const uint64_t *stacks);

/* fn runs at interrupts of this vector (32..255), with interrupts off. It ends the interrupt
 * itself. */
void trap_set_handler(uint8_t vector, void (*fn)(uint8_t vector));

/* The host's own, NMI or machine check, has made a guest exit: its handler runs now. */
#define trap_again(vector) __asm__ volatile("int %0" : : "i"(vector) : "memory")

/* A panic at a trap that nothing else takes; an NMI of a panicking CPU only stops this one. */
void panic_trap(const struct trap_frame *f) __noreturn;

#endif

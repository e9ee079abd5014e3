/* SPDX-License-Identifier: MIT */
/* What the runtime's own files share. */
#ifndef BH_RT_INTERNAL_H
#define BH_RT_INTERNAL_H

#include "guestdrv/rt/rt.h"

extern uint64_t rt_pml4[512], rt_pd[2048], rt_start_info_gpa;
extern uint8_t rt_rodata[], rt_data[], rt_end[], rt_stack_guard[], rt_trap_stubs[];
void rt_upcall_stub(void);
struct trap_frame;
void rt_trap(const struct trap_frame *f);
void rt_upcall(void);
void rt_main(void);

#define UPCALL_VECTOR 0x20

void idt_init(void); /* idt.c */
void event_init(void);
void event_loop(void) __noreturn;

#endif

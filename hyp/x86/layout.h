/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's virtual address space, all of it. Nothing is mapped both writable and
 * executable.
 *
 *   HYP_BASE     the image: physical 2 MiB.. at HYP_BASE + hpa
 *   DIRECT_BASE  hypervisor memory, by 2 MiB chunk, at DIRECT_BASE + hpa (mm/arch.h); no guest
 * memory FRAMES_BASE  the frame table SLOT_BASE    per-CPU windows (SLOT_DEPTH pages for each CPU)
 *   STACK_BASE   per-CPU stacks, each between unmapped guard pages
 *   IO_BASE      device registers and firmware tables, mapped by map_io()
 */
#ifndef BH_X86_LAYOUT_H
#define BH_X86_LAYOUT_H

#define HYP_BASE    0xffffffff80000000
#define DIRECT_BASE 0xffff800000000000
#define FRAMES_BASE 0xffffc00000000000
#define SLOT_BASE   0xffffe00000000000
#define STACK_BASE  0xffffe10000000000
#define IO_BASE     0xffffe20000000000

#define STACK_PAGES 4 /* of a CPU's main stack and of each of its interrupt stacks */

/* Selectors in each CPU's GDT. */
#define SEL_CODE 0x08
#define SEL_DATA 0x10
#define SEL_TSS  0x18

/* Interrupt vectors. */
#define VECTOR_IRQ0     0x40 /* ..0x4f: legacy IRQ 0..15 through the I/O APIC */
#define VECTOR_EVENT    0xee /* another CPU has news: leave the guest and look */
#define VECTOR_TIMER    0xef
#define VECTOR_SPURIOUS 0xff

#endif

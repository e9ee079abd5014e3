/* SPDX-License-Identifier: MIT */
/* The first I/O APIC, as far as legacy interrupts need it; irq.c gives them to others. */
#ifndef BH_X86_IOAPIC_H
#define BH_X86_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define IOAPIC_LAST_CPU 0xfeU /* local APIC's ID; 255: all */

/* Masks the old interrupt controllers and every input of the I/O APIC. Needs acpi_init(). */
void ioapic_init(void);
/* Sends input pin to vector on the CPU with this local APIC; unmasked. False: no such pin,
 * or a CPU out of reach. */
bool ioapic_route(uint32_t pin, uint8_t vector, uint32_t apic_id, bool level, bool low);
void ioapic_mask(uint32_t pin, bool masked);

#endif

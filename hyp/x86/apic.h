/* SPDX-License-Identifier: MIT */
/* The local APIC of each CPU; what the layers above use of it stands in machine.h. */
#ifndef BH_X86_APIC_H
#define BH_X86_APIC_H

#include <stdint.h>

/* Turns this CPU's local APIC on and notes its ID. */
void apic_init(void);
/* A register by its number, apicreg.h. */
uint32_t apic_read(unsigned reg);
void apic_write(unsigned reg, uint32_t v);
/* An interprocessor interrupt: the low half of ICR, and where to. */
void apic_send(uint32_t apic_id, uint32_t command);

#endif

/* SPDX-License-Identifier: MIT */
/* The ACPI tables of a guest: enough for Linux to find its CPUs and to switch itself off. */
#ifndef BH_DOM_GUESTACPI_H
#define BH_DOM_GUESTACPI_H

#include <stdint.h>

/*
 * Fills a zeroed page that the guest sees at gpa: RSDP (at its start), XSDT, FADT with reduced
 * hardware, MADT with an x2APIC entry for each of nvcpus (up to 64), DSDT with \_S5.
 */
void guestacpi_build(uint8_t page[4096], uint32_t gpa, uint32_t nvcpus);

#endif

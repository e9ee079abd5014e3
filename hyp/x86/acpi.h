/* SPDX-License-Identifier: MIT */
/*
 * What we read of firmware's ACPI tables (ACPI 6.4): processors and interrupt controllers (MADT,
 * 5.2.12), power and reset registers (FADT, 5.2.9), \_S5 (found in the DSDT, 7.4.2). Firmware is
 * trusted no further than lengths and checksums.
 */
#ifndef BH_X86_ACPI_H
#define BH_X86_ACPI_H

#include "hyp/x86/cpu.h"

#define ACPI_MAX_OVERRIDES 16

struct acpi_info {
    uint32_t ncpus;
    uint32_t apic_ids[MAX_CPUS]; /* usable processors, as the MADT lists them */
    uint32_t more_cpus;          /* listed beyond MAX_CPUS */
    hpa_t lapic;                 /* registers in xAPIC mode */
    hpa_t ioapic;                /* first I/O APIC; 0: none */
    uint32_t ioapic_gsi;
    struct acpi_override {
        uint8_t irq;
        uint32_t gsi;
        bool level, low;
    } overrides[ACPI_MAX_OVERRIDES];
    uint32_t noverrides;
    uint16_t pm1a_control, pm1b_control, pm_timer; /* I/O ports; 0: none */
    uint8_t s5_a, s5_b;                            /* SLP_TYP values */
    bool has_s5, has_reset;
    uint16_t reset_port;
    uint8_t reset_value;
};
extern struct acpi_info acpi;

/* Reads the tables behind the root pointer (a copy of it); NULL, or what is wrong. */
const char *acpi_init(const uint8_t *rsdp);

/* For tests: \_S5 in a block of AML; false when it is not there. */
bool acpi_find_s5(const uint8_t *aml, size_t n, uint8_t *a, uint8_t *b);
/* The MADT's entries, n bytes of them, into *out. */
void acpi_read_madt(const uint8_t *entries, size_t n, struct acpi_info *out);

#endif

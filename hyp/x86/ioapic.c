/* SPDX-License-Identifier: MIT */
/* Registers of the 82093AA (its data sheet, section 3): an index and a data window. */
#include "hyp/x86/ioapic.h"

#include "hyp/x86/acpi.h"
#include "hyp/x86/machine.h"

#define PIC1_MASK     0x21
#define PIC2_MASK     0xa1
#define WINDOW        (0x10 / 4)
#define REG_VERSION   1
#define REG_ENTRY     0x10 /* two for each pin */
#define ENTRY_LOW     (1U << 13)
#define ENTRY_LEVEL   (1U << 15)
#define ENTRY_MASKED  (1U << 16)
#define REGISTER_SIZE 0x20

static volatile uint32_t *regs; /* NULL: there is none */
static uint32_t npins;

static uint32_t read(uint32_t reg)
{
    regs[0] = reg;
    return regs[WINDOW];
}

static void write(uint32_t reg, uint32_t v)
{
    regs[0] = reg;
    regs[WINDOW] = v;
}

void ioapic_init(void)
{
    outb(PIC1_MASK, 0xff);
    outb(PIC2_MASK, 0xff);
    if (!acpi.ioapic.val)
        return;
    regs = map_io(acpi.ioapic, REGISTER_SIZE, true);
    npins = (read(REG_VERSION) >> 16 & 0xff) + 1;
    for (uint32_t pin = 0; pin < npins; pin++)
        write(REG_ENTRY + 2 * pin, ENTRY_MASKED);
}

bool ioapic_route(uint32_t pin, uint8_t vector, uint32_t apic_id, bool level, bool low)
{
    if (pin >= npins || apic_id > IOAPIC_LAST_CPU)
        return false;
    write(REG_ENTRY + 2 * pin, ENTRY_MASKED);
    write(REG_ENTRY + 2 * pin + 1, apic_id << 24);
    write(REG_ENTRY + 2 * pin, vector | (level ? ENTRY_LEVEL : 0) | (low ? ENTRY_LOW : 0));
    return true;
}

void ioapic_mask(uint32_t pin, bool masked)
{
    uint32_t v = read(REG_ENTRY + 2 * pin);

    write(REG_ENTRY + 2 * pin, masked ? v | ENTRY_MASKED : v & ~ENTRY_MASKED);
}

/* SPDX-License-Identifier: MIT */
/* ACPI specification 6.4: 5.2.5 RSDP, 5.2.8 XSDT, 5.2.9 FADT, 5.2.12 MADT, 20 AML. */
#include "hyp/dom/guestacpi.h"

#include "hyp/lib/string.h"
#include "hyp/x86/ioport.h"

/* Where each table lies in the page, behind the RSDP. */
#define XSDT_AT 64
#define DSDT_AT 128
#define FADT_AT 256
#define MADT_AT 640

#define HEADER_SIZE 36
#define BOOT_ARCH   (BIT(2) | BIT(5)) /* no VGA, no CMOS clock; nothing of a PC either */
#define FLAGS       (BIT(0) | BIT(4) | BIT(5) | BIT(10) | BIT(20))
/* WBINVD works; no fixed buttons; reset register; reduced hardware */

static void put(uint8_t *p, uint64_t value, unsigned n)
{
    memcpy(p, &value, n);
}

static uint8_t checksum(const uint8_t *p, uint32_t n)
{
    uint8_t sum = 0;

    while (n--)
        sum = (uint8_t)(sum + *p++);
    return (uint8_t)-sum;
}

static void finish(uint8_t *t, const char *signature, uint8_t revision, uint32_t length)
{
    memcpy(t, signature, 4);
    put(t + 4, length, 4);
    t[8] = revision;
    memcpy(t + 10, "BLKHD ", 6);
    memcpy(t + 16, "BULKHEAD", 8);
    put(t + 24, 1, 4);
    memcpy(t + 28, "BLKH", 4);
    put(t + 32, 1, 4);
    t[9] = 0;
    t[9] = checksum(t, length);
}

/* A generic address: one byte of I/O space. */
static void io_register(uint8_t *p, uint16_t port)
{
    p[0] = 1;
    p[1] = 8;
    p[2] = 0;
    p[3] = 1;
    put(p + 4, port, 8);
}

static void fadt(uint8_t *t, uint32_t dsdt)
{
    put(t + 40, dsdt, 4);
    put(t + 109, BOOT_ARCH, 2);
    put(t + 112, FLAGS, 4);
    io_register(t + 116, GUEST_PORT_RESET);
    t[128] = GUEST_RESET_VALUE;
    t[131] = 4;            /* minor version */
    put(t + 140, dsdt, 8); /* X_DSDT */
    io_register(t + 244, GUEST_PORT_SLEEP);
    io_register(t + 256, GUEST_PORT_STATUS);
    finish(t, "FACP", 6, 276);
}

static void madt(uint8_t *t, uint32_t nvcpus)
{
    uint32_t length = HEADER_SIZE + 8;

    put(t + HEADER_SIZE, 0xfee00000, 4);
    for (uint32_t i = 0; i < nvcpus; i++) {
        uint8_t *e = t + length;

        e[0] = 9;               /* x2APIC */
        e[1] = 16;              /* bytes */
        put(e + 4, 2UL * i, 4); /* vlapic_id() */
        put(e + 8, 1, 4);       /* enabled */
        put(e + 12, i, 4);
        length += e[1];
    }
    finish(t, "APIC", 5, length);
}

/* Name (_S5, Package () {5, 0, 0, 0}) */
static void dsdt(uint8_t *t)
{
    static const uint8_t aml[] = {0x08, '_', 'S', '5', '_', 0x12, 0x07, 0x04, 0x0a, GUEST_SLEEP_OFF,
                                  0,    0,   0};

    memcpy(t + HEADER_SIZE, aml, sizeof(aml));
    finish(t, "DSDT", 2, HEADER_SIZE + sizeof(aml));
}

void guestacpi_build(uint8_t page[4096], uint32_t gpa, uint32_t nvcpus)
{
    uint8_t *rsdp = page;

    dsdt(page + DSDT_AT);
    fadt(page + FADT_AT, gpa + DSDT_AT);
    madt(page + MADT_AT, nvcpus);
    put(page + XSDT_AT + HEADER_SIZE, gpa + FADT_AT, 8);
    put(page + XSDT_AT + HEADER_SIZE + 8, gpa + MADT_AT, 8);
    finish(page + XSDT_AT, "XSDT", 1, HEADER_SIZE + 16);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, "BLKHD ", 6);
    rsdp[15] = 2;
    put(rsdp + 20, 36, 4);
    put(rsdp + 24, gpa + XSDT_AT, 8);
    rsdp[8] = checksum(rsdp, 20); /* of version 1's part */
    rsdp[32] = checksum(rsdp, 36);
}

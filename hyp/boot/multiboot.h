/* SPDX-License-Identifier: MIT */
/* What the boot loader says (Multiboot2 specification, section 3.6), copied and checked. */
#ifndef BH_BOOT_MULTIBOOT_H
#define BH_BOOT_MULTIBOOT_H

#include "hyp/lib/addr.h"

#define MULTIBOOT_MAGIC   0x36d76289U
#define MULTIBOOT_REGIONS 128

struct multiboot_region {
    uint64_t start, end; /* bytes; page-aligned inwards */
};

struct multiboot_info {
    struct multiboot_region ram[MULTIBOOT_REGIONS];
    uint32_t nram;
    struct multiboot_region bundle; /* first module; empty: none */
    char cmdline[256];
    uint8_t rsdp[36]; /* a copy of ACPI's root pointer; first byte 0: none */
};

/*
 * Reads the information at info, size-checked, into *out. NULL, or what is wrong with it. The
 * regions are disjoint as firmware gives them; only available RAM is listed.
 */
const char *multiboot_parse(uint32_t magic, const void *info, struct multiboot_info *out);

#endif

/* SPDX-License-Identifier: MIT */
/* Validation of a bundle and of domain records (hyp/abi/bundle.h). Pure: input is not trusted. */
#ifndef BH_DOM_RECORD_H
#define BH_DOM_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>
#include "hyp/abi/bundle.h"

#define RECORD_NO_SEGMENT (~0U)

#define RECORD_MAX_WEIGHT 65535U
#define RECORD_MAX_CAP    (100UL * BUNDLE_MAX_VCPUS)
#define RECORD_MIN_TSC    100000000UL /* Hz */
#define RECORD_MAX_TSC    10000000000UL
#define RECORD_MAX_MEMORY (1ULL << 43) /* guest frame numbers must fit struct frame */

/* Guest-physical layout above RAM and the vault that every guest has. */
#define GUEST_ACPI_START    0xfc000000UL /* one page: the ACPI tables */
#define GUEST_ACPI_SIZE     0x1000UL
#define GUEST_SPECIAL_START 0xfeffc000UL /* reserved: the rings */
#define GUEST_SPECIAL_SIZE  0x4000UL
#define GUEST_CONSOLE       GUEST_SPECIAL_START
#define GUEST_STORE         (GUEST_SPECIAL_START + 0x1000)
#define GUEST_HIGH_RAM      0x100000000UL

/* What is wrong with the header of a bundle of size bytes, or NULL. */
const char *record_check_header(const struct bundle_header *h, uint64_t size);
/*
 * What is wrong with a record of the bundle h describes, "field: rule", or NULL. *segment is the
 * number of the segment at fault or RECORD_NO_SEGMENT. h NULL: it comes from a host's
 * administrator, who may make ordinary guests only, and its segments are in no bundle.
 */
const char *record_check(const struct bundle_domain *r, const struct bundle_header *h,
                         uint32_t *segment);
/* Makes its checksum right again. */
void record_seal(struct bundle_domain *r);
/* Printable, not empty, and zero behind its end, of which there is one. */
bool record_name_valid(const char name[BUNDLE_NAME_SIZE]);
/* What two records that cannot be on one host have in common: "name", "uuid", "class"; or NULL. */
const char *record_conflict(const struct bundle_domain *a, const struct bundle_domain *b);

/* Bytes of RAM below the hole; the rest of memory_target lies from GUEST_HIGH_RAM on. */
uint64_t record_low_ram(const struct bundle_domain *r);
/* Guest frame of RAM page number n < memory_target / 4096. */
uint64_t record_ram_gfn(const struct bundle_domain *r, uint64_t n);

#define RECORD_MEMMAP_MAX 5
/* The guest's memory map, in order of addresses: number of entries. */
uint32_t record_memmap(const struct bundle_domain *r,
                       struct hvm_memmap_table_entry map[RECORD_MEMMAP_MAX]);

#endif

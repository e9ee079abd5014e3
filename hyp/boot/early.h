/* SPDX-License-Identifier: MIT */
/* Memory before there is an allocator: whole 2 MiB chunks below 4 GiB, from the top down. */
#ifndef BH_BOOT_EARLY_H
#define BH_BOOT_EARLY_H

#include "hyp/boot/multiboot.h"

/*
 * The highest chunk of RAM that touches none of the used regions; it is added to them. max is the
 * room in the list. 0: none left or no room.
 */
uint64_t early_chunk(const struct multiboot_info *info, struct multiboot_region *used,
                     uint32_t *nused, uint32_t max);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BH_BOOT_EARLY_H
#define BH_BOOT_EARLY_H

#include "hyp/boot/multiboot.h"

/*
 * Final page tables, then the frame table, whose size in bytes is returned, and the allocator.
 * Until there is one, memory is taken as whole chunks of 2 MiB below 4 GiB, from the top down.
 */
uint64_t early_memory(const struct multiboot_info *info);

#endif

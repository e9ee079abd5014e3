/* SPDX-License-Identifier: MIT */
/* Kernels for PVH guests: ELF files with Xen's note, plain or inside a bzImage. */
#ifndef BH_TOOLS_KERNEL_H
#define BH_TOOLS_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_MAX_SEGMENTS 15 /* and one for the initrd */

struct kernel {
    uint8_t *image; /* the ELF file */
    size_t size;
    uint32_t entry; /* XEN_ELFNOTE_PHYS32_ENTRY */
    uint64_t end;   /* of the last segment, guest-physical */
    uint32_t nsegments;
    struct {
        uint64_t offset, file_size, mem_size, gpa; /* in image; in the guest */
    } segments[KERNEL_MAX_SEGMENTS];
};

/* From n bytes of a file: NULL, or what is wrong with it. kernel_free() in either case. */
const char *kernel_read(struct kernel *k, const uint8_t *file, size_t n);
void kernel_free(struct kernel *k);

#endif

/* SPDX-License-Identifier: MIT */
/* Small kernels, good and bad, for the tests of the tools: files in the working directory. */
#ifndef BH_UNIT_KERNELS_H
#define BH_UNIT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* An ELF file with two segments and a note; what of it is to be broken. */
struct elf_plan {
    uint64_t entry, gpa[2], offset1;
    uint32_t note_type;
};
#define ELF_GOOD                                                                                   \
    {                                                                                              \
        .entry = 0x100010, .gpa = {0x100000, 0x200000}, .offset1 = 0x1000, .note_type = 18         \
    }

/* Its bytes into buf (8 KiB); their number. */
size_t kernels_elf(uint8_t *buf, const struct elf_plan *plan);
/* A bzImage around a payload into buf (of size n + 2048); its size. */
size_t kernels_bz(uint8_t *buf, const void *payload, size_t n, unsigned version);
/* All files that tests/xmlbad names, and FORMAT.bz for each way to pack. */
void kernels_write(void);

#endif

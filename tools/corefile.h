/* SPDX-License-Identifier: MIT */
/*
 * A core file of a domain: ELF64, one PT_LOAD for each range of its memory (virtual addresses are
 * the guest-physical ones), a PT_NOTE with an NT_PRSTATUS for each vCPU. Pages of zeros are holes.
 */
#ifndef BH_TOOLS_COREFILE_H
#define BH_TOOLS_COREFILE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include "hyp/abi/control.h"

#define COREFILE_PAGE   4096U
#define COREFILE_RANGES 1024U

struct corefile {
    int fd;
    uint32_t vcpus;
    uint64_t data, end; /* where in the file the first page stands, and the next one will */
    uint32_t ranges;
    Elf64_Phdr loads[COREFILE_RANGES];
};

/* Into an empty file. */
void corefile_begin(struct corefile *c, int fd, uint32_t vcpus);
/* These are false with errno. Each page once, lowest frame number first. */
bool corefile_page(struct corefile *c, uint64_t gfn, const uint8_t page[COREFILE_PAGE]);
bool corefile_vcpu(struct corefile *c, uint32_t vcpu, const struct bh_vcpu_context *r);
bool corefile_end(struct corefile *c);

#endif

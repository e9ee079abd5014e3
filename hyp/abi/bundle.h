/* SPDX-License-Identifier: MIT */
/*
 * The bundle: what bl hands to the hypervisor at boot, as one multiboot2 module. A header page,
 * then one 4 KiB record for each domain, then page-aligned segments. Little endian. Checksums are
 * XXH64, seed 0: the header's over the header with its checksum field zero, a record's likewise
 * over the record, a segment's over its file_size bytes. A record is also what creates a domain at
 * run time.
 */
#ifndef BH_ABI_BUNDLE_H
#define BH_ABI_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#define BUNDLE_MAGIC   0x454c444e55424842ULL /* "BHBUNDLE" */
#define BUNDLE_VERSION 1U
#define BUNDLE_PAGE    4096U

#define BUNDLE_MAX_DOMAINS  128U
#define BUNDLE_MAX_SEGMENTS 16U
#define BUNDLE_MAX_VCPUS    64U
#define BUNDLE_NAME_SIZE    64U /* with the terminating zero */
#define BUNDLE_CMDLINE_SIZE 2048U

enum bundle_idle { BUNDLE_IDLE_STAY, BUNDLE_IDLE_POWEROFF };

struct bundle_header {
    uint64_t magic;
    uint64_t checksum;
    uint32_t version;
    uint32_t ndomains;  /* records follow in the next pages */
    uint64_t size;      /* bytes of the whole bundle, a multiple of 4096 */
    uint64_t memory;    /* bytes of RAM the host must have at least */
    uint32_t on_idle;   /* enum bundle_idle */
    uint32_t reserved0; /* zero */
    char name[BUNDLE_NAME_SIZE];
    uint8_t reserved[BUNDLE_PAGE - 112]; /* zero */
};
_Static_assert(sizeof(struct bundle_header) == BUNDLE_PAGE, "header is a page");

enum bundle_segment_kind {
    BUNDLE_SEGMENT_LOAD,   /* part of the kernel */
    BUNDLE_SEGMENT_MODULE, /* listed in hvm_start_info's module list (initrd) */
};

/*
 * file_size bytes at offset (page aligned) in the bundle go to guest-physical gpa; mem_size -
 * file_size zero bytes follow. gpa is page aligned for modules. Segments do not overlap in memory
 * and none lies below BUNDLE_LOW_RESERVED.
 */
struct bundle_segment {
    uint64_t offset;
    uint64_t file_size;
    uint64_t mem_size;
    uint64_t gpa;
    uint64_t checksum;
    uint32_t kind; /* enum bundle_segment_kind */
    uint32_t reserved;
};
_Static_assert(sizeof(struct bundle_segment) == 48, "segment");

/* Guest-physical memory below this is the builder's: start info, memory map, command line. */
#define BUNDLE_LOW_RESERVED 0x10000U
/* Guest RAM ends here below 4 GiB; the rest of a larger guest's lies from 4 GiB on. */
#define BUNDLE_RAM_HOLE 0xf0000000ULL
/* The vault of a domain of ours: vault_pages pages of memory that outlive it, zero at first. */
#define BUNDLE_VAULT_START 0xf8000000ULL
#define BUNDLE_VAULT_MAX   16384U /* pages */

/* Frames above RAM that every domain has: its console's ring and its store's. */
#define BUNDLE_CONSOLE_GFN 0xfeffcU
#define BUNDLE_STORE_GFN   0xfeffdU

enum bundle_class {
    BUNDLE_CLASS_GUEST,
    BUNDLE_CLASS_CTL,
    BUNDLE_CLASS_XS,
    BUNDLE_CLASS_BLK,
    BUNDLE_CLASS_NET,
};

/* Privileges, beyond a guest's. */
#define BUNDLE_PRIV_CONTROL 0x1U /* the control hypercall */
#define BUNDLE_PRIV_SERIAL2 0x2U /* owns the second serial port: I/O 0x2f8-0x2ff and IRQ 3 */

enum bundle_action { BUNDLE_DESTROY, BUNDLE_RESTART, BUNDLE_PRESERVE };

struct bundle_domain {
    uint64_t checksum;
    uint32_t class;      /* enum bundle_class */
    uint32_t privileges; /* BUNDLE_PRIV_* */
    char name[BUNDLE_NAME_SIZE];
    uint8_t uuid[16];
    uint32_t vcpus;
    uint32_t weight;     /* share of CPU, 1..65535; 256 is normal */
    uint32_t cap;        /* percent of one CPU; 0: none */
    uint32_t trust;      /* trust group for sharing; 0: shares with nobody */
    uint64_t memory_max; /* bytes, multiples of 4096; min <= target <= max */
    uint64_t memory_target;
    uint64_t memory_min;
    uint64_t affinity;                        /* mask of host CPUs 0..63; 0: any */
    uint32_t entry;                           /* 32-bit PVH entry point, guest-physical */
    uint8_t on_poweroff, on_reboot, on_crash; /* enum bundle_action */
    uint8_t reserved0;
    uint32_t nsegments;
    uint32_t vault_pages; /* class guest: 0 */
    struct bundle_segment segments[BUNDLE_MAX_SEGMENTS];
    char cmdline[BUNDLE_CMDLINE_SIZE];
    uint64_t tsc_hz;                                                     /* 0: the host's */
    uint8_t reserved[BUNDLE_PAGE - 160 - 768 - BUNDLE_CMDLINE_SIZE - 8]; /* zero */
};
_Static_assert(offsetof(struct bundle_domain, segments) == 160, "record header");
_Static_assert(sizeof(struct bundle_domain) == BUNDLE_PAGE, "record is a page");

#endif

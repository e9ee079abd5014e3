/* SPDX-License-Identifier: MIT */
/* What a host file says, checked: the only form in which the tools know it. */
#ifndef BH_XML_DOMCFG_H
#define BH_XML_DOMCFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOMCFG_MAX_DOMAINS 126                    /* and those of <control/> */
#define DOMCFG_PATH_SIZE   4096                   /* of a path in a file, as Linux has it */
#define DOMCFG_ERROR_SIZE  (4 * DOMCFG_PATH_SIZE) /* the reason is behind the paths */

/* Bytes that the domains of <control/> have. */
#define DOMCFG_CTL_MEMORY (4UL << 20)
#define DOMCFG_XS_MEMORY  (2UL << 20)
#define DOMCFG_XS_VAULT   (4UL << 20)

/* Files that were read: their paths are kept, for places to name. */
struct source {
    struct source *next;
    char path[];
};

/* Where something stands, for messages. */
struct place {
    const char *file;
    long line;
};

enum domcfg_action { ACTION_DESTROY, ACTION_RESTART, ACTION_PRESERVE };

struct domcfg {
    struct source *files; /* NULL in a hostcfg, which has them */
    struct place at;      /* of <domain> */
    char name[64];
    struct place name_at;
    uint8_t uuid[16];
    bool has_uuid;
    struct place uuid_at;
    uint64_t memory, current, minimum; /* bytes, multiples of 4096 */
    struct place memory_at;
    uint32_t vcpus, weight, cap; /* cap: percent of one CPU, 0: none */
    uint64_t affinity;           /* 0: any CPU */
    uint64_t tsc_hz;             /* 0: the host's */
    char *kernel, *initrd; /* absolute, or relative to the working directory; initrd: or NULL */
    struct place kernel_at, initrd_at;
    char cmdline[2048];
    enum domcfg_action on_poweroff, on_reboot, on_crash;
};

struct hostcfg {
    struct source *files;
    char name[64];
    uint64_t memory; /* bytes */
    struct place memory_at;
    bool poweroff_when_idle, control;
    uint64_t control_affinity; /* 0: any CPU */
    struct domcfg *domains;
    uint32_t ndomains;
};

/*
 * Reads and validates the host file at path. NULL, or the one line that says what is wrong: file,
 * line, element, and what would be right. hostcfg_free() in either case.
 */
const char *hostcfg_read(struct hostcfg *h, const char *path);
void hostcfg_free(struct hostcfg *h);
/* The same of a file that holds one <domain>. */
const char *domcfg_read(struct domcfg *d, const char *path);
void domcfg_free(struct domcfg *d);
/* May a domain or host be named so? */
bool domcfg_is_name(const char *name);
/* What a file says may stand in a message, and still it is one line: control characters go. */
void hostcfg_one_line(char *message);

#endif

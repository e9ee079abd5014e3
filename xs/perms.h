/* SPDX-License-Identifier: MIT */
/*
 * Who may do what with a node. The first entry names the owner and what everybody may; the others
 * say what one domain may. An entry counts only for a domain that the store knew before the node
 * was written: a domain number that is used again inherits nothing.
 */
#ifndef BH_XS_PERMS_H
#define BH_XS_PERMS_H

#include "xs/vault.h"

#define PERM_NONE   0x00U
#define PERM_READ   0x01U
#define PERM_WRITE  0x02U
#define PERM_OWNER  0x08U
#define PERM_IGNORE 0x10U /* the entry counts no longer */

struct perm {
    uint32_t domid, bits;
};

struct perms {
    struct block block;
    uint32_t n;
    struct perm entry[];
};

/* Who asks. born: the generation at which the store came to know the domain. */
struct identity {
    bool privileged, has_target;
    uint32_t domid, target;
    uint64_t born, target_born;
};

#define PERMS_TEXT_MAX 12U /* "r-2147483648" and its NUL, less one */

/* PERM_* that this one has on a node of that generation. */
unsigned perms_of(const struct perms *p, uint64_t generation, const struct identity *who);
/* New: one entry. NULL: no memory. */
struct perms *perms_new(struct vault *v, uint32_t n);
/* n strings ("r5"). *error: XEN_EINVAL, XEN_ENOMEM. */
struct perms *perms_parse(struct vault *v, const char *text, uint32_t n, int *error);
/* The first entry of the text form at index i, with its NUL; its length. */
uint32_t perms_format(const struct perms *p, uint32_t i, char text[PERMS_TEXT_MAX + 1]);

#endif

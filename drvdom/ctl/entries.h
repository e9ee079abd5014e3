/* SPDX-License-Identifier: MIT */
/*
 * What a domain finds in the store when it starts, as Xen's toolstack puts it there
 * (docs/misc/xenstore-paths): the requests that write it, one by one.
 */
#ifndef BH_CTL_ENTRIES_H
#define BH_CTL_ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>
#include "hyp/abi/control.h"

#define ENTRIES_PAYLOAD 256U
#define ENTRIES_VM      41U /* "/vm/UUID" with its zero */

struct request {
    uint32_t type; /* enum xsd_sockmsg_type */
    uint32_t len;
    char payload[ENTRIES_PAYLOAD];
};

/* Request n for domain d, from 0 on; false: there are no more. */
bool entries_add(const struct bh_domain_info *d, unsigned n, struct request *r);
/* Likewise, for one that has another name. */
bool entries_rename(const struct bh_domain_info *d, unsigned n, struct request *r);
/* Likewise, takes away what entries_look() has read, and then d's number. */
bool entries_remove(const struct bh_domain_info *d, const char *vm, unsigned n, struct request *r);
/* Reads whose entries there are under d's number. ENOENT: nobody's. */
void entries_look(const struct bh_domain_info *d, struct request *r);
/* Whether that is d. */
bool entries_are_of(const struct bh_domain_info *d, const char *vm);

#endif

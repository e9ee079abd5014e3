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

struct request {
    uint32_t type; /* enum xsd_sockmsg_type */
    uint32_t len;
    char payload[ENTRIES_PAYLOAD];
};

/* Request n for domain d, from 0 on; false: there are no more. */
bool entries_add(const struct bh_domain_info *d, unsigned n, struct request *r);
/* Likewise, for a domain that has gone. */
bool entries_remove(const struct bh_domain_info *d, unsigned n, struct request *r);
/* Likewise, for one that has another name. */
bool entries_rename(const struct bh_domain_info *d, unsigned n, struct request *r);
/* The request that fails with ENOENT when d's entries are not there. */
void entries_look(const struct bh_domain_info *d, struct request *r);

#endif

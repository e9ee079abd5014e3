/* SPDX-License-Identifier: MIT */
/* Between guests that flood (flood/) and the one beside them that works (reader/). */
#ifndef BH_GUEST_FLOODING_H
#define BH_GUEST_FLOODING_H

#include <stdint.h>

#include <xen/vcpu.h>

#define READER 3U /* number of the guest that works; the flooders have the next ones */

enum flooding_want { FLOODING_WAIT, FLOODING_GO, FLOODING_END };

/* A page of the flooder's, granted to the reader as the first that it grants. */
struct flooding {
    struct vcpu_runstate_info runstate; /* the flooder's, kept by the hypervisor */
    uint32_t port;                      /* of the flooder: wakes it up */
    uint32_t want;                      /* enum flooding_want; written by the reader */
    uint64_t rounds;                    /* of the flood, so far */
    char name[16];
};

#endif

/* SPDX-License-Identifier: MIT */
/* What the two probes know of each other. */
#ifndef BH_GUEST_HOLDER_H
#define BH_GUEST_HOLDER_H

#define HOLDER_REF        8
#define HOLDER_STORE_PORT 1

#endif

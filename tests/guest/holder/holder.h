/* SPDX-License-Identifier: MIT */
#ifndef BH_GUEST_HOLDER_H
#define BH_GUEST_HOLDER_H

#define HOLDER_REF 8

#endif

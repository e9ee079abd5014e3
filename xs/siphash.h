/* SPDX-License-Identifier: MIT */
/* SipHash-1-3: a hash whose collisions nobody finds who does not know the key. */
#ifndef BH_XS_SIPHASH_H
#define BH_XS_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const char *text, size_t len);

#endif

/* SPDX-License-Identifier: MIT */
/* XXH64 with seed 0, the checksum of hyp/abi/bundle.h. Finds accidents, not attacks. */
#ifndef BH_LIB_HASH_H
#define BH_LIB_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash64 {
    uint64_t state[11];
};
void hash64_init(struct hash64 *h);
void hash64_update(struct hash64 *h, const void *data, size_t n);
uint64_t hash64_final(const struct hash64 *h);

#endif

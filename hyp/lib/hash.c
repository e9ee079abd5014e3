/* SPDX-License-Identifier: MIT */
#include "hyp/lib/hash.h"

/* xxhash.h includes it; freestanding, each of its copies of 8 bytes would be a call. */
#include <string.h>
#define memcpy(d, s, n) __builtin_memcpy(d, s, n)
#define memset(d, c, n) __builtin_memset(d, c, n)

#define XXH_INLINE_ALL
#define XXH_VECTOR 0 /* scalar: no SSE in the hypervisor */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <xxhash.h>
#pragma GCC diagnostic pop

_Static_assert(sizeof(struct hash64) >= sizeof(XXH64_state_t), "streaming state");

void hash64_init(struct hash64 *h)
{
    XXH64_reset((XXH64_state_t *)h, 0);
}

void hash64_update(struct hash64 *h, const void *data, size_t n)
{
    XXH64_update((XXH64_state_t *)h, data, n);
}

uint64_t hash64_final(const struct hash64 *h)
{
    return XXH64_digest((const XXH64_state_t *)h);
}

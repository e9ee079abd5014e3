/* SPDX-License-Identifier: MIT */
#include "hyp/lib/hash.h"

#include "hyp/lib/string.h"

#define XXH_INLINE_ALL
#define XXH_VECTOR 0 /* scalar: no SSE in the hypervisor */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <xxhash.h>
#pragma GCC diagnostic pop

_Static_assert(sizeof(struct hash64) >= sizeof(XXH64_state_t), "streaming state");

uint64_t hash64(const void *data, size_t n)
{
    return XXH64(data, n, 0);
}

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

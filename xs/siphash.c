/* SPDX-License-Identifier: MIT */
#include "xs/siphash.h"

#include "hyp/lib/string.h"

#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static inline void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTATE(v[1], 13) ^ v[0];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[3];
    v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTATE(v[1], 17) ^ v[2];
    v[2] = ROTATE(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
}

uint64_t siphash(const uint64_t key[2], const char *text, size_t len)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
                     key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
    uint64_t word = 0, tail = (uint64_t)len << 56;

    for (; len >= 8; len -= 8, text += 8) {
        memcpy(&word, text, 8);
        absorb(v, word);
    }
    while (len--)
        tail |= (uint64_t)(uint8_t)text[len] << 8 * len;
    absorb(v, tail);
    v[2] ^= 0xff;
    mix(v);
    mix(v);
    mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

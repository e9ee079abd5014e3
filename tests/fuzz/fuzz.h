/* SPDX-License-Identifier: MIT */
/* What the fuzzers share: fuzz data read as a stream of numbers, and the check of what must hold.
 */
#ifndef BH_FUZZ_FUZZ_H
#define BH_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(c)                                                                                    \
    do {                                                                                           \
        if (!(c)) {                                                                                \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #c);                     \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Behind the end zeros follow. */
struct fuzz {
    const uint8_t *at, *end;
};

static inline size_t fuzz_left(const struct fuzz *f)
{
    return (size_t)(f->end - f->at);
}

static inline void fuzz_take(struct fuzz *f, void *p, size_t n)
{
    size_t have = fuzz_left(f) < n ? fuzz_left(f) : n;

    memset(p, 0, n);
    if (have)
        memcpy(p, f->at, have);
    f->at += have;
}

static inline uint64_t fuzz_bytes(struct fuzz *f, size_t n)
{
    uint64_t v = 0;

    fuzz_take(f, &v, n);
    return v;
}

static inline uint8_t fuzz_byte(struct fuzz *f)
{
    return (uint8_t)fuzz_bytes(f, 1);
}

/* Small numbers, powers of two, multiples of pages, and what lies beside them in little data. */
static inline uint64_t fuzz_number(struct fuzz *f)
{
    uint8_t how = fuzz_byte(f);

    if (how < 0x80)
        return how;
    if (how < 0xc0)
        return 1UL << (how & 63);
    if (how < 0xd0)
        return (uint64_t)(int64_t)(int8_t)fuzz_byte(f) + (1UL << fuzz_byte(f) % 64);
    if (how < 0xe0)
        return fuzz_bytes(f, 2) << 12;
    return fuzz_bytes(f, how < 0xe8 ? 2 : how < 0xf0 ? 4 : 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#endif

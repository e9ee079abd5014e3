/* SPDX-License-Identifier: MIT */
/* Random instructions: some of the CPU's own kind, some of those that concern a hypervisor. */
#include "tests/guest/insns/insns.h"

#define LONGEST 15

/* Opcodes, with how many random bytes follow (ModRM, immediates). */
static const struct {
    uint8_t n, bytes[4], more;
} opcodes[] = {
    {2, {0x0f, 0x20}, 1},
    {2, {0x0f, 0x21}, 1},
    {2, {0x0f, 0x22}, 1},
    {2, {0x0f, 0x23}, 1},
    {2, {0x0f, 0x30}, 0},
    {2, {0x0f, 0x32}, 0},
    {2, {0x0f, 0x30}, 0},
    {2, {0x0f, 0x32}, 0},
    {2, {0x0f, 0x33}, 0},
    {2, {0x0f, 0x31}, 0},
    {2, {0x0f, 0x01}, 1},
    {2, {0x0f, 0x00}, 1},
    {3, {0x0f, 0x01, 0xc1}, 0},
    {3, {0x0f, 0x01, 0xd9}, 0},
    {3, {0x0f, 0x01, 0xd8}, 0},
    {3, {0x0f, 0x01, 0xda}, 0},
    {3, {0x0f, 0x01, 0xdb}, 0},
    {3, {0x0f, 0x01, 0xdc}, 0},
    {3, {0x0f, 0x01, 0xdd}, 0},
    {3, {0x0f, 0x01, 0xde}, 0},
    {3, {0x0f, 0x01, 0xdf}, 0},
    {3, {0x0f, 0x01, 0xd1}, 0},
    {3, {0x0f, 0x01, 0xd0}, 0},
    {3, {0x0f, 0x01, 0xc8}, 0},
    {3, {0x0f, 0x01, 0xc9}, 0},
    {3, {0x0f, 0x01, 0xf8}, 0},
    {3, {0x0f, 0x01, 0xf9}, 0},
    {3, {0x0f, 0x01, 0xcf}, 0},
    {3, {0x0f, 0x01, 0xd4}, 0},
    {2, {0x0f, 0x78}, 1},
    {2, {0x0f, 0x79}, 1},
    {2, {0x0f, 0xc7}, 1},
    {3, {0x66, 0x0f, 0xc7}, 1},
    {3, {0xf3, 0x0f, 0xc7}, 1},
    {4, {0x66, 0x0f, 0x38, 0x80}, 1},
    {4, {0x66, 0x0f, 0x38, 0x81}, 1},
    {4, {0x66, 0x0f, 0x38, 0x82}, 1},
    {1, {0xcc}, 0},
    {1, {0xcd}, 1},
    {1, {0xce}, 0},
    {1, {0xf4}, 0},
    {1, {0xfa}, 0},
    {1, {0xfb}, 0},
    {1, {0x9c}, 0},
    {1, {0x9d}, 0},
    {1, {0xcf}, 0},
    {2, {0x48, 0xcf}, 0},
    {1, {0xcb}, 0},
    {2, {0x48, 0xcb}, 0},
    {1, {0xff}, 1},
    {1, {0xe4}, 1},
    {1, {0xe6}, 1},
    {1, {0xe5}, 1},
    {1, {0xe7}, 1},
    {1, {0xec}, 0},
    {1, {0xed}, 0},
    {1, {0xee}, 0},
    {1, {0xef}, 0},
    {1, {0x6c}, 0},
    {1, {0x6d}, 0},
    {1, {0x6e}, 0},
    {1, {0x6f}, 0},
    {2, {0xf3, 0x6e}, 0},
    {2, {0xf3, 0x6d}, 0},
    {2, {0x0f, 0x05}, 0},
    {2, {0x0f, 0x07}, 0},
    {2, {0x0f, 0x34}, 0},
    {2, {0x0f, 0x35}, 0},
    {2, {0x0f, 0x08}, 0},
    {2, {0x0f, 0x09}, 0},
    {2, {0x0f, 0xaa}, 0},
    {2, {0x0f, 0xa2}, 0},
    {2, {0x0f, 0xae}, 1},
    {2, {0x0f, 0x37}, 0},
    {2, {0x0f, 0x06}, 0},
    {1, {0x8e}, 1},
    {2, {0x0f, 0x0b}, 0},
    {3, {0xf3, 0x0f, 0xae}, 1},
    {2, {0xf3, 0x90}, 0},
    {1, {0x8c}, 1},
    {2, {0x0f, 0xb2}, 1},
    {2, {0x17, 0x16}, 1},
    {2, {0x0f, 0xc7}, 1},
    {1, {0xf1}, 0},
};

static const uint32_t msrs[] = {
    0x10,       0x1b,       0x17,       0x8b,       0x3a,       0x174,      0x175,      0x176,
    0x179,      0x186,      0x1a0,      0x1d9,      0x200,      0x277,      0x2ff,      0x345,
    0x38f,      0x480,      0x48b,      0x6e0,      0x802,      0x803,      0x808,      0x80b,
    0x80d,      0x80f,      0x828,      0x832,      0x838,      0x839,      0x83e,      0x83f,
    0xda0,      0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
    0xc0000103, 0xc0000104, 0xc0010010, 0xc0010015, 0xc001001f, 0xc0010114, 0xc0010117, 0xc0011029,
};

static const uint16_t ports[] = {0x20,  0x21,  0x40,  0x43,   0x60,   0x61,  0x64,  0x70,
                                 0x71,  0x80,  0x92,  0xe9,   0xf4,   0x2f8, 0x3f8, 0x405,
                                 0x501, 0x510, 0x604, 0x8900, 0xb004, 0xcf8, 0xcfc, 0xffff};

static uint64_t value(struct rng *r)
{
    switch (rng_below(r, 8)) {
    case 0:
        return rng_next(r);
    case 1:
        return rng_next(r) >> rng_below(r, 64);
    case 2:
        return 1UL << rng_below(r, 64);
    case 3:
        return rng_below(r, 2) ? 0x800000000000UL + rng_below(r, 8) : BAD_POINTER - rng_below(r, 8);
    case 4:
        return (uint64_t)rng_below(r, 70) * 8;
    default:
        return ARENA_SCRATCH + rng_below(r, 4 * 4096);
    }
}

static unsigned chosen(struct rng *r, uint8_t *code)
{
    unsigned k = rng_below(r, (unsigned)ARRAY_SIZE(opcodes)), n = 0;

    while (!rng_below(r, 6)) { /* prefixes */
        static const uint8_t prefixes[] = {0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x64, 0x65};

        code[n++] = prefixes[rng_below(r, 8)];
    }
    if (!rng_below(r, 3))
        code[n++] = (uint8_t)(0x40 + rng_below(r, 16));
    for (unsigned i = 0; i < opcodes[k].n; i++)
        code[n++] = opcodes[k].bytes[i];
    for (unsigned i = 0; i < opcodes[k].more; i++)
        code[n++] = (uint8_t)rng_next(r);
    if (rng_below(r, 2)) /* what a ModRM may want behind it */
        for (unsigned i = 0; i < 4; i++)
            code[n++] = (uint8_t)(rng_below(r, 4) ? 0 : rng_next(r));
    return n;
}

/*
 * What QEMU 7.2 does not survive: LTR of a null selector is no #GP there, and the next trap aborts
 * QEMU; most of the map behind 0F 38, without a prefix that it needs, is a segmentation fault; an
 * exit of a guest with EFER.LME but neither paging nor CR4.PAE leaves the host without paging.
 */
static void spare_qemu(uint8_t *code, unsigned n)
{
    for (unsigned i = 0; i + 2 < n; i++) {
        if (code[i] == 0x0f && code[i + 1] == 0x00 && (code[i + 2] >> 3 & 7) == 3)
            code[i + 2] ^= 8;
        if (code[i] == 0x0f && code[i + 1] == 0x38 && code[i + 2] < 0x80)
            code[i + 1] = 0xa2;
        if (code[i] == 0x0f && code[i + 1] == 0x22 && (code[i + 2] >> 3 & 7) == 4)
            code[i + 1] = 0x20; /* CR4 is read */
    }
}

void insngen(struct rng *r, uint8_t *code, struct attempt *a)
{
    uint64_t *regs = (uint64_t *)a;
    unsigned n = 0, instructions = 1 + rng_below(r, 3);

    for (unsigned i = 0; i < 15; i++)
        regs[i] = value(r);
    if (rng_below(r, 2))
        a->rcx = msrs[rng_below(r, ARRAY_SIZE(msrs))];
    if (rng_below(r, 2))
        a->rdx = ports[rng_below(r, ARRAY_SIZE(ports))];
    if (a->rax == 29) /* not to be shut down by a pointer that happens to be good */
        a->rax = 17;
    a->rip = ARENA_CODE + rng_below(r, 64);
    a->cs = CODE64;
    /* Not VM; TF at times only. */
    a->rflags = 2 | (rng_next(r) & (rng_below(r, 8) ? 0x3f7ed5 : 0x3f7fd5));
    a->rsp = ARENA_SCRATCH + 2048 + rng_below(r, 4096) * 2;
    a->ss = DATA;
    for (unsigned i = 0; i < 4096; i++)
        code[i] = 0xcc;
    code += a->rip % 4096;
    while (instructions--) {
        if (rng_below(r, 4)) {
            n += chosen(r, code + n);
        } else {
            for (unsigned i = rng_below(r, LONGEST); i; i--)
                code[n++] = (uint8_t)rng_next(r);
        }
    }
    spare_qemu(code, n);
}

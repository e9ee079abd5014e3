/* SPDX-License-Identifier: MIT */
#include "tests/unit/fake_line.h"

#include <string.h>

#define BURST_NS 20000000U

void line_init(struct fake_line *l, unsigned seed)
{
    memset(l, 0, sizeof(*l));
    l->random = seed * 0x9e3779b97f4a7c15UL + 1;
}

uint32_t line_random(struct fake_line *l)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return (uint32_t)(l->random >> 32);
}

static bool happens(struct fake_line *l, unsigned millionths)
{
    return millionths && line_random(l) % 1000000 < millionths;
}

static void add(struct fake_line *l, uint8_t byte)
{
    if (l->n < LINE_BYTES)
        l->bytes[l->n++] = byte;
}

static void carry(struct fake_line *l, uint8_t byte, uint64_t now)
{
    l->carried++;
    if (happens(l, l->burst))
        l->burst_until = now + line_random(l) % BURST_NS;
    if (l->cut || now < l->burst_until || happens(l, l->lose))
        return;
    if (happens(l, l->change))
        byte ^= (uint8_t)(1U << line_random(l) % 8);
    add(l, byte);
    if (happens(l, l->add))
        add(l, (uint8_t)(line_random(l) & line_random(l))); /* zeros more often */
}

void line_take(struct fake_line *l, struct arq *from, size_t n, uint64_t now)
{
    uint8_t bytes[4096];
    size_t part;

    if (n > (LINE_BYTES - l->n) / 2)
        n = (LINE_BYTES - l->n) / 2;
    while (n && (part = arq_take(from, bytes, n < sizeof(bytes) ? n : sizeof(bytes), now))) {
        for (size_t i = 0; i < part; i++)
            carry(l, bytes[i], now);
        n -= part;
    }
}

void line_give(struct fake_line *l, struct arq *to, size_t n, uint64_t now)
{
    uint8_t bytes[LINE_BYTES];

    if (n > l->n)
        n = l->n;
    memcpy(bytes, l->bytes, n);
    memmove(l->bytes, l->bytes + n, l->n - n);
    l->n -= n;
    arq_receive(to, bytes, n, now);
}

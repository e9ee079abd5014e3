/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/framing.h"

#include "hyp/lib/string.h"

#define POLYNOMIAL 0x82f63b78U /* CRC-32C, reflected */
#define CHECKSUM   sizeof(uint32_t)
#define RUN        254U /* bytes behind a stuffing byte at most */

static uint32_t crc_of(uint32_t byte)
{
    for (unsigned bit = 0; bit < 8; bit++)
        byte = byte >> 1 ^ (byte & 1 ? POLYNOMIAL : 0);
    return byte;
}

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
    static uint32_t table[256];
    const uint8_t *bytes = p;

    if (!table[1])
        for (uint32_t i = 0; i < 256; i++)
            table[i] = crc_of(i);
    crc = ~crc;
    for (size_t i = 0; i < n; i++)
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
    return ~crc;
}

struct encoder {
    uint8_t *code, *to; /* the open run's stuffing byte; the next byte */
};

static void close_run(struct encoder *e)
{
    *e->code = (uint8_t)(e->to - e->code);
    e->code = e->to++;
}

static void encode(struct encoder *e, const void *p, size_t n)
{
    const uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++) {
        if (bytes[i])
            *e->to++ = bytes[i];
        if (!bytes[i] || e->to - e->code == RUN + 1)
            close_run(e);
    }
}

size_t framing_encode(const void *head, size_t head_size, const void *body, size_t body_size,
                      uint8_t *out)
{
    uint32_t crc = crc32c(crc32c(0, head, head_size), body, body_size);
    struct encoder e = {out + 1, out + 2};

    out[0] = 0;
    encode(&e, head, head_size);
    encode(&e, body, body_size);
    encode(&e, &crc, sizeof(crc));
    *e.code = (uint8_t)(e.to - e.code);
    *e.to++ = 0;
    return (size_t)(e.to - out);
}

/* In place; 0: these are no stuffed bytes. */
static size_t unstuff(uint8_t *bytes, size_t n)
{
    size_t from = 0, to = 0;

    while (from < n) {
        size_t run = bytes[from++] - 1U;

        if (run > n - from)
            return 0;
        memmove(bytes + to, bytes + from, run);
        from += run;
        to += run;
        if (run < RUN && from < n)
            bytes[to++] = 0;
    }
    return to;
}

const uint8_t *framing_decode(struct deframer *d, uint8_t byte, size_t *n)
{
    size_t got = d->n;
    uint32_t crc;

    if (byte) {
        if (d->n < sizeof(d->bytes))
            d->bytes[d->n] = byte;
        d->n += d->n <= sizeof(d->bytes);
        d->inside &= d->n <= sizeof(d->bytes);
        return NULL;
    }
    d->n = 0;
    d->inside = !(d->inside && got);
    if (got > sizeof(d->bytes))
        return NULL;
    got = unstuff(d->bytes, got);
    if (got <= CHECKSUM || got > LINK_FRAME_MAX)
        return NULL;
    *n = got - CHECKSUM;
    memcpy(&crc, d->bytes + *n, CHECKSUM);
    return crc == crc32c(0, d->bytes, *n) ? d->bytes : NULL;
}

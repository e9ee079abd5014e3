/* SPDX-License-Identifier: MIT */
/*
 * Frames on a byte stream: CRC-32C behind, consistent overhead byte stuffing (COBS: S. Cheshire,
 * M. Baker, IEEE/ACM Transactions on Networking 7(2), 1999), a zero byte before and after. Whatever
 * was lost or added on the way, the next zero byte begins afresh.
 */
#ifndef BH_CTL_FRAMING_H
#define BH_CTL_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp/abi/link.h"

/* The longest frame on the line: a stuffing byte for each 254 begun, two zeros. */
#define FRAMING_MAX (LINK_FRAME_MAX + LINK_FRAME_MAX / 254 + 1 + 2)

struct deframer {
    size_t n;    /* bytes since the last zero; more than fit: no frame */
    bool inside; /* there was a zero, and not yet another behind it and something */
    uint8_t bytes[FRAMING_MAX];
};

uint32_t crc32c(uint32_t crc, const void *p, size_t n); /* crc: 0 at first */

/* Two parts, the second maybe of 0 bytes, together LINK_FRAME_MAX - 4 at most: bytes for the line
 * in out[FRAMING_MAX]. */
size_t framing_encode(const void *head, size_t head_size, const void *body, size_t body_size,
                      uint8_t *out);

/*
 * One byte from the line. Not NULL: it completes a frame, of *n bytes without the checksum, which
 * stay until the next call.
 */
const uint8_t *framing_decode(struct deframer *d, uint8_t byte, size_t *n);

#endif

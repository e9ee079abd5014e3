/* SPDX-License-Identifier: MIT */
/* Payloads of bzImages: gzip, XZ, LZ4 (legacy frames) and Zstandard, into memory. */
#ifndef BH_TOOLS_UNPACK_H
#define BH_TOOLS_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#define UNPACK_MAX (1024UL << 20) /* bytes; a larger result is refused */

/*
 * Unpacks n bytes at data; the format is found by its magic number. NULL and *out (to be freed)
 * with *size bytes, or what is wrong. Bytes behind the end of the payload are ignored.
 */
const char *unpack(const uint8_t *data, size_t n, uint8_t **out, size_t *size);

#endif

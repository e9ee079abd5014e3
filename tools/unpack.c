/* SPDX-License-Identifier: MIT */
#include "tools/unpack.h"

#include <lz4.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define LZ4_BLOCK       (8U << 20) /* of the legacy frame, unpacked */
#define LZ4_MAGIC       0x184c2102U
#define FIRST_ROOM      (16UL << 20)
#define XZ_MEMORY_LIMIT (256UL << 20)

static const char too_large[] = "the payload unpacks to more than 1 GiB";
static const char truncated[] = "the payload is truncated";
static const char corrupt[] = "the payload is corrupt";
static const char no_memory[] = "out of memory";

struct out {
    uint8_t *data;
    size_t used, room;
};

/* Room for n more bytes at least. */
static const char *grow(struct out *o, size_t n)
{
    size_t room = o->room ? o->room : FIRST_ROOM;
    uint8_t *data;

    while (room - o->used < n)
        room *= 2;
    if (room > UNPACK_MAX)
        return o->used + n > UNPACK_MAX ? too_large : no_memory;
    if (room == o->room)
        return NULL;
    data = realloc(o->data, room);
    if (!data)
        return no_memory;
    o->data = data;
    o->room = room;
    return NULL;
}

static const char *unpack_gzip(const uint8_t *in, size_t n, struct out *o)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)in, .avail_in = (uInt)n};
    const char *wrong = NULL;
    int rc = inflateInit2(&z, 15 + 16) == Z_OK ? Z_OK : Z_MEM_ERROR;

    while (rc == Z_OK && !(wrong = grow(o, 1))) {
        z.next_out = o->data + o->used;
        z.avail_out = (uInt)(o->room - o->used);
        rc = inflate(&z, Z_NO_FLUSH);
        o->used = o->room - z.avail_out;
    }
    inflateEnd(&z);
    if (wrong || rc == Z_STREAM_END)
        return wrong;
    return rc == Z_BUF_ERROR ? truncated : corrupt;
}

static const char *unpack_xz(const uint8_t *in, size_t n, struct out *o)
{
    lzma_stream z = LZMA_STREAM_INIT;
    const char *wrong = NULL;
    lzma_ret rc = lzma_stream_decoder(&z, XZ_MEMORY_LIMIT, 0);

    z.next_in = in;
    z.avail_in = n;
    while (rc == LZMA_OK && !(wrong = grow(o, 1))) {
        z.next_out = o->data + o->used;
        z.avail_out = o->room - o->used;
        rc = lzma_code(&z, LZMA_RUN);
        o->used = o->room - z.avail_out;
        if (rc == LZMA_OK && !z.avail_in && z.avail_out)
            rc = LZMA_BUF_ERROR;
    }
    lzma_end(&z);
    if (wrong || rc == LZMA_STREAM_END)
        return wrong;
    return rc == LZMA_BUF_ERROR ? truncated : corrupt;
}

static const char *unpack_zstd(const uint8_t *in, size_t n, struct out *o)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer from = {in, n, 0};
    const char *wrong = z ? NULL : no_memory;
    size_t rc = 1;

    while (rc && !ZSTD_isError(rc) && !wrong && !(wrong = grow(o, 1))) {
        ZSTD_outBuffer to = {o->data, o->room, o->used};

        rc = ZSTD_decompressStream(z, &to, &from);
        o->used = to.pos;
        if (rc && !ZSTD_isError(rc) && from.pos == n && to.pos < to.size)
            wrong = truncated;
    }
    ZSTD_freeDStream(z);
    if (wrong)
        return wrong;
    return ZSTD_isError(rc) ? corrupt : NULL;
}

/*
 * Blocks of a 32-bit length and data. The frame has no end mark, but the kernel's build appends the
 * unpacked size, by which a payload cut off between two blocks is found.
 */
static const char *unpack_lz4(const uint8_t *in, size_t n, struct out *o)
{
    uint32_t unpacked = 0;
    size_t at = 4;

    while (n - at > 4) {
        uint32_t length;
        const char *wrong;
        int got;

        memcpy(&length, in + at, 4);
        at += 4;
        if (length == LZ4_MAGIC)
            continue;
        if (length > n - at)
            return truncated;
        wrong = grow(o, LZ4_BLOCK);
        if (wrong)
            return wrong;
        got = LZ4_decompress_safe((const char *)in + at, (char *)o->data + o->used, (int)length,
                                  (int)LZ4_BLOCK);
        if (got < 0)
            return corrupt;
        o->used += (size_t)got;
        at += length;
    }
    if (n - at == sizeof(unpacked))
        memcpy(&unpacked, in + at, sizeof(unpacked));
    return unpacked == (uint32_t)o->used ? NULL : truncated;
}

const char *unpack(const uint8_t *data, size_t n, uint8_t **out, size_t *size)
{
    static const struct {
        uint8_t magic[6];
        size_t n;
        const char *(*fn)(const uint8_t *in, size_t n, struct out *o);
    } formats[] = {
        {{0x1f, 0x8b}, 2, unpack_gzip},
        {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, unpack_xz},
        {{0x28, 0xb5, 0x2f, 0xfd}, 4, unpack_zstd},
        {{0x02, 0x21, 0x4c, 0x18}, 4, unpack_lz4},
    };
    struct out o = {0};
    const char *wrong = "the payload is packed in a way that is not gzip, XZ, LZ4 or Zstandard";

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (n >= formats[i].n && !memcmp(data, formats[i].magic, formats[i].n)) {
            wrong = formats[i].fn(data, n, &o);
            break;
        }
    if (wrong) {
        free(o.data);
        /* cppcheck-suppress returnDanglingLifetime ; the messages are constants */
        return wrong;
    }
    *out = o.data;
    *size = o.used;
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* A little data that unpacks to more than there may be is refused, and before it takes up memory.
 */
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zlib.h>
#include "tests/unit/check_main.h"
#include "tools/unpack.h"

#define TOO_MUCH (UNPACK_MAX + (1UL << 20))
#define MIB      (1UL << 20)

static const uint8_t zeros[MIB];

/* A deflated MiB that ends at a byte's border, again and again. */
static size_t gzip_bomb(uint8_t *out, size_t room)
{
    z_stream z = {.next_out = out, .avail_out = (uInt)room};
    size_t header, n;

    ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FULL_FLUSH), Z_OK);
    header = room - z.avail_out;
    z.next_in = (uint8_t *)(uintptr_t)zeros;
    z.avail_in = MIB;
    ck_assert_int_eq(deflate(&z, Z_FULL_FLUSH), Z_OK);
    n = room - z.avail_out - header;
    deflateEnd(&z);
    ck_assert_uint_le(header + n * (TOO_MUCH / MIB), room);
    for (size_t i = 1; i < TOO_MUCH / MIB; i++)
        memcpy(out + header + i * n, out + header, n);
    return header + n * (TOO_MUCH / MIB);
}

static size_t xz_bomb(uint8_t *out, size_t room)
{
    lzma_stream z = LZMA_STREAM_INIT;

    ck_assert_int_eq(lzma_easy_encoder(&z, 0, LZMA_CHECK_NONE), LZMA_OK);
    z.next_out = out;
    z.avail_out = room;
    for (size_t i = 0; i < TOO_MUCH / MIB; i++) {
        z.next_in = zeros;
        z.avail_in = MIB;
        while (z.avail_in)
            ck_assert_int_eq(lzma_code(&z, LZMA_RUN), LZMA_OK);
    }
    ck_assert_int_eq(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
    lzma_end(&z);
    return room - z.avail_out;
}

/* Blocks of one byte repeated: RFC 8878, 3.1.1.2. */
static size_t zstd_bomb(uint8_t *out, size_t room)
{
    const size_t block = 128U << 10, n = TOO_MUCH / block;

    ck_assert_uint_le(6 + n * 4, room);
    memcpy(out, "\x28\xb5\x2f\xfd\x00\x70", 6); /* no content size; a window of 16 MiB */
    for (size_t i = 0; i < n; i++) {
        const uint32_t header = (uint32_t)(block << 3 | 1 << 1 | (i == n - 1));

        memcpy(out + 6 + i * 4, &header, 4); /* and the byte: 0 */
    }
    return 6 + n * 4;
}

/* One literal, then a match of 8 MiB but for the last five bytes, which must be literals. */
static size_t lz4_bomb(uint8_t *out, size_t room)
{
    const uint32_t magic = 0x184c2102, match = (8U << 20) - 6, more = match - 4 - 15;
    const uint32_t size = 4 + more / 255 + 1 + 6, n = (uint32_t)(TOO_MUCH / (8 * MIB)) + 1;
    uint8_t *at = out + 4;

    ck_assert_uint_le(4 + (size + 4UL) * n, room);
    memcpy(out, &magic, 4);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(at, &size, 4);
        memcpy(at + 4, "\x1f\0\1\0", 4); /* token, literal, offset 1 */
        memset(at + 8, 255, more / 255);
        at[8 + more / 255] = (uint8_t)(more % 255);
        memcpy(at + 9 + more / 255, "\x50\0\0\0\0\0", 6);
        at += 4 + size;
    }
    return (size_t)(at - out);
}

/* Room doubles: at no time there is more than the largest result and the one before it. */
static void limit_memory(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    ck_assert_int_le(u.ru_maxrss, (long)(UNPACK_MAX / 1024 * 2));
}

START_TEST(bombs)
{
    static size_t (*const make[])(uint8_t * out, size_t room) = {gzip_bomb, xz_bomb, zstd_bomb,
                                                                 lz4_bomb};
    size_t room = 8 * MIB, n, size;
    uint8_t *data = malloc(room), *out = NULL;

    n = make[_i](data, room);
    ck_assert_str_eq(unpack(data, n, &out, &size), "the payload unpacks to more than 1 GiB");
    ck_assert_ptr_null(out);
    limit_memory();
    free(data);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, bombs, 0, 4);
}

int main(void)
{
    return check_main("unpack", fill);
}

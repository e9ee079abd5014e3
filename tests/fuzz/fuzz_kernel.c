/* SPDX-License-Identifier: MIT */
/*
 * Kernels: files as they are, payloads of bzImages as they are, and ELF files that are packed here
 * in one of the four ways, so that what is inside gets through. The ELF file is a good one changed
 * in places, or all of the data.
 */
#include "tests/fuzz/fuzz.h"

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include "tests/unit/kernels.h"
#include "tools/kernel.h"
#include "tools/unpack.h"

#define ELF    8192U
#define PACKED (64U << 10)
#define LOWEST 0x10000UL
#define TOP    0xf0000000UL

static void check_kernel(const struct kernel *k)
{
    bool inside = false;

    MUST(k->image && k->size <= UNPACK_MAX && k->nsegments <= KERNEL_MAX_SEGMENTS);
    for (uint32_t i = 0; i < k->nsegments; i++) {
        uint64_t gpa = k->segments[i].gpa, end = gpa + k->segments[i].mem_size;
        uint64_t offset = k->segments[i].offset, n = k->segments[i].file_size;

        MUST(offset <= k->size && n <= k->size - offset && n <= k->segments[i].mem_size);
        MUST(gpa >= LOWEST && end > gpa && end <= TOP && end <= k->end);
        for (uint32_t j = 0; j < i; j++)
            MUST(end <= k->segments[j].gpa || gpa >= k->segments[j].gpa + k->segments[j].mem_size);
        inside |= k->entry >= gpa && k->entry - gpa < n;
    }
    MUST(inside);
}

/* A copy that is exactly as large as it says, so that every read beyond is seen. */
static void read_kernel(const uint8_t *data, size_t n)
{
    uint8_t *file = malloc(n ? n : 1);
    struct kernel k;
    const char *wrong;

    if (n)
        memcpy(file, data, n);
    wrong = kernel_read(&k, file, n);
    if (wrong)
        MUST(*wrong);
    else
        check_kernel(&k);
    kernel_free(&k);
    free(file);
}

static void read_bzimage(const uint8_t *payload, size_t n)
{
    uint8_t *file = malloc(2048 + n);

    kernels_bz(file, payload, n, 0x20f);
    read_kernel(file, 2048 + n);
    free(file);
}

static size_t pack_gzip(const uint8_t *in, size_t n, uint8_t *out)
{
    z_stream z = {.next_in = (uint8_t *)(uintptr_t)in,
                  .avail_in = (uInt)n,
                  .next_out = out,
                  .avail_out = PACKED};

    MUST(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    MUST(deflate(&z, Z_FINISH) == Z_STREAM_END && deflateEnd(&z) == Z_OK);
    return PACKED - z.avail_out;
}

static size_t pack_xz(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t at = 0;

    MUST(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in, n, out, &at, PACKED) == LZMA_OK);
    return at;
}

static size_t pack_zstd(const uint8_t *in, size_t n, uint8_t *out)
{
    return ZSTD_compress(out, PACKED, in, n, 1);
}

/* A legacy frame of one block, and the size that the kernel's build appends. */
static size_t pack_lz4(const uint8_t *in, size_t n, uint8_t *out)
{
    const uint32_t magic = 0x184c2102, size = (uint32_t)n;
    uint32_t got =
        (uint32_t)LZ4_compress_default((const char *)in, (char *)out + 8, (int)n, PACKED / 2);

    memcpy(out, &magic, 4);
    memcpy(out + 4, &got, 4);
    memcpy(out + 8 + got, &size, 4);
    return 12 + got;
}

/* Packed, and then perhaps with a byte changed or the end missing. */
static void read_packed(struct fuzz *f, unsigned format, const uint8_t *elf, size_t n)
{
    static size_t (*const pack[])(const uint8_t *in, size_t n,
                                  uint8_t *out) = {pack_gzip, pack_xz, pack_zstd, pack_lz4};
    static uint8_t packed[PACKED];
    size_t size = pack[format](elf, n, packed);
    uint8_t how = fuzz_byte(f);

    MUST(size && size <= PACKED);
    if (how & 1)
        packed[fuzz_bytes(f, 2) % size] ^= fuzz_byte(f);
    if (how & 2)
        size -= fuzz_bytes(f, 2) % size;
    read_bzimage(packed, size);
}

/* Two segments and a note, with numbers of the data's in the headers and in the note. */
static size_t make_elf(struct fuzz *f, uint8_t *elf)
{
    static const struct elf_plan plan = ELF_GOOD;
    size_t n = kernels_elf(elf, &plan);

    for (unsigned changes = fuzz_byte(f) % 8; changes; changes--) {
        uint8_t where = fuzz_byte(f), how = fuzz_byte(f);
        size_t at = where < 64     ? where
                    : where < 0xf0 ? 64 + (where - 64) % 42 * 4UL
                                   : 1024 + where % 16;
        uint64_t v = fuzz_number(f);

        if (how & 4) /* near where the segments are */
            v = plan.gpa[how >> 3 & 1] + (uint64_t)(int64_t)(int16_t)v;
        memcpy(elf + at, &v, 1UL << how % 4);
    }
    return n - fuzz_byte(f) * 16UL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t elf[ELF];
    struct fuzz f = {data, data + n};
    uint8_t how = fuzz_byte(&f);

    switch (how & 7) {
    case 0:
        read_kernel(f.at, fuzz_left(&f));
        break;
    case 1:
        read_bzimage(f.at, fuzz_left(&f));
        break;
    case 2:
        n = make_elf(&f, elf);
        read_kernel(elf, n);
        break;
    default:
        n = make_elf(&f, elf);
        read_packed(&f, how >> 4 & 3, elf, n);
    }
    return 0;
}

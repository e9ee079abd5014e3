/* SPDX-License-Identifier: MIT */
#include "tests/unit/kernels.h"

#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include "tools/file.h"

size_t kernels_elf(uint8_t *buf, const struct elf_plan *plan)
{
    Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)buf;
    Elf64_Phdr *ph = (Elf64_Phdr *)(void *)(buf + sizeof(*eh));
    uint32_t note[6] = {4, 4, plan->note_type, 0x6e6558, (uint32_t)plan->entry, 0};

    memset(buf, 0, 8192);
    memcpy(eh->e_ident, ELFMAG, SELFMAG);
    eh->e_ident[EI_CLASS] = ELFCLASS64;
    eh->e_ident[EI_DATA] = ELFDATA2LSB;
    eh->e_ident[EI_VERSION] = EV_CURRENT;
    eh->e_type = ET_EXEC;
    eh->e_machine = EM_X86_64;
    eh->e_version = EV_CURRENT;
    eh->e_phoff = sizeof(*eh);
    eh->e_ehsize = sizeof(*eh);
    eh->e_phentsize = sizeof(*ph);
    eh->e_phnum = 3;
    ph[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                         .p_offset = 0,
                         .p_paddr = plan->gpa[0],
                         .p_filesz = 4096,
                         .p_memsz = 4096};
    ph[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                         .p_offset = plan->offset1,
                         .p_paddr = plan->gpa[1],
                         .p_filesz = 4096,
                         .p_memsz = 16384};
    ph[2] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 1024, .p_filesz = 20, .p_memsz = 20};
    memcpy(buf + 1024, note, 20);
    return 8192;
}

size_t kernels_bz(uint8_t *buf, const void *payload, size_t n, unsigned version)
{
    uint32_t offset = 0, length = (uint32_t)n;

    memset(buf, 0, 2048);
    buf[0x1f1] = 3; /* setup sectors behind the first */
    memcpy(buf + 0x202, "HdrS", 4);
    memcpy(buf + 0x206, &version, 2);
    memcpy(buf + 0x248, &offset, 4);
    memcpy(buf + 0x24c, &length, 4);
    memcpy(buf + 2048, payload, n);
    return 2048 + n;
}

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void write_elf(const char *name, struct elf_plan plan, size_t size)
{
    uint8_t buf[8192];

    kernels_elf(buf, &plan);
    must(file_write(name, buf, size));
}

static void write_bz(const char *name, const void *payload, size_t n, unsigned version, size_t cut)
{
    uint8_t buf[4096];
    size_t size = kernels_bz(buf, payload, n, version);

    must(file_write(name, buf, size - cut));
}

static size_t pack_gzip(const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
    z_stream z = {
        .next_in = (uint8_t *)(uintptr_t)in, .avail_in = n, .next_out = out, .avail_out = room};

    must(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    must(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static size_t pack_xz(const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
    size_t at = 0;

    must(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, in, n, out, &at, room) == LZMA_OK);
    return at;
}

static size_t pack_zstd(const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    size_t size;

    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    size = ZSTD_compress2(z, out, room, in, n);
    must(!ZSTD_isError(size));
    ZSTD_freeCCtx(z);
    return size;
}

/* The legacy frame: magic, a block behind its length; and the unpacked size, as Linux appends it.
 */
static size_t pack_lz4(const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
    static const uint32_t magic = 0x184c2102;
    uint32_t plain = (uint32_t)n, block;
    int size = LZ4_compress_default((const char *)in, (char *)out + 8, (int)n, (int)room - 12);

    must(size > 0);
    block = (uint32_t)size;
    memcpy(out, &magic, 4);
    memcpy(out + 4, &block, 4);
    memcpy(out + 8 + block, &plain, 4);
    return block + 12;
}

/*
 * FORMAT.bz, a kernel that is good, and those whose payload is not: FORMAT-truncated.bz, -end.bz
 * (the last 4 bytes are missing), -corrupt.bz.
 */
static void write_packed(const char *format,
                         size_t (*pack)(const uint8_t *in, size_t n, uint8_t *out, size_t room),
                         size_t corrupt)
{
    const struct elf_plan plan = ELF_GOOD;
    uint8_t elf[8192], payload[16384], buf[20480];
    char name[64];
    uint32_t random = 1;
    size_t n;

    kernels_elf(elf, &plan);
    for (size_t i = 4096; i < 6144; i++) /* what cannot be packed */
        elf[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    n = pack(elf, sizeof(elf), payload, sizeof(payload));
    snprintf(name, sizeof(name), "%s.bz", format);
    must(file_write(name, buf, kernels_bz(buf, payload, n, 0x20f)));
    snprintf(name, sizeof(name), "%s-truncated.bz", format);
    must(file_write(name, buf, kernels_bz(buf, payload, n - 600, 0x20f)));
    snprintf(name, sizeof(name), "%s-end.bz", format);
    must(file_write(name, buf, kernels_bz(buf, payload, n - 4, 0x20f)));
    payload[corrupt] ^= 0xff;
    snprintf(name, sizeof(name), "%s-corrupt.bz", format);
    must(file_write(name, buf, kernels_bz(buf, payload, n, 0x20f)));
}

void kernels_write(void)
{
    static const uint8_t gzip[64] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff};
    struct elf_plan plan = ELF_GOOD;
    uint8_t *large = calloc(1, 4 << 20);

    write_elf("good.elf", plan, 8192);
    write_elf("short.elf", plan, 6000);
    plan.note_type = 17;
    write_elf("no-note.elf", plan, 8192);
    plan = (struct elf_plan)ELF_GOOD;
    plan.entry = 0x300000;
    write_elf("bad-entry.elf", plan, 8192);
    plan = (struct elf_plan)ELF_GOOD;
    plan.gpa[1] = 0x100800;
    write_elf("overlap.elf", plan, 8192);
    plan.gpa[1] = 0x1000;
    write_elf("low.elf", plan, 8192);
    write_bz("truncated.bz", gzip, sizeof(gzip), 0x20f, 10);
    write_bz("corrupt.bz", gzip, sizeof(gzip), 0x20f, 0);
    write_bz("packing.bz", "BZh9 and more", 14, 0x20f, 0);
    write_bz("old.bz", gzip, sizeof(gzip), 0x204, 0);
    write_packed("gzip", pack_gzip, 1000);
    write_packed("xz", pack_xz, 1000);
    write_packed("zstd", pack_zstd, 1000);
    write_packed("lz4", pack_lz4, 8); /* a token: LZ4's legacy frame has no checksum */
    must(file_write("text", "hello\n", 6));
    must(file_write("empty", "", 0));
    must(file_write("large", large, 4 << 20));
    free(large);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/kernels.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
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
    must(file_write("text", "hello\n", 6));
    must(file_write("empty", "", 0));
    must(file_write("large", large, 4 << 20));
    free(large);
}

/* SPDX-License-Identifier: MIT */
/*
 * bzImage: Linux Documentation/arch/x86/boot.rst. ELF segments are loaded by p_paddr: one of
 * Linux's has the virtual address 0.
 */
#include "tools/kernel.h"

#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xen/elfnote.h>
#include "tools/unpack.h"

#define SETUP_SECTS    0x1f1
#define HEADER_MAGIC   0x202
#define VERSION        0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define HEADER_END     0x250
#define SECTOR         512
#define LOWEST         0x10000UL    /* BUNDLE_LOW_RESERVED */
#define HIGHEST        0xf0000000UL /* BUNDLE_RAM_HOLE */

static uint32_t word(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static const char *from_bzimage(struct kernel *k, const uint8_t *file, size_t n)
{
    size_t setup = ((file[SETUP_SECTS] ? file[SETUP_SECTS] : 4) + 1UL) * SECTOR;
    size_t offset = setup + word(file + PAYLOAD_OFFSET), length = word(file + PAYLOAD_LENGTH);

    if ((word(file + VERSION) & 0xffff) < 0x208)
        return "a bzImage older than boot protocol 2.08 (Linux 2.6.26)";
    if (offset > n || length > n - offset)
        return "the payload is truncated";
    return unpack(file + offset, length, &k->image, &k->size);
}

/* The entry point from one segment or section of notes. */
static bool find_note(struct kernel *k, Elf *elf, const GElf_Phdr *p)
{
    size_t at = 0, name, desc;
    Elf_Data *data;
    GElf_Nhdr note;

    data = elf_getdata_rawchunk(elf, (int64_t)p->p_offset, p->p_filesz, ELF_T_NHDR);
    while (data && (at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
        const uint8_t *base = data->d_buf;

        if (note.n_type != XEN_ELFNOTE_PHYS32_ENTRY || note.n_namesz != 4 || note.n_descsz < 4 ||
            memcmp(base + name, "Xen", 4))
            continue;
        k->entry = word(base + desc);
        return true;
    }
    return false;
}

static const char *add_segment(struct kernel *k, const GElf_Phdr *p)
{
    if (!p->p_memsz)
        return NULL;
    if (p->p_offset > k->size || p->p_filesz > k->size - p->p_offset || p->p_filesz > p->p_memsz)
        return "a segment is larger than the file: truncated";
    if (p->p_paddr < LOWEST || p->p_paddr > HIGHEST || p->p_memsz > HIGHEST - p->p_paddr)
        return "a segment lies below 64 KiB or above 3840 MiB of guest memory";
    if (k->nsegments == KERNEL_MAX_SEGMENTS)
        return "more than 15 segments";
    for (uint32_t i = 0; i < k->nsegments; i++)
        if (p->p_paddr < k->segments[i].gpa + k->segments[i].mem_size &&
            k->segments[i].gpa < p->p_paddr + p->p_memsz)
            return "two segments overlap";
    k->segments[k->nsegments].offset = p->p_offset;
    k->segments[k->nsegments].file_size = p->p_filesz;
    k->segments[k->nsegments].mem_size = p->p_memsz;
    k->segments[k->nsegments++].gpa = p->p_paddr;
    if (p->p_paddr + p->p_memsz > k->end)
        k->end = p->p_paddr + p->p_memsz;
    return NULL;
}

static const char *read_headers(struct kernel *k, Elf *elf)
{
    const char *wrong = NULL;
    bool pvh = false, inside = false;
    GElf_Ehdr eh;
    size_t n = 0;

    if (!gelf_getehdr(elf, &eh) || (eh.e_machine != EM_X86_64 && eh.e_machine != EM_386))
        return "not an ELF file for x86";
    if (elf_getphdrnum(elf, &n) || !n)
        return "an ELF file without program headers: not a kernel";
    for (size_t i = 0; i < n && !wrong; i++) {
        GElf_Phdr p;

        if (!gelf_getphdr(elf, (int)i, &p))
            return "the ELF file is truncated";
        if (p.p_type == PT_NOTE)
            pvh = find_note(k, elf, &p) || pvh;
        else if (p.p_type == PT_LOAD)
            wrong = add_segment(k, &p);
    }
    if (wrong)
        return wrong;
    if (!pvh)
        return "not a PVH kernel: no Xen note PHYS32_ENTRY; Linux needs CONFIG_PVH";
    for (uint32_t i = 0; i < k->nsegments; i++)
        inside |= k->entry >= k->segments[i].gpa &&
                  k->entry - k->segments[i].gpa < k->segments[i].file_size;
    return inside ? NULL : "the entry point of its Xen note is in no segment";
}

static const char *read_elf(struct kernel *k)
{
    const char *wrong;
    Elf *elf;

    elf_version(EV_CURRENT);
    elf = elf_memory((char *)k->image, k->size);
    if (!elf || elf_kind(elf) != ELF_K_ELF)
        wrong = "not an ELF file";
    else
        wrong = read_headers(k, elf);
    elf_end(elf);
    return wrong;
}

const char *kernel_read(struct kernel *k, const uint8_t *file, size_t n)
{
    const char *wrong = NULL;

    memset(k, 0, sizeof(*k));
    if (n > HEADER_END && word(file + HEADER_MAGIC) == 0x53726448) { /* "HdrS" */
        wrong = from_bzimage(k, file, n);
    } else if (n > SELFMAG && !memcmp(file, ELFMAG, SELFMAG)) {
        k->image = malloc(n);
        k->size = n;
        if (!k->image)
            return "out of memory";
        memcpy(k->image, file, n);
    } else {
        return "neither a bzImage nor an ELF file";
    }
    return wrong ? wrong : read_elf(k);
}

void kernel_free(struct kernel *k)
{
    free(k->image);
    k->image = NULL;
}

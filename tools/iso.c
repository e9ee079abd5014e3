/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/iso.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/child.h"
#include "tools/file.h"
#include "tools/interrupt.h"

#define DATE    "2026010100000000" /* of everything in the image */
#define SECONDS 1767225600

/* El Torito 1.0: where the boot catalog is said to be; UEFI 2.10 13.3.2: its second section, the
 * first of UEFI, in which the image's sector is told; FAT: where its serial number is. */
#define SECTOR      2048
#define CATALOG_AT  (17 * SECTOR + 0x47)
#define SECTION     64
#define SECTION_EFI 0xef91 /* the last header, platform EFI */
#define IMAGE_AT    (96 + 8)
#define SERIAL_AT   39

static const char grub_cfg[] = "set timeout=0\n"
                               "multiboot2 /boot/bulkhead.elf\n"
                               "module2 /boot/bundle bundle\n"
                               "boot\n";
static char dir[PATH_MAX]; /* all that is temporary: what goes into the image is in its tree/ */
static char error[1024];

static const char *fail(const char *what, const char *why)
{
    snprintf(error, sizeof(error), "%.400s: %.600s", what, why);
    return error;
}

/* A path in dir. */
static const char *at(const char *name)
{
    static char path[PATH_MAX + 32];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static bool put(const char *name, const void *data, size_t size)
{
    struct timespec date[2] = {{SECONDS, 0}, {SECONDS, 0}};

    return file_write(at(name), data, size) && !utimensat(AT_FDCWD, at(name), date, 0);
}

static const char *fill(const uint8_t *elf, size_t n, const uint8_t *bundle, size_t size)
{
    if (!mkdir(at("tree"), 0755) && !mkdir(at("tree/boot"), 0755) &&
        !mkdir(at("tree/boot/grub"), 0755) && put("tree/boot/bulkhead.elf", elf, n) &&
        put("tree/boot/bundle", bundle, size) &&
        put("tree/boot/grub/grub.cfg", grub_cfg, sizeof(grub_cfg) - 1))
        return NULL;
    return fail(dir, strerror(errno));
}

/* The first line that tells of an error: those behind it tell what came of it. */
static const char *cause(char *log)
{
    static const char *const words[] = {" : FATAL : ", " : FAILURE : ", "error: "};

    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (strstr(line, words[i]))
                return line;
    return "it failed and does not say why";
}

static const char *grub_failed(int log)
{
    static char text[65536];
    ssize_t n = pread(log, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return fail("grub-mkrescue", cause(text));
}

static const char *run_grub(const char *out)
{
    char tree[PATH_MAX + 32];
    char *args[] = {"grub-mkrescue",  "-o", (char *)(uintptr_t)out, tree,   "--", "-volume_date",
                    "all_file_dates", DATE, "-volume_date",         "uuid", DATE, NULL};
    int log = memfd_create("log", MFD_CLOEXEC); /* the disk may be full */
    int status = 0, rc;
    const char *wrong = NULL;

    snprintf(tree, sizeof(tree), "%s", at("tree"));
    setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
    setenv("TMPDIR", dir, 1); /* its own leftovers are then ours to remove */
    setenv("LC_ALL", "C", 1); /* for cause() */
    rc = child_run(args, log, &status);
    if (rc)
        wrong = fail(args[0],
                     rc == ENOENT ? "not found; it is in the package grub-common" : strerror(rc));
    else if (status)
        wrong = grub_failed(log);
    close(log);
    return wrong;
}

static bool read_at(int fd, uint64_t at, void *to, size_t n)
{
    return pread(fd, to, n, (off_t)at) == (ssize_t)n;
}

/* mformat takes a random number. */
static const char *set_serial(const char *out)
{
    int fd = open(out, O_RDWR | O_CLOEXEC);
    uint32_t sector, date = SECONDS;
    uint16_t section;
    bool ok = fd >= 0 && read_at(fd, CATALOG_AT, &sector, sizeof(sector));
    uint64_t catalog = ok ? (uint64_t)sector * SECTOR : 0;

    ok = ok && read_at(fd, catalog + SECTION, &section, sizeof(section)) &&
         section == SECTION_EFI && read_at(fd, catalog + IMAGE_AT, &sector, sizeof(sector)) &&
         pwrite(fd, &date, sizeof(date), (off_t)sector * SECTOR + SERIAL_AT) == sizeof(date);
    if (fd >= 0)
        close(fd);
    return ok ? NULL
              : fail("grub-mkrescue", "its image does not boot by both BIOS and UEFI; it needs the "
                                      "packages grub-pc-bin and grub-efi-amd64-bin");
}

static const char *make(const char *out, const uint8_t *elf, size_t n, const uint8_t *bundle,
                        size_t size)
{
    const char *temp = getenv("TMPDIR"), *wrong;

    if (!temp || !*temp)
        temp = "/tmp";
    snprintf(dir, sizeof(dir), "%s/bl-XXXXXX", temp);
    if (!mkdtemp(dir))
        return fail(temp, strerror(errno));
    wrong = fill(elf, n, bundle, size);
    if (!wrong)
        wrong = run_grub(out);
    if (!wrong)
        wrong = set_serial(out);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return wrong;
}

/* An ELF file, to be freed; NULL and the message. */
static uint8_t *read_hypervisor(const char *path, size_t *n)
{
    uint8_t *elf = file_read(path, n);

    if (elf && *n >= SELFMAG && !memcmp(elf, ELFMAG, SELFMAG))
        return elf;
    snprintf(error, sizeof(error), "--hypervisor: %.400s: %s", path,
             elf ? "not an ELF file" : file_error());
    free(elf);
    return NULL;
}

const char *iso_write(const char *path, const char *hypervisor, const uint8_t *bundle, size_t size)
{
    struct file_new f;
    const char *wrong;
    size_t n = 0;
    uint8_t *elf = read_hypervisor(hypervisor, &n);

    if (!elf)
        return error;
    if (!file_begin(&f, path, 0666)) {
        wrong = fail(path, file_error());
    } else {
        wrong = make(f.part, elf, n, bundle, size);
        if (interrupt_came())
            wrong = fail(path, "interrupted; nothing of it is left");
        if (wrong)
            file_drop(&f);
        else if (!file_end(&f))
            wrong = fail(path, file_error());
    }
    free(elf);
    return wrong;
}

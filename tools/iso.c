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

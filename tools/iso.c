/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/iso.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tools/file.h"

#define DATE    "2026010100000000" /* of everything in the image */
#define SECONDS 1767225600

static const char grub_cfg[] = "set timeout=0\n"
                               "multiboot2 /boot/bulkhead.elf\n"
                               "module2 /boot/bundle bundle\n"
                               "boot\n";
static char error[512];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static bool put(const char *dir, const char *name, const void *data, size_t size)
{
    struct timespec date[2] = {{SECONDS, 0}, {SECONDS, 0}};
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return file_write(path, data, size) && !utimensat(AT_FDCWD, path, date, 0);
}

static bool fill(const char *dir, const char *hypervisor, const uint8_t *bundle, size_t size)
{
    char path[256];
    size_t n = 0;
    uint8_t *elf = file_read(hypervisor, &n);
    bool ok;

    if (!elf) {
        snprintf(error, sizeof(error), "%.400s: %s", hypervisor, file_error());
        return false;
    }
    snprintf(path, sizeof(path), "%s/boot", dir);
    ok = !mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/boot/grub", dir);
    ok = ok && !mkdir(path, 0755) && put(dir, "boot/bulkhead.elf", elf, n) &&
         put(dir, "boot/bundle", bundle, size) &&
         put(dir, "boot/grub/grub.cfg", grub_cfg, sizeof(grub_cfg) - 1);
    free(elf);
    if (!ok)
        snprintf(error, sizeof(error), "%.400s: %s", dir, file_error());
    return ok;
}

/* Its output goes to a file in dir, whose last line tells what went wrong. */
static const char *run_grub(const char *dir, const char *out)
{
    char log[256], *args[] = {"grub-mkrescue",
                              "-o",
                              (char *)(uintptr_t)out,
                              (char *)(uintptr_t)dir,
                              "--",
                              "-volume_date",
                              "all_file_dates",
                              DATE,
                              "-volume_date",
                              "uuid",
                              DATE,
                              NULL};
    posix_spawn_file_actions_t files;
    int status = 0, rc;
    pid_t pid;

    snprintf(log, sizeof(log), "%s.log", dir);
    setenv("SOURCE_DATE_EPOCH", "1767225600", 1);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    rc = posix_spawnp(&pid, args[0], &files, NULL, args, environ);
    posix_spawn_file_actions_destroy(&files);
    if (rc) {
        snprintf(error, sizeof(error), "grub-mkrescue: %s; it is in the package grub-common",
                 strerror(rc));
        return error;
    }
    waitpid(pid, &status, 0);
    if (status) {
        size_t n = 0;
        uint8_t *text = file_read(log, &n);

        while (text && n && text[n - 1] == '\n')
            n--;
        if (text)
            text[n] = '\0';
        snprintf(error, sizeof(error), "grub-mkrescue failed: %.400s",
                 text ? strrchr((char *)text, '\n') ? strrchr((char *)text, '\n') + 1 : (char *)text
                      : "");
        free(text);
    }
    unlink(log);
    return status ? error : NULL;
}

/* Of what stands in dir. */
static const char *make(const char *path, const char *dir)
{
    struct file_new f;
    const char *wrong;

    if (!file_begin(&f, path, 0666))
        return file_error();
    wrong = run_grub(dir, f.part);
    if (wrong)
        file_drop(&f);
    else if (!file_end(&f))
        wrong = file_error();
    return wrong;
}

const char *iso_write(const char *path, const char *hypervisor, const uint8_t *bundle, size_t size)
{
    char dir[] = "/tmp/bl-XXXXXX";
    const char *wrong;

    error[0] = '\0';
    if (!mkdtemp(dir)) {
        snprintf(error, sizeof(error), "/tmp: %s", strerror(errno));
        return error;
    }
    wrong = fill(dir, hypervisor, bundle, size) ? make(path, dir) : error;
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return wrong;
}

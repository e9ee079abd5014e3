/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOT_A_FILE EINVAL /* which no call here gives for another reason */

const char *file_error(void)
{
    return errno == NOT_A_FILE ? "not a file" : strerror(errno);
}

static bool is_file(const struct stat *st)
{
    errno = S_ISDIR(st->st_mode) ? EISDIR : NOT_A_FILE;
    return S_ISREG(st->st_mode);
}

/* Of a FIFO the opening alone would wait for a writer. */
uint8_t *file_read(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
    uint8_t *data = NULL;
    struct stat st;

    if (!f)
        return NULL;
    if (!fstat(fd, &st) && is_file(&st)) {
        *size = (size_t)st.st_size;
        data = malloc(*size + 1);
        if (data && fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
            errno = EIO;
        }
    }
    fclose(f);
    return data;
}

/* What is replaced: a device or a FIFO would be lost, and a link is somebody's choice. */
static char *target(const char *path)
{
    struct stat st;

    if (!stat(path, &st))
        return is_file(&st) ? realpath(path, NULL) : NULL;
    return errno == ENOENT && lstat(path, &st) ? strdup(path) : NULL;
}

bool file_may_begin(const char *path)
{
    char *t = target(path);
    bool may = t;

    free(t);
    return may;
}

/* A file of a name that nobody else has, in mode but for what the umask takes. */
static int open_part(char *name, mode_t mode)
{
    mode_t mask = umask(0);
    int fd = mkostemp(name, O_CLOEXEC);

    umask(mask);
    if (fd >= 0)
        fchmod(fd, mode & ~mask);
    return fd;
}

bool file_begin(struct file_new *f, const char *path, mode_t mode)
{
    char *to = target(path), *part = NULL;

    if (!to || asprintf(&part, "%s.XXXXXX", to) < 0)
        part = NULL;
    *f = (struct file_new){to, part, part ? open_part(part, mode) : -1};
    if (f->fd >= 0)
        return true;
    free(to);
    free(part);
    return false;
}

bool file_end(struct file_new *f)
{
    bool ok = !close(f->fd) && !rename(f->part, f->path);

    if (!ok)
        unlink(f->part);
    free(f->path);
    free(f->part);
    return ok;
}

void file_drop(struct file_new *f)
{
    int why = errno;

    close(f->fd);
    unlink(f->part);
    free(f->path);
    free(f->part);
    errno = why;
}

bool file_put(struct file_new *f, const void *data, size_t size)
{
    for (const char *p = data; size;) {
        ssize_t n = write(f->fd, p, size);

        if (n < 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

bool file_write(const char *path, const void *data, size_t size)
{
    struct file_new f;

    if (!file_begin(&f, path, 0666))
        return false;
    if (file_put(&f, data, size))
        return file_end(&f);
    file_drop(&f);
    return false;
}

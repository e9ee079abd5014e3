/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

uint8_t *file_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    struct stat st;

    if (!f)
        return NULL;
    if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    } else {
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

bool file_write(const char *path, const void *data, size_t size)
{
    char *part;
    FILE *f;
    bool ok;

    if (asprintf(&part, "%s.part", path) < 0)
        return false;
    f = fopen(part, "wb");
    ok = f && fwrite(data, 1, size, f) == size;
    if (f && fclose(f))
        ok = false;
    if (!ok || rename(part, path)) {
        ok = false;
        if (f)
            unlink(part);
    }
    free(part);
    return ok;
}

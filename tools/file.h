/* SPDX-License-Identifier: MIT */
/* Regular files, whole. What fails here sets errno; file_error() has its word. */
#ifndef BH_TOOLS_FILE_H
#define BH_TOOLS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A whole file, to be freed; or NULL. */
uint8_t *file_read(const char *path, size_t *size);
/* path is old or new, never half. */
bool file_write(const char *path, const void *data, size_t size);

/*
 * The same in steps: what is put there, or written to fd, or by others to part, stands at path
 * after file_end(), nothing after file_drop(). A link at path stays: what it leads to is meant.
 */
struct file_new {
    char *path, *part;
    int fd;
};
/* mode: less what the umask takes. */
bool file_begin(struct file_new *f, const char *path, mode_t mode);
bool file_put(struct file_new *f, const void *data, size_t size);
/* Where it fails it has dropped it. */
bool file_end(struct file_new *f);
void file_drop(struct file_new *f);
/* Is there a file at path, or nothing yet? */
bool file_may_begin(const char *path);

const char *file_error(void);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BH_TOOLS_FILE_H
#define BH_TOOLS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole regular file, to be freed; NULL with errno. */
uint8_t *file_read(const char *path, size_t *size);
/* Writes through a temporary file beside it: path is old or new, never half. False with errno. */
bool file_write(const char *path, const void *data, size_t size);

#endif

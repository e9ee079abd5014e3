/* SPDX-License-Identifier: MIT */
/* vmlinux KERNEL OUT: the uncompressed kernel of a bzImage, as QEMU's -kernel wants it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/file.h"
#include "tools/kernel.h"

int main(int argc, char **argv)
{
    const char *wrong = "usage: vmlinux KERNEL OUT";
    struct kernel k = {0};
    uint8_t *file = NULL;
    size_t size;

    if (argc == 3) {
        file = file_read(argv[1], &size);
        wrong = file ? kernel_read(&k, file, size) : strerror(errno);
    }
    if (!wrong && !file_write(argv[2], k.image, k.size))
        wrong = strerror(errno);
    if (wrong)
        fprintf(stderr, "vmlinux: %s\n", wrong);
    kernel_free(&k);
    free(file);
    return wrong ? 1 : 0;
}

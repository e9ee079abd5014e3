/* SPDX-License-Identifier: MIT */
#ifndef BH_TOOLS_ISO_H
#define BH_TOOLS_ISO_H

#include <stddef.h>
#include <stdint.h>

/*
 * An ISO image at path that GRUB boots by BIOS and UEFI, made by grub-mkrescue: the hypervisor (a
 * file) and a bundle. NULL, or what went wrong.
 */
const char *iso_write(const char *path, const char *hypervisor, const uint8_t *bundle, size_t size);

#endif

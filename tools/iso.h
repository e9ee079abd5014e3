/* SPDX-License-Identifier: MIT */
#ifndef BH_TOOLS_ISO_H
#define BH_TOOLS_ISO_H

#include <stddef.h>
#include <stdint.h>

/*
 * An ISO image at path that GRUB boots by BIOS and UEFI, made by grub-mkrescue: the hypervisor (a
 * file) and a bundle. NULL, or the line that says what went wrong; nothing is left of it then, nor
 * when a signal comes that is caught (tools/interrupt.h).
 */
const char *iso_write(const char *path, const char *hypervisor, const uint8_t *bundle, size_t size);

#endif

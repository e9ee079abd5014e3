/* SPDX-License-Identifier: MIT */
/* What stands in XenStore messages (xen/io/xs_wire.h; docs/misc/xenstore.txt of Xen). */
#ifndef BH_XS_WIRE_H
#define BH_XS_WIRE_H

#include "hyp/lib/util.h"

#include <xen/errno.h>
#include <xen/io/xs_wire.h>

/* How many strings the payload holds: its NUL bytes. What follows the last does not count. */
unsigned wire_strings(const char *payload, uint32_t len);
/* The payload is one string and nothing else. */
bool wire_is_string(const char *payload, uint32_t len);
/*
 * A number as C's strtol() reads it, base 10 or 0, with blanks, sign and prefix; out of range is
 * the nearest. *end, when not NULL, is behind it, or the text when there is none.
 */
int64_t wire_number(const char *text, unsigned base, const char **end);
/* A domain number as XenStore's requests carry it: decimal, junk behind it ignored. */
uint32_t wire_domid(const char *text);
/* An absolute path that a node may have, no longer than most bytes, or that many behind
 * "/local/domain/N/". */
bool wire_path_valid(const char *path, uint32_t len, uint32_t most);
/* "ENOENT" for XEN_ENOENT; "EINVAL" for what the protocol has no word for. */
const char *wire_error(int error);

#endif

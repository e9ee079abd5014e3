/* SPDX-License-Identifier: MIT */
/* A domain is made on the running host. */
#ifndef BH_TOOLS_UPLOAD_H
#define BH_TOOLS_UPLOAD_H

#include "tools/mkdomain.h"

uint64_t upload_size(const struct mkdomain *m); /* bytes of its segments */
/*
 * Makes it, with all its segments, up to state ready: EXIT_OK, its number and how many bytes the
 * host did not have yet; or EXIT_FAILED after a message; then nothing of it is left. A signal ends it
 * likewise.
 */
int upload(const struct mkdomain *m, uint32_t *domid, uint64_t *sent);

#endif

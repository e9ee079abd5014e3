/* SPDX-License-Identifier: MIT */
/* A bar with rate and time left, on a terminal only. */
#ifndef BH_TOOLS_PROGRESS_H
#define BH_TOOLS_PROGRESS_H

#include <stdint.h>

void progress_begin(const char *what, uint64_t total);
/* So many bytes are done. */
void progress_at(uint64_t done);
void progress_end(void);

#endif

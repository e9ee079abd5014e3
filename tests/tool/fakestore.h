/* SPDX-License-Identifier: MIT */
/* As much of a store as the tool needs: READ and WRITE, and guests that listen to control/. */
#ifndef BH_TOOL_FAKESTORE_H
#define BH_TOOL_FAKESTORE_H

#include <stddef.h>
#include <stdint.h>

#define FAKESTORE_MAX 8192U

/* Of domain 3 all is there that Linux writes; others do not listen. */
void fakestore_init(void);
/* One request of n bytes, header and all: the answer's size. */
size_t fakestore_request(const uint8_t *request, uint8_t answer[FAKESTORE_MAX]);

#endif

/* SPDX-License-Identifier: MIT */
/* What the reader does: reads of the store, lines on the console. */
#ifndef BH_GUEST_READER_H
#define BH_GUEST_READER_H

#include "tests/guest/probe.h"

/* Until one of the events of this port comes. */
void reader_sleep(uint32_t port);

/* readstore.c: READ of "domid"; true: the answer is right. */
void read_store_init(void);
bool read_store(void);

/* readconsole.c: a line goes out whole; returns when the other side has taken it. */
void read_console_init(void);
void read_console(const char *line);

#endif

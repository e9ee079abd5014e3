/* SPDX-License-Identifier: MIT */
/* The terminal: the second serial port, a 16550 at 0x2f8, 115200 8N1, with an output buffer. */
#ifndef BH_CTL_TERMINAL_H
#define BH_CTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False when no UART answers: then output is swallowed and no input comes. */
bool terminal_init(void);
/* Bytes that terminal_write() would take now. */
size_t terminal_room(void);
/* Queues at most n bytes, a carriage return before each newline when cooked; returns how many. */
size_t terminal_write(const char *text, size_t n, bool cooked);
/* Feeds the UART as far as it takes; true while bytes remain. */
bool terminal_pump(void);
/* At most n bytes that have come. */
size_t terminal_read(uint8_t *bytes, size_t n);
/* Whether bytes that come interrupt us; they do at first. */
void terminal_interrupts(bool on);

#endif

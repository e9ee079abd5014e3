/* SPDX-License-Identifier: MIT */
/*
 * Formatted output without a C library: %d %i %u %x %X %p %s %c %%, flags '-' '0', width, precision
 * for %s, length l ll z h hh. Always terminates buf when size > 0; returns the length the whole
 * text would have had, as C's vsnprintf does.
 */
#ifndef BH_LIB_FORMAT_H
#define BH_LIB_FORMAT_H

#include <stdarg.h>
#include "hyp/lib/util.h"

int format_v(char *buf, size_t size, const char *fmt, va_list args);
int format(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif

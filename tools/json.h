/* SPDX-License-Identifier: MIT */
/* JSON on stdout; without -o json all of this does nothing. key: NULL in an array and at the top.
 */
#ifndef BH_TOOLS_JSON_H
#define BH_TOOLS_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* kind: '{' or '['. The end of the outermost one ends the line. */
void json_begin(const char *key, char kind);
void json_end(void);
void json_string(const char *key, const char *value);
void json_number(const char *key, uint64_t value);
void json_real(const char *key, double value);
void json_bool(const char *key, bool value);
void json_null(const char *key);
/* From now on: each value at the top is one line. */
void json_one_line(void);

#endif

/* SPDX-License-Identifier: MIT */
/* Numbers as words of the command line. */
#ifndef BH_TOOLS_UNITS_H
#define BH_TOOLS_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number, decimal; false: it is none, or not in lowest..highest. */
bool units_number(const char *text, uint64_t lowest, uint64_t highest, uint64_t *value);
/* Memory as xl takes it: KiB, or with t, g, m, k or b behind it; in bytes. */
bool units_memory(const char *text, uint64_t *bytes);
/* Seconds, with a fraction if need be: in milliseconds. */
bool units_seconds(const char *text, uint64_t *ms);

#define UNITS_DURATION 40
/* ns as "1 day, 02:03:04". */
void units_duration(uint64_t ns, char text[UNITS_DURATION]);

#endif

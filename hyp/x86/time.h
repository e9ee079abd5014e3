/* SPDX-License-Identifier: MIT */
/* Set-up of time; what others use of it stands in machine.h. */
#ifndef BH_X86_TIME_H
#define BH_X86_TIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Measures the TSC and reads the wall clock, which is 1970 without one. Time began when the TSC
 * stood at start; now_ns() is 0 until this is done. Needs acpi_init(). False: nothing tells the
 * frequency.
 */
bool time_init(uint64_t start);

/* The middle one of n values, which are sorted. */
uint64_t time_median(uint64_t *v, unsigned n);
/* Seconds since 1970 of a date and time in UTC, from 1970 on. */
uint64_t time_seconds(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                      unsigned second);

#endif

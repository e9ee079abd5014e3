/* SPDX-License-Identifier: MIT */
#include "tools/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND       1000000000UL
#define MOST_SECONDS 1e9

bool units_number(const char *text, uint64_t lowest, uint64_t highest, uint64_t *value)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return !*end && !errno && *value >= lowest && *value <= highest;
}

bool units_memory(const char *text, uint64_t *bytes)
{
    static const char letters[] = "bkmgt";
    const char *letter;
    unsigned shift;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *bytes = strtoul(text, &end, 10);
    letter = *end ? strchr(letters, tolower((unsigned char)*end)) : letters + 1;
    if (errno || !letter || (*end && end[1]))
        return false;
    shift = 10 * (unsigned)(letter - letters);
    if (*bytes > UINT64_MAX >> shift)
        return false;
    *bytes <<= shift;
    return true;
}

bool units_seconds(const char *text, uint64_t *ms)
{
    char *end;
    double seconds;

    if (!isdigit((unsigned char)*text))
        return false;
    seconds = strtod(text, &end);
    if (*end || !(seconds <= MOST_SECONDS))
        return false;
    *ms = (uint64_t)(seconds * 1000);
    return true;
}

void units_duration(uint64_t ns, char text[UNITS_DURATION])
{
    uint64_t s = ns / SECOND, days = s / 86400;
    int n = 0;

    text[0] = '\0';
    if (days)
        n = snprintf(text, UNITS_DURATION, "%lu day%s, ", days, days == 1 ? "" : "s");
    snprintf(text + n, UNITS_DURATION - (size_t)n, "%02lu:%02lu:%02lu", s / 3600 % 24, s / 60 % 60,
             s % 60);
}

/* SPDX-License-Identifier: MIT */
#include "xml/cpuset.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

/* The CPU whose number stands at *at, which goes behind it; 64 and more: none. */
static unsigned parse_cpu(const char **at)
{
    unsigned cpu = 0;

    if (!isdigit((unsigned char)**at))
        return 64;
    for (; isdigit((unsigned char)**at) && cpu < 64; ++*at)
        cpu = 10 * cpu + (unsigned)(**at - '0');
    return cpu;
}

uint64_t cpuset_parse(const char *text)
{
    uint64_t set = 0;

    do {
        bool except = *text == '^';
        unsigned first, last;

        text += except;
        first = last = parse_cpu(&text);
        if (*text == '-' && !except) {
            text++;
            last = parse_cpu(&text);
        }
        if (first > last || last > 63)
            return 0;
        for (unsigned i = first; i <= last; i++)
            set = except ? set & ~(1UL << i) : set | 1UL << i;
    } while (*text++ == ',');
    return text[-1] ? 0 : set;
}

void cpuset_text(char text[CPUSET_TEXT], uint64_t set)
{
    size_t n = 0;

    text[0] = '\0';
    for (unsigned first = 0, last; first < 64; first = last + 1) {
        last = first;
        if (!(set >> first & 1))
            continue;
        while (last < 63 && set >> (last + 1) & 1)
            last++;
        n += (size_t)snprintf(text + n, CPUSET_TEXT - n, "%s%u", n ? "," : "", first);
        if (last > first)
            n += (size_t)snprintf(text + n, CPUSET_TEXT - n, "-%u", last);
    }
}

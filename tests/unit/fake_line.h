/* SPDX-License-Identifier: MIT */
/* A line between two ends in one process, which damages what it carries. */
#ifndef BH_UNIT_FAKE_LINE_H
#define BH_UNIT_FAKE_LINE_H

#include "drvdom/ctl/arq.h"

#define LINE_BYTES 65536U /* that it holds */

struct fake_line {
    /* In a million bytes: so many are lost, changed, followed by one that nobody sent, or the
     * beginning of some milliseconds in which all are lost. */
    unsigned lose, change, add, burst;
    uint64_t burst_until;
    bool cut; /* loses everything */
    uint64_t random;
    uint8_t bytes[LINE_BYTES];
    size_t n;
    uint64_t carried;
};

void line_init(struct fake_line *l, unsigned seed);
/* Takes at most n bytes from an end. */
void line_take(struct fake_line *l, struct arq *from, size_t n, uint64_t now);
/* Gives at most n bytes to an end. */
void line_give(struct fake_line *l, struct arq *to, size_t n, uint64_t now);
uint32_t line_random(struct fake_line *l);

#endif

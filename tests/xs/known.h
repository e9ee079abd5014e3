/* SPDX-License-Identifier: MIT */
/* Where ours and Debian's xenstored are known to differ, and why that is right. */
#ifndef TESTS_XS_KNOWN_H
#define TESTS_XS_KNOWN_H
#include "tests/xs/side.h"

/* A difference that is in the table; it is counted. */
bool known_difference(const struct op *op, const struct answers *theirs,
                      const struct answers *ours);
/* The table's lines that were met, with their counts. */
void known_print(void);
#endif

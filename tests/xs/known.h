/* SPDX-License-Identifier: MIT */
/* Where ours and Debian's xenstored are known to differ, and why that is right. */
#ifndef TESTS_XS_KNOWN_H
#define TESTS_XS_KNOWN_H
#include "tests/xs/side.h"

/* A request that would lead them apart for good: it is left out. */
bool known_leave_out(const struct side *side, const struct op *op);
/* A difference that is in the table. */
bool known_difference(const struct op *op, const struct answers *theirs,
                      const struct answers *ours);
/* The lines of the table that were met, with their counts. */
void known_print(void);
#endif

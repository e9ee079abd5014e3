// SPDX-License-Identifier: MIT
#include "tests/xs/known.h"
bool known_difference(const struct op *op, const struct answers *theirs, const struct answers *ours)
{
    (void)op, (void)theirs, (void)ours;
    return false;
}
void known_print(void)
{
}

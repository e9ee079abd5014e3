/* SPDX-License-Identifier: MIT */
/* Signals that would end us, noted instead: what was begun on the host is taken back first. The
 * second of a kind ends us at once. Instead of those that a write may bring, the write fails. */
#ifndef BH_TOOLS_INTERRUPT_H
#define BH_TOOLS_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupt_came(void);

#endif

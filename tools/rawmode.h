/* SPDX-License-Identifier: MIT */
/* The terminal on stdin in raw mode, and back on every way out: exit, and signals that end us. */
#ifndef BH_TOOLS_RAWMODE_H
#define BH_TOOLS_RAWMODE_H

#include <stdbool.h>

/* stdin is none: nothing happens. keep_signals: Ctrl-C and its like are still signals. */
void rawmode_begin(bool keep_signals);
void rawmode_end(void);

#endif

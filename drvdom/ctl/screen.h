/* SPDX-License-Identifier: MIT */
/*
 * The plain terminal on the second serial port, for who has no bl: it belongs to one domain's
 * console at a time, and keys switch (keys.h).
 */
#ifndef BH_CTL_SCREEN_H
#define BH_CTL_SCREEN_H

#include <stdbool.h>

#include "drvdom/ctl/consoles.h"

/* A console has come: the terminal is its, if it waits for one or for a domain of this name. */
void screen_offer(struct console *c);
/* One byte was typed. */
void screen_input(char byte);
/* Shows what can be shown; true: something was. */
bool screen_serve(void);
/* Somebody else has the port now, or no more; what they would have seen meanwhile is not shown. */
void screen_off(void);
void screen_on(void);

#endif

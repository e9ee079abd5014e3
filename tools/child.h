/* SPDX-License-Identifier: MIT */
#ifndef BH_TOOLS_CHILD_H
#define BH_TOOLS_CHILD_H

/*
 * Runs a program of PATH, without input and with its output to fd, until it ends or a signal comes
 * (tools/interrupt.h), which ends whatever it has started, too. 0 and its wait status, or the errno
 * of why there is none.
 */
int child_run(char *const args[], int fd, int *status);

#endif

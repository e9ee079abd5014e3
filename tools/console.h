/* SPDX-License-Identifier: MIT */
#ifndef BH_TOOLS_CONSOLE_H
#define BH_TOOLS_CONSOLE_H

#define CONSOLE_ESCAPE 0x1d /* Ctrl-] */

/*
 * stdin and stdout become the console that stream carries, until Ctrl-] or its end; name is for
 * messages. The exit code.
 */
int console_attach(int stream, const char *name);
/* Bytes both ways between stdin and stdout and the stream, until one of the three ends. */
void console_relay(int stream);

#endif

/* SPDX-License-Identifier: MIT */
/* Not a probe: the control domain with one function wrapped, so that the key Ctrl-^ kills it. */
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"

#define KILL 0x1e

int __real_terminal_read(void);
int __wrap_terminal_read(void);

int __wrap_terminal_read(void)
{
    int byte = __real_terminal_read();

    if (byte == KILL)
        rt_panic("killed");
    return byte;
}

/* SPDX-License-Identifier: MIT */
/* Not a probe: the control domain with one function wrapped, so that the key Ctrl-^ kills it. */
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"

#define KILL 0x1e

size_t __real_terminal_read(uint8_t *bytes, size_t n);
size_t __wrap_terminal_read(uint8_t *bytes, size_t n);

size_t __wrap_terminal_read(uint8_t *bytes, size_t n)
{
    size_t done = __real_terminal_read(bytes, n);

    for (size_t i = 0; i < done; i++)
        if (bytes[i] == KILL)
            rt_panic("killed");
    return done;
}

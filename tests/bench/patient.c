/* SPDX-License-Identifier: MIT */
/*
 * The control domain as it would be if it slept between two bytes of its line: it looks once in a
 * ms, and interrupts stay on. So what is counted is not how long it has watched the line while the
 * other side, which is no part of the machine, was busy.
 */
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"

#define MS 1000000UL

void __real_rt_set_timer(uint64_t when, void (*fn)(void));
void __wrap_rt_set_timer(uint64_t when, void (*fn)(void));
void __real_terminal_interrupts(bool on);
void __wrap_terminal_interrupts(bool on);

void __wrap_rt_set_timer(uint64_t when, void (*fn)(void))
{
    __real_rt_set_timer(when ? MAX(when, rt_now() + MS) : 0, fn);
}

void __wrap_terminal_interrupts(bool on)
{
    (void)on;
    __real_terminal_interrupts(true);
}

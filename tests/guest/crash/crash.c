/* SPDX-License-Identifier: MIT */
/*
 * Breaks in the way its command line asks for; switches tasks, which is the end of it on VT-x, and
 * PASS on AMD-V.
 */
#include "tests/guest/crash/task.h"
#include "tests/guest/probe.h"

#include <xen/sched.h>

static bool asked(const char *what)
{
    for (const char *p = rt_cmdline; *p; p++) {
        unsigned n = 0;

        while (what[n] && p[n] == what[n])
            n++;
        if (!what[n])
            return true;
    }
    return false;
}

static bool switches_tasks(void)
{
    static const char *const ways[] = {
        [TASK_JUMP] = "jump", [TASK_CALL] = "call", [TASK_GATE] = "gate"};

    for (unsigned way = 0; way < ARRAY_SIZE(ways); way++)
        if (asked(ways[way])) {
            task_switch(way);
            return true;
        }
    return false;
}

void probe_main(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __packed no_idt = {0, 0};

    if (asked("triple"))
        __asm__ volatile("lidt %0; int3" : : "m"(no_idt));
    if (asked("hole"))
        *(volatile uint64_t *)0xd0000000 = 1; /* no memory there, no device */
    if (asked("port"))
        __asm__ volatile("outb %0, %1" : : "a"((uint8_t)6), "Nd"((uint16_t)0xcf9));
    if (asked("init")) /* to itself, by the x2APIC */
        probe_wrmsr(0x830, 0x4500);
    if (asked("halt"))
        __asm__ volatile("cli; hlt");
    if (switches_tasks())
        return;
    rt_shutdown(SHUTDOWN_crash);
}

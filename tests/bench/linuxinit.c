/* SPDX-License-Identifier: MIT */
/* The first program of Linux, without a C library: says what the TSC is and powers off. */
#include <linux/reboot.h>
#include <stdint.h>
#include <sys/syscall.h>

void _start(void);

static long call(long nr, uint64_t a, uint64_t b, uint64_t c)
{
    long rc;

    __asm__ volatile("syscall"
                     : "=a"(rc)
                     : "a"(nr), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return rc;
}

void _start(void)
{
    char text[] = "bench init                     \n";
    char *at = text + sizeof(text) - 2;
    uint32_t lo, hi;
    uint64_t tsc;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    for (tsc = (uint64_t)hi << 32 | lo; tsc; tsc /= 10)
        *--at = (char)('0' + tsc % 10);
    call(SYS_write, 1, (uint64_t)text, sizeof(text) - 1);
    call(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF);
    for (;;)
        ;
}

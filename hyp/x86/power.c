/* SPDX-License-Identifier: MIT */
/* Power-off (ACPI 6.4, 16.1.7: SLP_TYP and SLP_EN in PM1 control) and reset. */
#include "hyp/lib/log.h"
#include "hyp/x86/acpi.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/watch.h"

#define SLP_TYP_SHIFT 10
#define SLP_EN        (1U << 13)
#define RESET_PORT    0xcf9
#define RESET_FULL    0x06
#define POWER_OFF_NS  3000000000UL /* how long the machine may take */

void power_off(void)
{
    WATCH(report());
    log_sync(true);
    if (acpi.has_s5 && acpi.pm1a_control) {
        log_line("power off");
        uart_drain();
        outw(acpi.pm1a_control, (uint16_t)(acpi.s5_a << SLP_TYP_SHIFT | SLP_EN));
        if (acpi.pm1b_control)
            outw(acpi.pm1b_control, (uint16_t)(acpi.s5_b << SLP_TYP_SHIFT | SLP_EN));
        for (uint64_t start = now_ns(); now_ns() - start < POWER_OFF_NS;)
            cpu_relax();
    }
    log_line("this machine has no ACPI power-off: halted");
    cpu_halt();
}

void power_reset(void)
{
    static const struct table_register no_idt = {0, 0};

    log_sync(true);
    log_line("reset");
    uart_drain();
    if (acpi.has_reset)
        outb(acpi.reset_port, acpi.reset_value);
    outb(RESET_PORT, RESET_FULL);
    __asm__ volatile("lidt %0; int3" : : "m"(no_idt)); /* triple fault */
    cpu_halt();
}

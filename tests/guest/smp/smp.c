/* SPDX-License-Identifier: MIT */
/* Other vCPUs, started and stopped by INIT and SIPI through the x2APIC, again and again. */
#include "tests/guest/probe.h"

#include <xen/vcpu.h>
#include "hyp/lib/string.h"

#define ICR    0x830
#define PAGE   0x8000UL /* where the vCPU starts: below the start info */
#define INIT   0x4500UL
#define SIPI   (0x4600UL | PAGE >> 12)
#define ROUNDS 50

/*
 * Real mode. What INIT has left of the last run, in DS, CR3, DR6 and the TPR, goes to where the
 * page ends; changes them all, counts, and halts for good.
 */
__asm__(".section .rodata\n"
        ".globl ap_start, ap_end\n"
        ".code16\n"
        "ap_start: movl %cr3, %eax\n"
        "movw %ds, %dx\n"
        "orw %ax, %dx\n"
        "orw %dx, %cs:0xff2\n"
        "movl %dr6, %eax\n"
        "xorl $0xffff0ff0, %eax\n"
        "orw %ax, %cs:0xff2\n"
        "movl $0x808, %ecx\n"
        "rdmsr\n"
        "orw %ax, %cs:0xff2\n"
        "movl $0x5000, %eax\n"
        "movl %eax, %cr3\n"
        "movw %ax, %ds\n"
        "movl $0xffff0fff, %eax\n"
        "movl %eax, %dr6\n"
        "movl $0x30, %eax\n"
        "xorl %edx, %edx\n"
        "wrmsr\n"
        "lock incw %cs:0xff0\n"
        "1: cli; hlt; jmp 1b\n"
        "ap_end:\n"
        ".code64\n"
        ".text\n");
extern const char ap_start[], ap_end[];

static volatile uint16_t *counter = (volatile uint16_t *)(PAGE + 0xff0);
static volatile uint16_t *left = (volatile uint16_t *)(PAGE + 0xff2);

static void send(uint32_t apic_id, uint64_t command)
{
    EQUAL(probe_wrmsr(ICR, (uint64_t)apic_id << 32 | command), -1);
}

static bool is_up(unsigned id)
{
    return HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, id, 0) == 1;
}

void probe_main(void)
{
    memcpy((void *)PAGE, ap_start, (size_t)(ap_end - ap_start));
    *counter = *left = 0;
    TRUE(!is_up(1));
    send(2, SIPI); /* nothing happens without INIT */
    for (unsigned i = 1; i <= ROUNDS; i++) {
        send(2, INIT);
        send(2, SIPI);
        send(2, SIPI); /* ignored: it runs already */
        while (*counter < i)
            __builtin_ia32_pause();
        while (is_up(1)) /* until it has halted */
            __builtin_ia32_pause();
        EQUAL(*counter, i);
        EQUAL(*left, 0);
    }
    send(77, INIT); /* nobody */
    send(77, SIPI);
    TRUE(!is_up(1));
}

/* SPDX-License-Identifier: MIT */
/* The interrupt descriptor table: 32 traps and the event channel upcall (SDM vol. 3 ch. 6.14). */
#include "guestdrv/rt/internal.h"

#define STUB_SIZE              16UL
#define GATE_PRESENT_INTERRUPT 0x8e00U
#define CODE_SELECTOR          8U

struct gate {
    uint16_t offset0, selector;
    uint16_t flags, offset1;
    uint32_t offset2, reserved;
};

static struct gate idt[UPCALL_VECTOR + 1];

static void gate_set(unsigned vector, uint64_t target)
{
    idt[vector] = (struct gate){(uint16_t)target,         CODE_SELECTOR,
                                GATE_PRESENT_INTERRUPT,   (uint16_t)(target >> 16),
                                (uint32_t)(target >> 32), 0};
}

void idt_init(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __packed idtr = {sizeof(idt) - 1, (uint64_t)idt};

    for (unsigned i = 0; i < 32; i++)
        gate_set(i, (uint64_t)rt_trap_stubs + i * STUB_SIZE);
    gate_set(UPCALL_VECTOR, (uint64_t)rt_upcall_stub);
    __asm__ volatile("lidt %0" : : "m"(idtr));
}

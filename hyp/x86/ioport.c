/* SPDX-License-Identifier: MIT */
#include "hyp/x86/ioport.h"

#include <stdint.h>

#include <xen/sched.h>
#include "hyp/x86/regs.h"
#include "hyp/x86/upcall.h"

#define PORT_CF9       0xcf9 /* reset control of PCI hosts: bit 2 resets */
#define PORT_KEYBOARD  0x64
#define KEYBOARD_RESET 0xfe
#define CF9_RESET      BIT(2)
#define SLEEP_ENABLE   BIT(5)
#define SLEEP_TYPE(v)  ((v) >> 2 & 7)

static void out(struct x86_vcpu *v, uint16_t port, uint8_t value)
{
    if (port == GUEST_PORT_SLEEP && value & SLEEP_ENABLE && SLEEP_TYPE(value) == GUEST_SLEEP_OFF)
        upcall_shutdown(v, SHUTDOWN_poweroff, NULL);
    else if ((port == GUEST_PORT_RESET && value == GUEST_RESET_VALUE) ||
             (port == PORT_CF9 && value & CF9_RESET) ||
             (port == PORT_KEYBOARD && value == KEYBOARD_RESET))
        upcall_shutdown(v, SHUTDOWN_reboot, NULL);
}

/* Nobody answers at other ports: they read as all ones, but the sleep status, which never wakes. */
static uint64_t in(uint16_t port, uint64_t rax, unsigned size)
{
    uint64_t value = port == GUEST_PORT_STATUS ? 0 : ~0UL;

    if (size == 4)
        return (uint32_t)value;
    return size == 2 ? (rax & ~0xffffUL) | (value & 0xffff) : (rax & ~0xffUL) | (value & 0xff);
}

void ioport_access(struct x86_vcpu *v, const struct exit *e)
{
    if (e->io.string) { /* would need an instruction emulator */
        vcpu_inject(v, VECTOR_GP, true, 0);
        return;
    }
    if (e->io.in)
        v->regs.rax = in(e->io.port, v->regs.rax, e->io.size);
    else
        out(v, e->io.port, (uint8_t)v->regs.rax);
    vendor->skip(v, e->insn_len);
}

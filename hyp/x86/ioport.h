/* SPDX-License-Identifier: MIT */
/*
 * I/O ports of guests. All there is stands in the guest's ACPI tables: the sleep registers and the
 * reset register of hardware-reduced ACPI; and two places where an old system resets itself.
 */
#ifndef BH_X86_IOPORT_H
#define BH_X86_IOPORT_H

#include "hyp/x86/vendor.h"

#define GUEST_PORT_SLEEP  0x404 /* sleep control: SLP_EN (bit 5), SLP_TYP (bits 2-4) */
#define GUEST_PORT_STATUS 0x405 /* sleep status */
#define GUEST_PORT_RESET  0x406
#define GUEST_RESET_VALUE 6
#define GUEST_SLEEP_OFF   5 /* SLP_TYP of S5 */

/* Deals with an I/O exit, and skips the instruction. */
void ioport_access(struct x86_vcpu *v, const struct exit *e);

#endif

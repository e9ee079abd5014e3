/* SPDX-License-Identifier: MIT */
/* Set-up of interrupts; what others use of them stands in machine.h. */
#ifndef BH_X86_IRQ_H
#define BH_X86_IRQ_H

/* The handlers of all interrupts but the timer's, and the interrupt controllers. Boot CPU. */
void irq_init(void);

#endif

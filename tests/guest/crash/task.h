/* SPDX-License-Identifier: MIT */
/* Hardware task switches: VT-x always exits at one, AMD-V's CPU does it inside the guest. */
#ifndef BH_GUEST_TASK_H
#define BH_GUEST_TASK_H

enum task_way { TASK_JUMP, TASK_CALL, TASK_GATE };

/*
 * Goes down to 32-bit protected mode without paging, switches to another task and back, returns to
 * 64-bit mode and checks that a real CPU has done it all. To the other task by a jump to its task
 * state segment, a call of it, or a task gate for #UD.
 */
void task_switch(enum task_way way);

#endif

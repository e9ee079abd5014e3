/* SPDX-License-Identifier: MIT */
/* The commands of the control hypercall (hyp/abi/control.h): one function each. */
#ifndef BH_CALL_CONTROLCALL_H
#define BH_CALL_CONTROLCALL_H

#include "hyp/call/call.h"

/*
 * A call: arg is a copy of the caller's, and what a command changes in it goes back. d is domain
 * number arg.domid, with a reference; most commands find it locked and not dying. v is its vCPU
 * number arg.vcpu, of commands about one. What may not be done under the lock is asked for: then
 * tells what. why is the text of a refusal for the log; NULL: not worth a line.
 */
struct control {
    struct vcpu *caller;
    struct domain *d;
    struct vcpu *v;
    struct locked held;
    struct bh_control arg;
    const char *why;
    enum { CONTROL_CHANGED = 1, CONTROL_DESTROY = 2, CONTROL_SHUTDOWN = 4 } then;
    unsigned reason; /* SHUTDOWN_*, of CONTROL_SHUTDOWN */
};

/* 0, -XEN_E*, or -XEN_ERESTART: arg says what is left to do. */
typedef long control_fn(struct control *c);

control_fn controlload_create, controlload_load, controlload_finish, controllife_unpause,
    controllife_pause, controllife_shutdown, controllife_destroy, controldom_shares,
    controldom_memory_max, controldom_rename, controldom_read_memory, controldom_record,
    controlvcpu_info, controlvcpu_affinity, controlvcpu_context, controlvcpu_trigger;

static inline long control_refuse(struct control *c, long error, const char *why)
{
    c->why = why;
    return error;
}

/* n bytes for the caller's buffer, or from it: 0, -XEN_EINVAL: it has not so many, -XEN_EFAULT. */
long control_give(struct control *c, const void *p, size_t n);
long control_take(struct control *c, void *p, size_t n);

#endif

/* SPDX-License-Identifier: MIT */
/* The one-shot timer of a vCPU by set_timer_op. */
#include "hyp/call/call.h"

#define FAR_NS  (1ULL << 50) /* about 13 days */
#define SOON_NS 100000000ULL

/* The timer fires on the CPU that sets it, which is the one that runs v now. */
void timerop_set(struct vcpu *v, uint64_t ns)
{
    timer_set(&v->singleshot, ns);
}

/*
 * Time that is negative, or far away, comes from old Linux, which had a wrapped value or nothing to
 * wait for: 100 ms, as in Xen, serves both without using up a CPU.
 */
long call_set_timer_op(struct vcpu *v, uint64_t args[CALL_ARGS])
{
    uint64_t at = args[0], now = now_ns();

    if (!at)
        timer_cancel(&v->singleshot);
    else if ((int64_t)at < 0 || (at > now && at - now >= FAR_NS))
        timerop_set(v, now + SOON_NS);
    else
        timerop_set(v, at);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Two domains and the event channel calls they make, for the tests of 2-level and FIFO. */
#ifndef BH_UNIT_EVTCHN_OPS_H
#define BH_UNIT_EVTCHN_OPS_H

#include <stdlib.h>
#include <xen/errno.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_arch.h"
#include "tests/unit/fake_dom.h"

#define FRAMES 16384UL

static struct domain *dom[3]; /* [1] and [2], numbers 1 and 2 */
static uint64_t free_before;

static inline void start(void)
{
    fake_machine(FRAMES);
    hyp_free(hyp_alloc(0), 0);
    free_before = mem_stats().free;
    dom[1] = fake_domain(1, 2);
    dom[2] = fake_domain(2, 3);
}

static inline void finish(void)
{
    ck_assert(fake_destroy(dom[1]));
    ck_assert(fake_destroy(dom[2]));
    ck_assert_uint_eq(mem_stats().free, free_before);
    ck_assert_uint_eq(mem_stats().hyp, 0);
}

static inline long op(unsigned d, unsigned cmd, void *arg)
{
    long rc = evtchn_op(dom[d]->vcpus[0], cmd, mk_gva((uint64_t)arg));

    ck_assert(fake_idle(dom[1]) && fake_idle(dom[2]));
    return rc;
}

static inline long alloc(unsigned d, domid_t remote, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = remote};
    long rc = op(d, EVTCHNOP_alloc_unbound, &a);

    *port = a.port;
    return rc;
}

static inline long bind(unsigned d, domid_t remote, evtchn_port_t rport, evtchn_port_t *port)
{
    struct evtchn_bind_interdomain a = {.remote_dom = remote, .remote_port = rport};
    long rc = op(d, EVTCHNOP_bind_interdomain, &a);

    *port = a.local_port;
    return rc;
}

static inline long ipi(unsigned d, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_ipi a = {.vcpu = vcpu};
    long rc = op(d, EVTCHNOP_bind_ipi, &a);

    *port = a.port;
    return rc;
}

static inline long on_port(unsigned d, unsigned cmd, evtchn_port_t port)
{
    struct evtchn_send a = {port};

    return op(d, cmd, &a);
}

static inline void reset(unsigned d)
{
    struct evtchn_reset r = {.dom = DOMID_SELF};
    long rc;

    do
        rc = op(d, EVTCHNOP_reset, &r);
    while (rc == -XEN_ERESTART);
    ck_assert_int_eq(rc, 0);
}

#endif

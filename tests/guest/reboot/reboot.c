/* SPDX-License-Identifier: MIT */
/*
 * Takes some of all that a domain can take, gives nothing back, and reboots, until its domain number
 * is the one on its command line: then it powers off. The host has to give everything back.
 */
#include "tests/guest/probe.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>

void probe_main(void)
{
    evtchn_alloc_unbound_t unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct xen_add_to_physmap map = {.domid = DOMID_SELF,
                                     .space = XENMAPSPACE_grant_table,
                                     .idx = 3,
                                     .gpfn = 0xf1000};

    for (unsigned i = 0; i < 100; i++)
        HYPERCALL2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &unbound);
    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), 0);
    if (rt_domid() < probe_number(0))
        rt_shutdown(SHUTDOWN_reboot);
}

/* SPDX-License-Identifier: MIT */
/*
 * Reboots as long as the host lets it: takes some of all a domain can take and gives nothing back,
 * so that the host has to. The host's log counts the frames that come back.
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
    rt_shutdown(SHUTDOWN_reboot);
}

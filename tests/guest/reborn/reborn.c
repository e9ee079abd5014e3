/* SPDX-License-Identifier: MIT */
/*
 * A domain of ours, for the test makes it one. Each life grants a page to the domain with the next
 * number, waits until that has mapped it, and crashes.
 */
#include "tests/guest/holder/holder.h"
#include "tests/guest/probe.h"

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define TABLE 0xf1000000UL

static uint16_t domid(void)
{
    uint32_t a = 0x40000004, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (uint16_t)c;
}

void probe_main(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = TABLE >> 12};
    grant_entry_v1_t *e = (grant_entry_v1_t *)TABLE + HOLDER_REF;
    uint64_t *page = rt_page_alloc();

    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), 0);
    *page = rt_now();
    e->frame = (uint32_t)((uint64_t)page >> 12);
    e->domid = (uint16_t)(domid() + 1);
    __atomic_store_n(&e->flags, GTF_permit_access, __ATOMIC_RELEASE);
    while (!(__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & GTF_reading))
        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    rt_shutdown(SHUTDOWN_crash);
}

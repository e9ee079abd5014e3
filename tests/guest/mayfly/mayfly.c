/* SPDX-License-Identifier: MIT */
/*
 * Two guests. One, which knows only the other's number, grants it a page in each life and reboots
 * when told to. The other, which has the numbers of that one's first and second life, keeps the
 * pages of its lives: with five it does not come back until the last page is let go of.
 */
#include "tests/guest/probe.h"

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define REF    8
#define TABLE  0xf1000000UL
#define HELD   5
#define PAUSE  1000000UL /* ns */
#define PAUSES 200

enum { NOTHING, REBOOT, END };

static void sleep(void)
{
    struct sched_poll poll = {.timeout = rt_now() + PAUSE};

    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

static void live(uint16_t keeper)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = TABLE >> 12};
    grant_entry_v1_t *e = (grant_entry_v1_t *)TABLE + REF;
    volatile uint32_t *page = rt_page_alloc();

    EQUAL(HYPERCALL2(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map), 0);
    e->frame = (uint32_t)((uint64_t)page >> 12);
    e->domid = keeper;
    __atomic_store_n(&e->flags, GTF_permit_access, __ATOMIC_RELEASE);
    while (*page == NOTHING)
        sleep();
    if (*page == REBOOT)
        rt_shutdown(SHUTDOWN_reboot);
}

static void keep(uint16_t first, uint16_t second)
{
    uint16_t next = (uint16_t)(second + HELD - 1);
    volatile uint32_t *page[HELD + 1];
    uint32_t handle[HELD + 1];
    int status;

    for (unsigned i = 0; i < HELD; i++) {
        uint16_t life = i ? (uint16_t)(second + i - 1) : first;

        while (!(page[i] = rt_grant_map(life, REF, &handle[i], &status)))
            sleep();
        *page[i] = REBOOT;
    }
    for (unsigned i = 0; i < PAUSES; i++) {
        if (rt_grant_map(next, REF, &handle[HELD], &status))
            rt_panic("life %u is there", next);
        EQUAL(status, GNTST_bad_domain);
        sleep();
    }
    rt_grant_unmap((void *)page[HELD - 1], handle[HELD - 1]);
    while (!(page[HELD] = rt_grant_map(next, REF, &handle[HELD], &status)))
        sleep();
    *page[HELD] = END;
    for (unsigned i = 0; i <= HELD; i++)
        if (i != HELD - 1)
            rt_grant_unmap((void *)page[i], handle[i]);
}

void probe_main(void)
{
    if (probe_number(1))
        keep((uint16_t)probe_number(0), (uint16_t)probe_number(1));
    else
        live((uint16_t)probe_number(0));
}

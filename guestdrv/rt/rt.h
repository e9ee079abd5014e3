/* SPDX-License-Identifier: MIT */
/*
 * The runtime of our own PVH domains. A domain is one struct component: init() once, then
 * notified() for each event channel that fires. One vCPU, no preemption: a handler runs to its end.
 */
#ifndef BH_RT_RT_H
#define BH_RT_RT_H

#include <stdint.h>

#include <xen/xen.h>
#include "hyp/lib/util.h"

#define COMPONENT_MAGIC 0x504d4f43U /* "COMP" */

struct component {
    uint32_t magic;
    void (*init)(void);
    void (*notified)(uint32_t port);
};
extern const struct component component; /* each domain defines one */

/* Hypercalls by VMCALL or VMMCALL, whichever this CPU has; negative: -XEN_E*. */
long rt_hypercall(unsigned nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
#define HYPERCALL2(nr, a, b)    rt_hypercall(nr, (uint64_t)(a), (uint64_t)(b), 0, 0, 0)
#define HYPERCALL3(nr, a, b, c) rt_hypercall(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0)

/* A line, or a part of one, on the domain's own log (CONSOLEIO_write). */
void rt_print(const char *fmt, ...) __printf(1, 2);
/* Says why and crashes the domain. */
void rt_panic(const char *fmt, ...) __noreturn __printf(1, 2);
/* Called at a trap, when set; it does not come back. For probe guests, which provoke traps. */
extern void (*rt_trap_hook)(unsigned vector);
/* SHUTDOWN_* of xen/sched.h. */
void rt_shutdown(unsigned reason) __noreturn;

/* The command line, and the end of RAM below 4 GiB, from hvm_start_info. */
extern const char *rt_cmdline;
extern uint64_t rt_ram_end;
/* Bytes at BUNDLE_VAULT_START that outlive us; 0: we have none. */
extern uint64_t rt_vault_size;
extern struct shared_info rt_shared;

/* Zeroed pages from the RAM behind the image; NULL: none left. */
void *rt_page_alloc(void);
/* Pages in a row, which are never freed. */
void *rt_pages_alloc(size_t n);
void rt_page_free(void *page);
/* Bytes that are left for these. */
uint64_t rt_memory_free(void);

/* Event channels: a port is unmasked when bound. Port number or -XEN_E*. */
int rt_bind_interdomain(uint16_t domid, uint32_t port);
/* A port of ours that this domain may bind to. */
int rt_alloc_unbound(uint16_t domid);
int rt_bind_virq(unsigned virq);
int rt_bind_pirq(unsigned pirq);
void rt_notify(uint32_t port);
void rt_close(uint32_t port);
/* Of a port that the builder has made. */
void rt_unmask(uint32_t port);
/* The domain at the other end, or that may bind to it, or -XEN_E*; *bound: it has. */
int rt_peer(uint32_t port, bool *bound);
/* HVM_PARAM_* of our own; 0: not set. */
uint64_t rt_param(uint32_t index);
uint16_t rt_domid(void);
/* As good as this CPU has it: from RDRAND, or else from the clock. */
uint64_t rt_random(void);

/* Nanoseconds since the host booted; the next wake-up of the loop, which then calls rt_tick. */
uint64_t rt_now(void);
void rt_set_timer(uint64_t when, void (*fn)(void));
/* How long so many ticks of the TSC are, in nanoseconds. */
uint64_t rt_ticks_ns(uint64_t ticks);

/* Maps another domain's grant at a page above RAM, read-write. NULL with a status in *status. */
void *rt_grant_map(uint16_t domid, uint32_t ref, uint32_t *handle, int *status);
void rt_grant_unmap(void *page, uint32_t handle);
/* Lets another domain map a page of ours, read-write: a reference, or 0: there is none left. */
uint32_t rt_grant(uint16_t domid, void *page);
/* Takes that back; false: it is mapped still. */
bool rt_grant_end(uint32_t ref);

#endif

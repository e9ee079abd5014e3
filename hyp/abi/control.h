/* SPDX-License-Identifier: MIT */
/*
 * The control hypercall: number BH_HYPERVISOR_control, arguments (command, pointer to its struct).
 * Only a domain with BUNDLE_PRIV_CONTROL may use it; everybody else gets -XEN_EPERM.
 */
#ifndef BH_ABI_CONTROL_H
#define BH_ABI_CONTROL_H

#include <stdint.h>

#define BH_HYPERVISOR_control 55 /* __HYPERVISOR_arch_7 */

enum bh_domain_state {
    BH_DOMAIN_BUILDING,
    BH_DOMAIN_RUNNING,
    BH_DOMAIN_SHUTDOWN, /* stopped; preserved, or about to be torn down */
    BH_DOMAIN_ZOMBIE,   /* torn down but for frames that others still map */
};

/*
 * BH_CONTROL_next: the domain with the lowest number >= domid; -XEN_ENOENT when there is none. On
 * any change of the set or of a state the hypervisor sends VIRQ_DOM_EXC to the control domain.
 */
#define BH_CONTROL_next 0
struct bh_control_next {
    uint32_t domid; /* in and out */
    uint32_t state; /* enum bh_domain_state */
    uint32_t class; /* enum bundle_class */
    uint32_t vcpus;
    uint32_t console_port;    /* the domain's own end, to bind to; 0: it has no console */
    uint32_t shutdown_reason; /* SHUTDOWN_*, in state SHUTDOWN and ZOMBIE */
    uint64_t memory;          /* bytes */
    uint8_t uuid[16];
    char name[64];
};

/*
 * BH_CONTROL_log: one line of domain domid's console for the host log; text is a guest linear
 * address, at most BH_LOG_MAX bytes, without newline.
 */
#define BH_CONTROL_log 1
#define BH_LOG_MAX     1024
struct bh_control_log {
    uint32_t domid;
    uint32_t len;
    uint64_t text;
};

#endif

/* SPDX-License-Identifier: MIT */
/* The machine that nohyp.c puts in Xen's place: memory and events shared with the test. */
#ifndef TESTS_XS_FAKEMACHINE_H
#define TESTS_XS_FAKEMACHINE_H
#include <stdint.h>
#include <xen/io/xs_wire.h>

#define MACHINE_DOMAINS 8
#define MACHINE_VIRQ    1000 /* the port of "a domain has changed" */
#define MACHINE_ENV     "XS_MACHINE"

/* In memory of which both have the file descriptor: MACHINE_ENV says "MEMORY EVENTS". Domain 0's
 * page is the first, because it is mapped from a file of its own name. */
struct machine {
    union {
        struct xenstore_domain_interface ring;
        char page[4096];
    } store[MACHINE_DOMAINS];
    uint8_t alive[MACHINE_DOMAINS];
};

/* An event to the daemon is a packet with its port, one from the daemon a packet with the domain.
 */
static inline uint32_t machine_port(uint32_t domid)
{
    return domid + 1;
}
#endif

/* SPDX-License-Identifier: MIT */
/* The running host that a command works on: connected to at the first use. */
#ifndef BH_TOOLS_HOST_H
#define BH_TOOLS_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <xen/errno.h>
#include "hyp/abi/control.h"

/*
 * A control command: 0 or -XEN_E*; args->size bytes came into out. A host that cannot be reached,
 * or no longer, ends the program with a message.
 */
int host_call(uint32_t command, struct bh_control *args, const void *in, size_t in_size, void *out,
              size_t out_size);
/* The same, but a connection that is lost on the way is CLIENT_LOST, and the next call makes
 * another. */
int host_try(uint32_t command, struct bh_control *args, const void *in, size_t in_size, void *out,
             size_t out_size);
/* A socket that carries the bytes of a service of the host (hyp/abi/link.h). */
int host_stream(uint32_t service, uint32_t argument);
/* The same, or -1 and what is wrong. */
int host_stream_try(uint32_t service, uint32_t argument, char wrong[256]);

void host_info(struct bh_host_info *info);

/* Ends the program: the host has answered what cannot be. */
void host_nonsense(void) __attribute__((noreturn));
/* Says in one line what could not be done with whom and why, and what to do next: EXIT_FAILED. */
int host_refused(const char *name, const char *doing, int error);

#endif

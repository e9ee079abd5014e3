/* SPDX-License-Identifier: MIT */
/* A connection to a running host. */
#ifndef BH_TOOLS_CLIENT_H
#define BH_TOOLS_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "hyp/abi/link.h"

#define CLIENT_LOST (-100000) /* there is no connection any more */

struct client;

/*
 * To host "unix:PATH" or "serial:DEVICE[,BAUD]"; NULL: what BULKHEAD_HOST says. BULKHEAD_TIMEOUT:
 * seconds to wait for an answer (10). NULL, and what is wrong.
 */
struct client *client_open(const char *host, char wrong[256]);
/*
 * A request of the CONTROL service (hyp/abi/link.h), whose buffer gets in_size bytes from in and
 * gives at most out_size to out; args->size says how many it gave. 0, -XEN_E* or CLIENT_LOST.
 */
int client_call(struct client *c, uint32_t command, struct bh_control *args, const void *in,
                size_t in_size, void *out, size_t out_size);
/* A socket, the caller's, that carries the bytes of a service; -1, and what is wrong. */
int client_stream(struct client *c, uint32_t service, uint32_t argument, char wrong[256]);
void client_close(struct client *c);

#endif

/* SPDX-License-Identifier: MIT */
/* One of the two daemons that are compared, with a connection for each client. */
#ifndef TESTS_XS_SIDE_H
#define TESTS_XS_SIDE_H
#include "tests/xs/fakemachine.h"
#include "tests/xs/storeop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HANG_MS 10000 /* only for a daemon that does not answer */

struct bytes {
    char *data;
    size_t len, size;
};

struct link {
    bool up;
    bool paused;  /* its ring begins anew, who knows when */
    bool dropped; /* by the daemon: a domain comes back when it has been released */
    int fd;       /* a socket, or -1 */
    struct xenstore_domain_interface *ring; /* or a domain's page, when it is Debian's */
    struct bytes in;                        /* received and not yet taken */
    uint32_t tx[TX_SLOTS];                  /* ids by slot, 0: none */
};

struct side {
    const char *name;
    const char *program;
    const char *shim;   /* NULL: ours, every client on a socket */
    const char *option; /* one more of xenstored, or NULL */
    pid_t pid;
    char dir[64];
    struct machine *machine; /* Debian's only */
    int memory_fd, event_fd;
    struct link links[CLIENTS];
    struct bytes generations; /* that were seen: strings PATH=GENERATION */
};

/* What the clients received in one step, in their order: messages by client, headers made
 * comparable. */
struct answers {
    struct bytes by_client[CLIENTS];
};

/* side.c: starts the daemon in a directory of its own; ends the test program when that fails. */
void side_start(struct side *side);
void side_stop(struct side *side);

/* The daemon's last output, for a report. */
void side_print_log(const struct side *side, FILE *to);

/* step.c, a step: begin, then end; the work of several sides may overlap. false: no answer came, or
 * the daemon is gone. */
bool side_begin(struct side *side, const struct op *op, uint32_t step);
bool side_end(struct side *side, const struct op *op, uint32_t step, struct answers *out);

void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_drop(struct bytes *bytes, size_t len);

/* link.c: to and from one client's connection. */
bool link_send(struct side *side, struct link *link, const void *data, size_t len);
/* Waits until something has come, and takes all there is. false: nothing came. */
bool link_receive_all(struct side *side);
bool link_open(struct side *side, unsigned client);
void link_close(struct link *link);

/* normal.c: makes the answer to op comparable, and takes from it what later steps need: ids that
 * each daemon chooses become numbers in the order in which they appear. */
void normal_answer(struct side *side, const struct op *op, struct xsd_sockmsg *header,
                   struct bytes *payload);
#endif

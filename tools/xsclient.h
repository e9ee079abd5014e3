/* SPDX-License-Identifier: MIT */
/* A client of the store: one request at a time, in xenstore's protocol (<xen/io/xs_wire.h>). */
#ifndef BH_TOOLS_XSCLIENT_H
#define BH_TOOLS_XSCLIENT_H

#include <stdbool.h>
#include <stdint.h>

/* All paths are those of domain domid: below /local/domain/DOMID. */
struct xsclient {
    int fd;
    uint32_t domid;
};

/* Of the host; what goes wrong on the way ends the program with a message. */
void xsclient_open(struct xsclient *x, uint32_t domid);
void xsclient_close(struct xsclient *x);
/* The value, with a zero behind it, to be freed; NULL: there is none, or it may not be read. */
char *xsclient_read(struct xsclient *x, const char *path);
/* NULL, or the name of the error, such as "EQUOTA". */
const char *xsclient_write(struct xsclient *x, const char *path, const char *value);

#endif

/* SPDX-License-Identifier: MIT */
/* The line to a host: an emulator's Unix socket or a serial device, which one process may have. */
#ifndef BH_TOOLS_HUBLINE_H
#define BH_TOOLS_HUBLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct hubline {
    char name[4200];  /* "unix:" or "serial:" and an absolute path: the same for everybody */
    const char *path; /* in name */
    bool serial;
    unsigned baud;
    int fd;   /* -1: closed */
    int lock; /* others who want the line connect here, and learn who has it */
};

/* From "unix:PATH" or "serial:DEVICE[,BAUD]"; false, and what is wrong. */
bool hubline_parse(struct hubline *l, const char *host, char wrong[256]);
/* Takes the line for this process; false, and what is wrong. */
bool hubline_open(struct hubline *l, char wrong[256]);
void hubline_close(struct hubline *l);
/* Somebody asks who has the line, at l->lock; since: time(). */
void hubline_tell(const struct hubline *l, int64_t since);
/* What was written and neither the device has sent nor the emulator has read. */
size_t hubline_queued(const struct hubline *l);
/* Bytes that may be written now so that they do not wait in the device for long. */
size_t hubline_room(const struct hubline *l);

#endif

/* SPDX-License-Identifier: MIT */
#include "tools/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xen/errno.h>
#include "tools/hub.h"
#include "tools/units.h"

#define PATIENCE_S 10U
#define LONGEST_S  86400U
#define TRIES      5 /* a hub may end just when one connects to it */

struct client {
    char *host;
    int fd; /* of the CONTROL service; -1: lost */
    uint32_t id;
};

static bool send_all(int fd, const void *p, size_t n)
{
    for (const char *at = p; n;) {
        ssize_t done = send(fd, at, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool receive_all(int fd, void *p, size_t n)
{
    for (char *at = p; n;) {
        ssize_t done = recv(fd, at, n, 0);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool patience(uint32_t *ms, char wrong[256])
{
    const char *text = getenv("BULKHEAD_TIMEOUT");
    uint64_t s = PATIENCE_S;
    bool ok = !text || !*text || units_number(text, 0, LONGEST_S, &s);

    if (!ok)
        snprintf(wrong, 256, "BULKHEAD_TIMEOUT: '%.100s' is no number of seconds; up to %u", text,
                 LONGEST_S);
    *ms = (uint32_t)s * 1000;
    return ok;
}

/* A socket whose channel is open; -1, and what is wrong. */
static int stream(const char *host, uint32_t service, uint32_t argument, char wrong[256])
{
    struct hub_open open = {HUB_MAGIC, service, argument, 0};
    struct hub_opened opened;

    if (!patience(&open.patience, wrong))
        return -1;
    for (int try = 0; try < TRIES; try++) {
        int fd = hub_connect(host, wrong);

        if (fd < 0)
            return -1;
        if (!send_all(fd, &open, sizeof(open)) || !receive_all(fd, &opened, sizeof(opened))) {
            close(fd);
            continue;
        }
        if (!opened.error && opened.magic == HUB_MAGIC)
            return fd;
        close(fd);
        opened.text[sizeof(opened.text) - 1] = 0;
        snprintf(wrong, 256, "%s", opened.text);
        return -1;
    }
    snprintf(wrong, 256, "%.150s: the process that serves this line ends again and again", host);
    return -1;
}

struct client *client_open(const char *host, char wrong[256])
{
    struct client *c;

    if (!host)
        host = getenv("BULKHEAD_HOST");
    if (!host || !*host) {
        snprintf(wrong, 256,
                 "which host? give -H unix:PATH or -H serial:DEVICE, or set BULKHEAD_HOST");
        return NULL;
    }
    c = calloc(1, sizeof(*c));
    if (c)
        c->host = strdup(host);
    if (!c || !c->host) {
        snprintf(wrong, 256, "%s", strerror(ENOMEM));
        free(c);
        return NULL;
    }
    c->fd = stream(host, LINK_SERVICE_CONTROL, 0, wrong);
    if (c->fd >= 0)
        return c;
    client_close(c);
    return NULL;
}

static int lost(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    return CLIENT_LOST;
}

int client_call(struct client *c, uint32_t command, struct bh_control *args, const void *in,
                size_t in_size, void *out, size_t out_size)
{
    struct bh_request r = {.id = ++c->id, .command = command, .args = *args};
    struct bh_answer a;

    if (in_size > BH_REQUEST_BUFFER || out_size > BH_REQUEST_BUFFER)
        return -XEN_EINVAL;
    r.size = (uint32_t)(sizeof(r) + in_size);
    r.reply_max = (uint32_t)out_size;
    r.args.buffer = 0;
    if (c->fd < 0 || !send_all(c->fd, &r, sizeof(r)) || !send_all(c->fd, in, in_size) ||
        !receive_all(c->fd, &a, sizeof(a)))
        return lost(c);
    if (a.id != r.id || a.size < sizeof(a) || a.size - sizeof(a) > out_size || a.error > 0 ||
        !receive_all(c->fd, out, a.size - sizeof(a)))
        return lost(c);
    *args = a.args;
    return a.error;
}

int client_stream(struct client *c, uint32_t service, uint32_t argument, char wrong[256])
{
    return stream(c->host, service, argument, wrong);
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->host);
    free(c);
}

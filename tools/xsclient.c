/* SPDX-License-Identifier: MIT */
#include "tools/xsclient.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/host.h"

void xsclient_open(struct xsclient *x, uint32_t domid)
{
    x->fd = host_stream(LINK_SERVICE_STORE, 0);
    x->domid = domid;
}

void xsclient_close(struct xsclient *x)
{
    close(x->fd);
}

static void lost(void)
{
    exit(bl_fail(
        "the host's store does not answer; bl list shows whether xs runs, bl dmesg why not"));
}

static void put(struct xsclient *x, const void *p, size_t n)
{
    while (n) {
        ssize_t done = send(x->fd, p, n, MSG_NOSIGNAL);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            lost();
        p = (const char *)p + done;
        n -= (size_t)done;
    }
}

static void get(struct xsclient *x, void *p, size_t n)
{
    while (n) {
        ssize_t done = recv(x->fd, p, n, 0);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            lost();
        p = (char *)p + done;
        n -= (size_t)done;
    }
}

/* The answer's bytes into answer, a zero behind them; its type. */
static uint32_t request(struct xsclient *x, uint32_t type, const char *path, const char *value,
                        char answer[XENSTORE_PAYLOAD_MAX + 1])
{
    char body[XENSTORE_PAYLOAD_MAX];
    int n = snprintf(body, sizeof(body), "/local/domain/%u/%s", x->domid, path) + 1;
    struct xsd_sockmsg m = {.type = type};

    m.len = (uint32_t)(n + snprintf(body + n, sizeof(body) - (size_t)n, "%s", value));
    put(x, &m, sizeof(m));
    put(x, body, type == XS_READ ? (size_t)n : m.len);
    do {
        get(x, &m, sizeof(m));
        if (m.len > XENSTORE_PAYLOAD_MAX)
            lost();
        get(x, answer, m.len);
    } while (m.type == XS_WATCH_EVENT);
    answer[m.len] = '\0';
    return m.type;
}

char *xsclient_read(struct xsclient *x, const char *path)
{
    char answer[XENSTORE_PAYLOAD_MAX + 1];

    return request(x, XS_READ, path, "", answer) == XS_READ ? strdup(answer) : NULL;
}

const char *xsclient_write(struct xsclient *x, const char *path, const char *value)
{
    static char answer[XENSTORE_PAYLOAD_MAX + 1];

    return request(x, XS_WRITE, path, value, answer) == XS_WRITE ? NULL : answer;
}

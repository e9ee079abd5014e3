/* SPDX-License-Identifier: MIT */
/* Transactions, and what concerns domains. */
#include "xs/shim/shim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER 24 /* bytes of one in decimal */

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    unsigned long id;
    size_t len;
    char *end,
        *text = shim_fetch(h, XS_TRANSACTION_START, XBT_NULL, SHIM_PARTS(SHIM_STRING("")), &len);

    if (!text)
        return XBT_NULL;
    id = strtoul(text, &end, 10);
    if (*end || (xs_transaction_t)id != id)
        id = XBT_NULL;
    free(text);
    if (id == XBT_NULL)
        errno = EINVAL;
    return (xs_transaction_t)id;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
    return shim_ask(h, XS_TRANSACTION_END, t, SHIM_PARTS(SHIM_STRING(abort ? "F" : "T")));
}

static bool ask_about(struct xs_handle *h, uint32_t type, unsigned domid)
{
    char text[NUMBER];

    snprintf(text, sizeof(text), "%u", domid);
    return shim_ask(h, type, XBT_NULL, SHIM_PARTS(SHIM_STRING(text)));
}

static char *fetch_about(struct xs_handle *h, uint32_t type, unsigned domid)
{
    char text[NUMBER];
    size_t len;

    snprintf(text, sizeof(text), "%u", domid);
    return shim_fetch(h, type, XBT_NULL, SHIM_PARTS(SHIM_STRING(text)), &len);
}

bool xs_introduce_domain(struct xs_handle *h, unsigned domid, unsigned long mfn, unsigned eventchn)
{
    char id[NUMBER], frame[NUMBER], port[NUMBER];

    snprintf(id, sizeof(id), "%u", domid);
    snprintf(frame, sizeof(frame), "%lu", mfn);
    snprintf(port, sizeof(port), "%u", eventchn);
    return shim_ask(h, XS_INTRODUCE, XBT_NULL,
                    SHIM_PARTS(SHIM_STRING(id), SHIM_STRING(frame), SHIM_STRING(port)));
}

bool xs_set_target(struct xs_handle *h, unsigned domid, unsigned target)
{
    char id[NUMBER], to[NUMBER];

    snprintf(id, sizeof(id), "%u", domid);
    snprintf(to, sizeof(to), "%u", target);
    return shim_ask(h, XS_SET_TARGET, XBT_NULL, SHIM_PARTS(SHIM_STRING(id), SHIM_STRING(to)));
}

bool xs_resume_domain(struct xs_handle *h, unsigned domid)
{
    return ask_about(h, XS_RESUME, domid);
}

bool xs_release_domain(struct xs_handle *h, unsigned domid)
{
    return ask_about(h, XS_RELEASE, domid);
}

char *xs_get_domain_path(struct xs_handle *h, unsigned domid)
{
    return fetch_about(h, XS_GET_DOMAIN_PATH, domid);
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned domid)
{
    char *answer = fetch_about(h, XS_IS_DOMAIN_INTRODUCED, domid);
    bool is = answer && !strcmp(answer, "T");

    free(answer);
    return is;
}

/* A function without effect, as in Xen's library. */
bool xs_restrict(struct xs_handle *h, unsigned domid)
{
    (void)h;
    (void)domid;
    return false;
}

char *xs_control_command(struct xs_handle *h, const char *cmd, void *data, unsigned len)
{
    size_t size;

    return shim_fetch(h, XS_CONTROL, XBT_NULL, SHIM_PARTS(SHIM_STRING(cmd), {data, len}), &size);
}

char *xs_debug_command(struct xs_handle *h, const char *cmd, void *data, unsigned len)
{
    return xs_control_command(h, cmd, data, len);
}

int xs_suspend_evtchn_port(int domid)
{
    char path[64], *value, *end;
    struct xs_handle *h = xs_open(0);
    long port = -1;

    if (!h)
        return -1;
    snprintf(path, sizeof(path), "/local/domain/%d/device/suspend/event-channel", domid);
    value = xs_read(h, XBT_NULL, path, NULL);
    if (value) {
        port = strtol(value, &end, 10);
        if (end == value || (int)port != port)
            port = -1;
    }
    free(value);
    xs_close(h);
    return (int)port;
}

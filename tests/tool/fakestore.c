/* SPDX-License-Identifier: MIT */
#include "tests/tool/fakestore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>
#include <xen/io/xs_wire.h>
#include "tests/tool/model.h"

#define NODES 64
#define GUEST 3

static struct {
    char path[128], value[128];
} nodes[NODES];

static const char *get(const char *path)
{
    for (unsigned i = 0; i < NODES; i++)
        if (!strcmp(nodes[i].path, path))
            return nodes[i].value;
    return NULL;
}

static void set(const char *path, const char *value, size_t n)
{
    unsigned i = 0;

    while (*nodes[i].path && strcmp(nodes[i].path, path))
        i++;
    snprintf(nodes[i].path, sizeof(nodes[i].path), "%s", path);
    snprintf(nodes[i].value, sizeof(nodes[i].value), "%.*s", (int)n, value);
}

void fakestore_init(void)
{
    static const char *const features[] = {"poweroff", "reboot"};
    char path[128];

    for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        snprintf(path, sizeof(path), "/local/domain/%d/control/feature-%s", GUEST, features[i]);
        set(path, "1", 1);
    }
}

/* What the guest does that has a watch there. */
static void react(const char *path)
{
    struct model_domain *d;
    unsigned domid;
    int n = 0;

    if (sscanf(path, "/local/domain/%u/control/shutdown%n", &domid, &n) != 1 || !n || path[n])
        return;
    d = model_find(domid);
    if (d && !strcmp(get(path), "poweroff"))
        model_end(d, SHUTDOWN_poweroff);
    if (d && !strcmp(get(path), "reboot"))
        model_end(d, SHUTDOWN_reboot);
}

size_t fakestore_request(const uint8_t *request, uint8_t answer[FAKESTORE_MAX])
{
    struct xsd_sockmsg m;
    const char *body = (const char *)request + sizeof(m), *text = "ENOSYS";
    size_t path;

    memcpy(&m, request, sizeof(m));
    path = strnlen(body, m.len) + 1;
    if (m.type == XS_READ)
        text = get(body) ? get(body) : "ENOENT";
    else if (m.type == XS_WRITE && path <= m.len && strstr(body, "/full/"))
        text = "EQUOTA";
    else if (m.type == XS_WRITE && path <= m.len) {
        set(body, body + path, m.len - path);
        react(body);
        text = "OK";
    }
    if (*text == 'E')
        m.type = XS_ERROR;
    m.len = (uint32_t)(strlen(text) + (m.type != XS_READ));
    memcpy(answer, &m, sizeof(m));
    memcpy(answer + sizeof(m), text, m.len);
    return sizeof(m) + m.len;
}

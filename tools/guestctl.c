/* SPDX-License-Identifier: MIT */
#include "tools/guestctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/bl.h"
#include "tools/xsclient.h"

bool guestctl_listens(const struct bh_domain_info *d, const char *what)
{
    struct xsclient x;
    char path[64], *value;
    bool yes;

    snprintf(path, sizeof(path), "control/feature-%s", what);
    xsclient_open(&x, d->domid);
    value = xsclient_read(&x, path);
    xsclient_close(&x);
    yes = value && !strcmp(value, "1");
    free(value);
    return yes;
}

int guestctl_ask(const struct bh_domain_info *d, const char *node, const char *value)
{
    struct xsclient x;
    const char *wrong;
    char path[64];

    if (d->class != BUNDLE_CLASS_GUEST)
        return bl_fail("%s: it is a domain of the host's, which is not asked", d->name);
    snprintf(path, sizeof(path), "control/%s", node);
    xsclient_open(&x, d->domid);
    wrong = xsclient_write(&x, path, value);
    xsclient_close(&x);
    return wrong ? bl_fail("%s: the store refuses it: %s", d->name, wrong) : EXIT_OK;
}

/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <xen/sched.h>
#include "tools/await.h"
#include "tools/bl.h"
#include "tools/client.h"
#include "tools/domlist.h"
#include "tools/events.h"
#include "tools/host.h"

static int run(int argc, char **argv)
{
    struct bh_control args = {.a = SHUTDOWN_reboot};
    struct bh_domain_info d;
    char running[] = "running";
    char *states[] = {running, NULL};
    int rc, events = events_open();

    (void)argc;
    if (!domlist_find(argv[0], &d))
        return EXIT_FAILED;
    if (d.class == BUNDLE_CLASS_GUEST)
        return bl_fail("%s: it is a guest; bl reboot asks it", d.name);
    args.domid = d.domid;
    rc = host_try(BH_CONTROL_shutdown, &args, NULL, 0, NULL, 0);
    if (rc == CLIENT_LOST && d.class == BUNDLE_CLASS_CTL)
        return EXIT_OK; /* who would have answered has been restarted */
    if (rc == CLIENT_LOST)
        return bl_fail("the connection to the host is lost; try again");
    if (rc)
        return host_refused(d.name, "restart it", rc);
    await(events, d.name, states, EVENTS_FOREVER, NULL);
    return EXIT_OK;
}

const struct command cmd_restart = {
    .name = "restart",
    .operands = "DOMAIN",
    .purpose = "start one of the host's own domains again; guests notice a pause",
    .least = 1,
    .most = 1,
    .run = run,
};

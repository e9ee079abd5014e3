/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdint.h>
#include <xen/sched.h>
#include "tools/await.h"
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/events.h"
#include "tools/guestctl.h"
#include "tools/units.h"

static unsigned all, waits, force;
static const char *timeout;

/* What shutdown and reboot differ in. */
struct end {
    const char *command, *what;
    uint32_t forced; /* the command that does it without asking, and its number */
    uint64_t a;
};

static int end_one(const struct end *e, const struct bh_domain_info *d)
{
    if (d->class != BUNDLE_CLASS_GUEST)
        return bl_fail("%s: it is one of the host's own domains; bl restart starts it again",
                       d->name);
    if (d->state < BH_DOMAIN_RUNNING || d->flags & BH_DOMAIN_PAUSED)
        return bl_fail("%s: it does not run and cannot hear that; bl unpause lets it", d->name);
    if (d->state > BH_DOMAIN_RUNNING)
        return bl_fail("%s: it has shut down; bl destroy ends it for good", d->name);
    if (guestctl_listens(d, e->what))
        return guestctl_ask(d, "shutdown", e->what);
    if (force)
        return domlist_do(d, e->what, e->forced, e->a, 0);
    return bl_fail("%s: it does not listen for that, or not yet; -F does it without asking",
                   d->name);
}

static int wait_one(int events, const struct bh_domain_info *d, uint64_t deadline)
{
    char shutdown[] = "shutdown", gone[] = "gone", word[16];
    char *states[] = {waits > 1 ? gone : shutdown, NULL};

    snprintf(word, sizeof(word), "%u", d->domid);
    if (await(events, word, states, deadline, NULL) == AWAIT_TIMEOUT)
        return bl_fail("%s: not in %s seconds; bl destroy does not ask", d->name, timeout);
    return EXIT_OK;
}

static int end_these(const struct end *e, const struct domlist *d, uint64_t ms)
{
    int rc = EXIT_OK, events = waits ? events_open() : -1;
    uint64_t deadline = timeout ? events_now() + ms : EVENTS_FOREVER;

    for (unsigned i = 0; i < d->n; i++) {
        struct bh_domain_info *one = &d->list[i];

        if (all && (one->class != BUNDLE_CLASS_GUEST || one->state != BH_DOMAIN_RUNNING))
            one->state = BH_DOMAIN_ZOMBIE; /* nothing to wait for */
        else if (end_one(e, one)) {
            one->state = BH_DOMAIN_ZOMBIE;
            rc = EXIT_FAILED;
        }
    }
    for (unsigned i = 0; waits && i < d->n; i++)
        if (d->list[i].state == BH_DOMAIN_RUNNING && wait_one(events, &d->list[i], deadline))
            rc = EXIT_FAILED;
    return rc;
}

static int end(const struct end *e, int argc, char **argv)
{
    struct domlist d;
    uint64_t ms = 0;
    int rc = EXIT_FAILED;

    if (!argc == !all)
        return bl_usage(e->command, "DOMAIN or -a is needed, and not both");
    if (timeout && !units_seconds(timeout, &ms))
        return bl_usage(e->command, "'%s' is no number of seconds", timeout);
    if (domlist_read(&d, argc, argv))
        rc = end_these(e, &d, ms);
    domlist_free(&d);
    return rc;
}

static int run_shutdown(int argc, char **argv)
{
    static const struct end e = {"shutdown", "poweroff", BH_CONTROL_shutdown, SHUTDOWN_poweroff};

    return end(&e, argc, argv);
}

static int run_reboot(int argc, char **argv)
{
    static const struct end e = {"reboot", "reboot", BH_CONTROL_trigger, BH_TRIGGER_RESET};

    return end(&e, argc, argv);
}

static const struct opt opts[] = {
    {'a', "all", NULL, "all guests that run", NULL, &all},
    {'w', "wait", NULL, "until it has shut down; -ww: until it has gone", NULL, &waits},
    {'t', "timeout", "SECONDS", "wait no longer than that", &timeout, NULL},
    {'F', NULL, NULL, "one that does not listen is ended without asking", NULL, &force},
    {0},
};

const struct command cmd_shutdown = {
    .name = "shutdown",
    .operands = "-a|DOMAIN...",
    .purpose = "ask domains to power off",
    .most = BL_MANY,
    .opts = opts,
    .run = run_shutdown,
};

const struct command cmd_reboot = {
    .name = "reboot",
    .operands = "-a|DOMAIN...",
    .purpose = "ask domains to reboot",
    .most = BL_MANY,
    .opts = opts,
    .run = run_reboot,
};

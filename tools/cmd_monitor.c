/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/events.h"
#include "tools/json.h"
#include "tools/units.h"

static const char *count;

static const char *state_of(const struct bh_event *e, const struct bh_domain_info *d)
{
    return e->type == BH_EVENT_GONE ? "gone" : domlist_state(d);
}

static void say(const struct bh_event *e)
{
    struct bh_domain_info d = {.domid = e->domid,
                               .state = e->state,
                               .flags = e->flags,
                               .shutdown_reason = e->shutdown_reason};
    double seconds = (double)e->time / 1e9;

    memcpy(d.name, e->name, sizeof(d.name) - 1);
    json_begin(NULL, '{');
    json_real("time", seconds);
    if (e->type == BH_EVENT_LOST) {
        json_string("event", "lost");
    } else {
        json_string("event", e->type == BH_EVENT_GONE ? "gone" : "changed");
        json_number("domid", d.domid);
        json_string("name", d.name);
        json_string("state", state_of(e, &d));
        json_string("shutdown_reason", domlist_reason(&d));
    }
    json_end();
    if (bl_json)
        return;
    if (e->type == BH_EVENT_LOST)
        printf("[%12.6f] some changes were missed; bl list says how it is\n", seconds);
    else
        printf("[%12.6f] %-24s %5u %-8s %s\n", seconds, d.name, d.domid, state_of(e, &d),
               domlist_reason(&d));
}

static int run(int argc, char **argv)
{
    uint64_t n = ~0UL;
    int events;

    (void)argc;
    (void)argv;
    if (count && !units_number(count, 1, UINT32_MAX, &n))
        return bl_usage("monitor", "'%s' is no number of events", count);
    json_one_line();
    events = events_open();
    for (; n; n--) {
        struct bh_event e;

        if (recv(events, &e, sizeof(e), MSG_WAITALL) != sizeof(e))
            return bl_fail("the connection to the host is lost; try again");
        say(&e);
        if (fflush(stdout))
            break; /* main() says why */
    }
    return EXIT_OK;
}

static const struct opt opts[] = {
    {'n', "count", "NUMBER", "so many events, then it ends", &count, NULL},
    {0},
};

const struct command cmd_monitor = {
    .name = "monitor",
    .operands = "",
    .purpose = "show changes of domains as they happen: one line, or one JSON object, each",
    .opts = opts,
    .run = run,
};

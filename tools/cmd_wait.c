/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include "tools/await.h"
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/events.h"
#include "tools/json.h"
#include "tools/units.h"

static const char *timeout;

static int parse(char **states, uint64_t *deadline)
{
    uint64_t ms;

    for (; *states; states++)
        if (!await_is_state(*states))
            return bl_usage("wait", "'%s' is no state", *states);
    if (!timeout)
        return EXIT_OK;
    if (!units_seconds(timeout, &ms))
        return bl_usage("wait", "'%s' is no number of seconds", timeout);
    *deadline = events_now() + ms;
    return EXIT_OK;
}

/* Whoever waits for an end may come too late; for all else the domain must be there. */
static bool may_be_gone(char *const *states)
{
    for (; *states; states++)
        if (!strcmp(*states, "gone") || !strcmp(*states, "shutdown"))
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    const char *state = NULL;
    struct bh_domain_info d;
    uint64_t deadline = EVENTS_FOREVER;
    int events, rc = parse(argv + 1, &deadline);

    (void)argc;
    if (rc)
        return rc;
    events = events_open();
    if (!may_be_gone(argv + 1) && !domlist_find(argv[0], &d))
        return EXIT_FAILED;
    switch (await(events, argv[0], argv + 1, deadline, &state)) {
    case AWAIT_TIMEOUT:
        return bl_fail("%s: not in %s seconds; bl list shows how it is", argv[0], timeout);
    case AWAIT_NEVER:
        return bl_fail("%s: it has gone", argv[0]);
    case AWAIT_REACHED:
        break;
    }
    json_begin(NULL, '{');
    json_string("domain", argv[0]);
    json_string("state", state);
    json_end();
    if (!bl_json)
        puts(state);
    return EXIT_OK;
}

static const struct opt opts[] = {
    {'t', "timeout", "SECONDS", "no longer than that", &timeout, NULL},
    {0},
};

const struct command cmd_wait = {
    .name = "wait",
    .operands = "DOMAIN STATE...",
    .purpose = "wait until a domain is in one of these states",
    .least = 2,
    .most = BL_MANY,
    .opts = opts,
    .details =
        "STATE: building, loading, ready, running, paused, shutdown (any end), crashed, zombie\n"
        "or gone. A domain that is named may go and come again.",
    .run = run,
};

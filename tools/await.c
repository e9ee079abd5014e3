/* SPDX-License-Identifier: MIT */
#include "tools/await.h"

#include <ctype.h>
#include <string.h>
#include "tools/domlist.h"
#include "tools/events.h"

static const char *const names[] = {"building", "loading", "ready",  "running", "paused",
                                    "shutdown", "crashed", "zombie", "gone"};

bool await_is_state(const char *state)
{
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i], state))
            return true;
    return false;
}

/* now: its state; d: NULL when it has gone. */
static bool matches(const char *now, const char *state, const struct bh_domain_info *d)
{
    return !strcmp(now, state) ||
           (!strcmp(state, "shutdown") && (!d || d->state >= BH_DOMAIN_SHUTDOWN));
}

enum await await(int events, const char *word, char *const *states, uint64_t deadline,
                 const char **state)
{
    struct bh_domain_info d;

    do {
        bool there = domlist_look(word, &d);
        const char *now = there ? domlist_state(&d) : "gone";

        for (unsigned i = 0; states[i]; i++)
            if (matches(now, states[i], there ? &d : NULL)) {
                if (state)
                    *state = now;
                return AWAIT_REACHED;
            }
        if (!there && isdigit((unsigned char)*word))
            return AWAIT_NEVER;
    } while (events_wait(events, deadline));
    return AWAIT_TIMEOUT;
}

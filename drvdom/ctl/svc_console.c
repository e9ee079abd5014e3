/* SPDX-License-Identifier: MIT */
/* Service CONSOLE: what a domain writes, from what is kept of it on; what is typed goes to it. */
#include <xen/errno.h>
#include "drvdom/ctl/consoles.h"
#include "drvdom/ctl/held.h"
#include "drvdom/ctl/services.h"
#include "hyp/lib/format.h"

#define TYPED      256U /* bytes that wait for a domain which does not read */
#define NOTICE_MAX 80U

static struct session {
    struct channel *c; /* NULL: free */
    struct viewer view;
    struct held typed;
    uint8_t bytes[TYPED];
} sessions[LINK_CHANNELS];

static int console_open(struct channel *c, uint32_t *credit, const char **why)
{
    struct console *console = consoles_find(c->argument);
    struct session *s = SESSION_FREE(sessions); /* there are as many as channels */

    *why = "this domain has no console";
    if (!console)
        return -XEN_ENOENT;
    *s = (struct session){.c = c, .typed = {s->bytes, 0, TYPED}};
    viewer_attach(&s->view, console, true);
    c->user = s;
    *credit = TYPED;
    mux_ready(c);
    return 0;
}

static void console_end(struct channel *c)
{
    struct session *s = c->user;

    viewer_detach(&s->view);
    s->c = NULL;
}

/* What is typed goes in as the domain takes it, and only then may more come. */
static void type(struct session *s)
{
    size_t n = console_type(s->view.of, (const char *)s->bytes, s->typed.n);

    held_drop(&s->typed, s->c, n);
}

static void console_received(struct channel *c, const uint8_t *bytes, size_t n)
{
    struct session *s = c->user;

    held_add(&s->typed, bytes, n);
    type(s);
}

static size_t console_send(struct channel *c, uint8_t *bytes, size_t max)
{
    struct session *s = c->user;
    uint64_t lost;

    if (viewer_at_end(&s->view)) {
        services_close(c);
        return 0;
    }
    lost = viewer_lost(&s->view);
    if (lost && max > NOTICE_MAX)
        return (size_t)format((char *)bytes, max,
                              "\r\n-- bulkhead: %lu bytes of output lost --\r\n", lost);
    return viewer_read(&s->view, (char *)bytes, max);
}

void svc_console_serve(void)
{
    for (struct session *s = sessions; s < sessions + LINK_CHANNELS; s++) {
        if (!s->c)
            continue;
        if (s->typed.n && s->view.of->mapped)
            type(s);
        if (s->view.at != s->view.of->end || viewer_at_end(&s->view))
            mux_ready(s->c);
    }
}

const struct service svc_console = {console_open, console_received, console_send, console_end};

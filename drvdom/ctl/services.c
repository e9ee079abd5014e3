/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/services.h"

#include <xen/errno.h>
#include "drvdom/ctl/screen.h"
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"

#define SILENCE_NS 30000000000UL /* bl asks for a sign of life more often */

static const struct service *const services[LINK_SERVICES] = {
    [LINK_SERVICE_CONTROL] = &svc_control,
    [LINK_SERVICE_STORE] = &svc_store,
    [LINK_SERVICE_CONSOLE] = &svc_console,
    [LINK_SERVICE_EVENTS] = &svc_events,
};

static uint64_t since;
static struct mux mux;
static struct channel *open_channels[LINK_CHANNELS];

static const struct service *service_of(const struct channel *c)
{
    return services[c->service];
}

static void up(struct mux *m)
{
    (void)m;
    screen_off();
}

static void down(struct mux *m, enum arq_end why)
{
    (void)m;
    (void)why;
    for (unsigned i = 0; i < LINK_CHANNELS; i++) {
        struct channel *c = open_channels[i];

        open_channels[i] = NULL;
        if (c)
            service_of(c)->end(c);
    }
    screen_on();
}

static int open(struct channel *c, uint32_t *credit, const char **why)
{
    int rc;

    *why = "there is no such service";
    if (c->service >= LINK_SERVICES)
        return -XEN_ENOSYS;
    rc = service_of(c)->open(c, credit, why);
    if (!rc)
        open_channels[c - mux.channels] = c;
    return rc;
}

static void received(struct channel *c, const uint8_t *bytes, size_t n)
{
    service_of(c)->received(c, bytes, n);
}

static size_t send(struct channel *c, uint8_t *bytes, size_t max)
{
    return service_of(c)->send(c, bytes, max);
}

static void closed(struct channel *c)
{
    open_channels[c - mux.channels] = NULL;
    service_of(c)->end(c);
}

static const struct mux_owner owner = {
    .up = up, .down = down, .open = open, .received = received, .send = send, .closed = closed};

void *services_free(void *table, size_t n, size_t size)
{
    for (char *session = table; n--; session += size)
        if (!*(void **)(void *)session)
            return session;
    return NULL;
}

void services_init(void)
{
    since = rt_now(); /* no two lives begin at once: the line knows by it that this is another */
    mux_init(&mux, &owner, true, SILENCE_NS, (uint32_t)(since ^ since >> 32));
}

uint64_t services_since(void)
{
    return since;
}

void services_close(struct channel *c)
{
    closed(c);
    mux_close(c);
}

void services_input(const uint8_t *bytes, size_t n, uint64_t now)
{
    for (size_t i = 0; i < n; i++)
        if (!bytes[i] || services_up() || arq_in_frame(&mux.arq, now))
            arq_receive(&mux.arq, bytes + i, 1, now);
        else
            screen_input((char)bytes[i]);
}

bool services_serve(void)
{
    uint8_t bytes[512];
    bool moved = false;
    size_t n;

    svc_console_serve();
    svc_store_serve();
    if (rt_now() >= arq_deadline(&mux.arq))
        arq_tick(&mux.arq, rt_now());
    while (terminal_room() > sizeof(bytes) &&
           (n = arq_take(&mux.arq, bytes, sizeof(bytes), rt_now()))) {
        terminal_write((const char *)bytes, n, false);
        moved = true;
    }
    return moved;
}

uint64_t services_due(void)
{
    return arq_deadline(&mux.arq);
}

bool services_up(void)
{
    return mux.arq.state == ARQ_UP;
}

unsigned services_channels(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LINK_CHANNELS; i++)
        n += open_channels[i] != NULL;
    return n;
}

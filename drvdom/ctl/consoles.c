/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/consoles.h"

#include <xen/grant_table.h>
#include "guestdrv/rt/rt.h"
#include "hyp/lib/string.h"

#define UNLOGGED_MAX BH_LOG_MAX   /* bytes of a ring that may wait for the end of a line */
#define PATIENCE_NS  2000000000UL /* a viewer that takes nothing for so long is not waited for */
#define TURN         64U          /* bytes of a domain, before it is the next one's turn */

struct console *consoles;

static void release(struct console *c)
{
    lane_release(&c->ring.out, c->unlogged);
    c->unlogged = 0;
}

static void log_flush(struct console *c)
{
    struct bh_control arg = {
        .domid = c->domid, .buffer = (uint64_t)c->line.text, .size = c->line.len};

    if (HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_log, &arg))
        rt_print("ctl: a line of %s was refused\n", c->name);
    line_clear(&c->line);
    release(c);
}

/* How much the viewers let c write. */
static uint64_t room_for(const struct console *c)
{
    uint64_t room = CONSOLE_HISTORY, now = rt_now();

    for (const struct viewer *v = c->viewers; v; v = v->next)
        if (now - v->moved < PATIENCE_NS && c->end - v->at <= CONSOLE_HISTORY)
            room = MIN(room, CONSOLE_HISTORY - (c->end - v->at));
    return room;
}

static char *history_at(struct console *c, uint64_t at)
{
    at %= CONSOLE_HISTORY;
    return &c->history[at / 4096][at % 4096];
}

static void add(struct console *c, char byte)
{
    *history_at(c, c->end++) = byte;
    c->unlogged++;
    if (line_add(&c->line, byte) || c->unlogged == UNLOGGED_MAX)
        log_flush(c);
    else if (!c->line.len)
        release(c);
}

/* What the domain knows that we have read. */
static uint32_t given_back(const struct console *c)
{
    return c->ring.out.at - c->ring.out.kept;
}

/* A turn of c, each byte of which may be a line. It is told of room, if there is more, when we have
 * read all; Linux takes its time over the next event when one told it nothing new. */
static bool drain(struct console *c)
{
    uint32_t before = given_back(c);
    char buf[TURN];
    size_t n = lane_look(&c->ring.out, buf, MIN(room_for(c), sizeof(buf)));

    for (size_t i = 0; i < n; i++)
        add(c, buf[i]);
    c->untold |= given_back(c) != before;
    if (c->untold && !lane_waits(&c->ring.out)) {
        c->untold = false;
        rt_notify(c->port);
    }
    return n;
}

static void free_console(struct console *c)
{
    for (unsigned i = 0; i < CONSOLE_PAGES; i++)
        if (c->history[i])
            rt_page_free(c->history[i]);
    rt_page_free(c);
}

static struct console *alloc_console(const struct bh_domain_info *d)
{
    struct console *c = rt_page_alloc();

    for (unsigned i = 0; c && i < CONSOLE_PAGES; i++) {
        c->history[i] = rt_page_alloc();
        if (!c->history[i]) {
            free_console(c);
            c = NULL;
        }
    }
    if (!c)
        rt_print("ctl: out of memory for the console of %s\n", d->name);
    return c;
}

/* Binds and maps: false when the domain does not let us, or has gone meanwhile. */
static bool open_ring(struct console *c, const struct bh_domain_info *d)
{
    int status, port = rt_bind_interdomain((uint16_t)d->domid, d->console_port);
    struct xencons_interface *page;

    if (port < 0)
        return false;
    page = rt_grant_map((uint16_t)d->domid, GNTTAB_RESERVED_CONSOLE, &c->handle, &status);
    if (!page) {
        rt_print("ctl: console ring of %s: grant status %d\n", d->name, status);
        rt_close((uint32_t)port);
        return false;
    }
    conring_init(&c->ring, page);
    c->port = (uint32_t)port;
    c->mapped = true;
    rt_notify(c->port); /* who was here before us may have died before he did */
    return true;
}

static struct console *console_add(const struct bh_domain_info *d)
{
    struct console **at = &consoles, *c = alloc_console(d);

    if (!c)
        return NULL;
    if (!open_ring(c, d)) {
        free_console(c);
        return NULL;
    }
    c->domid = d->domid;
    memcpy(c->name, d->name, sizeof(c->name));
    c->name[sizeof(c->name) - 1] = 0;
    while (*at)
        at = &(*at)->next;
    *at = c;
    return c;
}

/* The domain has gone, and its last words are out of the ring. */
static void close_ring(struct console *c)
{
    if (c->line.len)
        log_flush(c);
    rt_close(c->port);
    rt_grant_unmap(c->ring.page, c->handle);
    c->mapped = false;
}

static void forget(struct console *c)
{
    struct console **at = &consoles;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    free_console(c);
}

struct console *consoles_find(uint32_t domid)
{
    struct console *dead = NULL;

    for (struct console *c = consoles; c; c = c->next) {
        if (c->domid == domid && c->mapped)
            return c;
        if (c->domid == domid)
            dead = c;
    }
    return dead;
}

void consoles_scan_begin(void)
{
    for (struct console *c = consoles; c; c = c->next)
        c->seen = false;
}

struct console *consoles_scan(const struct bh_domain_info *d)
{
    struct console *c = consoles_find(d->domid);
    bool new = false;

    if ((!c || !c->mapped) && d->console_port && d->state >= BH_DOMAIN_READY &&
        d->state <= BH_DOMAIN_SHUTDOWN) {
        c = console_add(d);
        new = c;
    }
    if (c && c->mapped) {
        c->seen = d->state != BH_DOMAIN_ZOMBIE;
        memcpy(c->name, d->name, sizeof(c->name) - 1);
    }
    return new ? c : NULL;
}

void consoles_scan_end(void)
{
    consoles_serve();
}

bool consoles_serve(void)
{
    struct console *c, *next;
    bool moved = false;

    for (c = consoles; c; c = next) {
        next = c->next;
        if (c->mapped)
            moved |= drain(c);
        if (c->mapped && !c->seen && !lane_waits(&c->ring.out))
            close_ring(c);
        if (!c->mapped && !c->viewers)
            forget(c);
    }
    return moved;
}

bool consoles_wait(void)
{
    for (const struct console *c = consoles; c; c = c->next)
        if (c->mapped && lane_waits(&c->ring.out))
            return true;
    return false;
}

size_t console_type(struct console *c, const char *bytes, size_t n)
{
    size_t done = c->mapped ? lane_write(&c->ring.in, bytes, n) : 0;

    if (done)
        rt_notify(c->port);
    return done;
}

void viewer_attach(struct viewer *v, struct console *c, bool history)
{
    *v = (struct viewer){.next = c->viewers, .of = c, .at = c->end, .moved = rt_now()};
    if (history)
        v->at -= MIN(c->end, CONSOLE_HISTORY);
    c->viewers = v;
}

void viewer_detach(struct viewer *v)
{
    struct viewer **at;

    if (!v->of)
        return;
    at = &v->of->viewers;
    while (*at != v)
        at = &(*at)->next;
    *at = v->next;
    v->of = NULL;
}

uint64_t viewer_lost(struct viewer *v)
{
    uint64_t have = v->of->end - v->at, lost = have > CONSOLE_HISTORY ? have - CONSOLE_HISTORY : 0;

    v->at += lost;
    return lost;
}

size_t viewer_read(struct viewer *v, char *bytes, size_t n)
{
    n = MIN(n, v->of->end - v->at);
    for (size_t i = 0; i < n; i++)
        bytes[i] = *history_at(v->of, v->at + i);
    v->at += n;
    if (n || v->at == v->of->end)
        v->moved = rt_now();
    return n;
}

bool viewer_at_end(const struct viewer *v)
{
    return !v->of->mapped && v->at == v->of->end;
}

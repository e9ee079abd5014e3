/* SPDX-License-Identifier: MIT */
/*
 * The control domain, as console backend: maps every domain's console ring by grant 0, sends each
 * line to the host log, and gives the terminal to one domain at a time.
 */
#include "drvdom/ctl/conring.h"
#include "drvdom/ctl/keys.h"
#include "drvdom/ctl/line.h"
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"

#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/sched.h>
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define POLL_NS      10000000UL /* while output waits: not every UART interrupts reliably */
#define NOTICE_NS    1000000000UL
#define TERMINAL_IRQ 3

struct console {
    struct console *next;
    struct conring ring;
    struct line line;
    uint32_t domid, port, handle;
    bool seen, gone; /* seen in this scan; gone: only its last words remain */
    char name[64];
};
_Static_assert(sizeof(struct console) <= 4096, "a console is a page");

static struct console *consoles; /* by domain number */
static struct console *attached;
static char wanted[64]; /* name of the domain that the terminal returns to after a reboot */
static struct keys keys;
static uint32_t virq_port;
static uint64_t next_notice;

static void notice(const char *fmt, ...) __printf(1, 2);
static void notice(const char *fmt, ...)
{
    char text[160];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = format_v(text, sizeof(text), fmt, ap);
    va_end(ap);
    terminal_write("\n-- bulkhead: ", 14, true);
    terminal_write(text, (size_t)MIN(n, (int)sizeof(text) - 1), true);
    terminal_write(" --\n", 4, true);
}

static void attach(struct console *c)
{
    attached = c;
    if (!wanted[0])
        memcpy(wanted, c->name, sizeof(wanted));
    notice("console of %s (Ctrl-] ? for keys)", c->name);
}

/* By a key. */
static void choose(struct console *c)
{
    if (!c)
        return;
    memcpy(wanted, c->name, sizeof(wanted));
    attach(c);
}

static void log_flush(struct console *c)
{
    struct bh_control arg = {
        .domid = c->domid, .buffer = (uint64_t)c->line.text, .size = c->line.len};

    if (HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_log, &arg))
        rt_print("ctl: a line of %s was refused\n", c->name);
    line_clear(&c->line);
}

/* How much of c's output can go on now. Cooked, a newline takes the terminal two bytes. */
static size_t room_for(const struct console *c)
{
    return c == attached ? terminal_room() / 2 : SIZE_MAX;
}

/* Moves what c wrote to the log and, if attached, to the terminal; true when anything moved. */
static bool drain(struct console *c)
{
    char buf[256];
    bool moved = false;

    for (;;) {
        size_t n = conring_read(&c->ring, buf, MIN(room_for(c), sizeof(buf)));

        if (!n)
            break;
        moved = true;
        if (c == attached)
            terminal_write(buf, n, false);
        for (size_t i = 0; i < n; i++)
            if (line_add(&c->line, buf[i]))
                log_flush(c);
    }
    if (moved && !c->gone)
        rt_notify(c->port);
    return moved;
}

static void console_add(const struct bh_domain_info *d)
{
    struct console **at = &consoles, *c;
    struct xencons_interface *page;
    int status, port;

    port = rt_bind_interdomain((uint16_t)d->domid, d->console_port);
    if (port < 0)
        return; /* it died meanwhile */
    c = rt_page_alloc();
    if (!c)
        rt_panic("ctl: out of memory for the console of %s", d->name);
    page = rt_grant_map((uint16_t)d->domid, GNTTAB_RESERVED_CONSOLE, &c->handle, &status);
    if (!page) {
        rt_print("ctl: console ring of %s: grant status %d\n", d->name, status);
        rt_close((uint32_t)port);
        rt_page_free(c);
        return;
    }
    conring_init(&c->ring, page);
    c->domid = d->domid;
    c->port = (uint32_t)port;
    memcpy(c->name, d->name, sizeof(c->name));
    c->name[sizeof(c->name) - 1] = 0;
    while (*at)
        at = &(*at)->next;
    *at = c;
    if (!attached || !strcmp(c->name, wanted))
        attach(c);
    drain(c);
}

/* A dead domain's last words are out: let go of its ring. False: the terminal is still full. */
static bool console_remove(struct console *c)
{
    struct console **at = &consoles;

    c->gone = true;
    drain(c);
    if (!room_for(c) && c->ring.page->out_prod != c->ring.out_cons)
        return false;
    if (c->line.len)
        log_flush(c);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    rt_close(c->port);
    rt_grant_unmap(c->ring.page, c->handle);
    if (attached == c)
        attached = NULL;
    rt_page_free(c);
    return true;
}

static struct console *find(uint32_t domid)
{
    struct console *c = consoles;

    while (c && c->domid != domid)
        c = c->next;
    return c;
}

/* The domain with the lowest number from domid on; false: there is none. */
static bool next_domain(uint32_t domid, struct bh_domain_info *d)
{
    struct bh_control arg = {.domid = domid, .buffer = (uint64_t)d, .size = sizeof(*d)};

    return !HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_next, &arg);
}

/* Compares the hypervisor's list of domains with ours. */
static void scan(void)
{
    struct bh_domain_info d = {.domid = 0};
    struct console *c, *next;

    for (c = consoles; c; c = c->next)
        c->seen = false;
    for (; next_domain(d.domid, &d); d.domid++) {
        bool dead = d.state == BH_DOMAIN_ZOMBIE;

        c = find(d.domid);
        if (c)
            c->seen = !dead;
        else if (d.console_port && d.state == BH_DOMAIN_RUNNING)
            console_add(&d);
        if (!c && (c = find(d.domid)))
            c->seen = true;
    }
    for (c = consoles; c; c = next) {
        next = c->next;
        if (!c->seen)
            console_remove(c);
    }
}

static void list(void)
{
    if (!consoles)
        notice("no console");
    for (struct console *c = consoles; c; c = c->next)
        notice("%c %u %s", c == attached ? '*' : ' ', c->domid, c->name);
}

static void type(char c)
{
    if (attached && !attached->gone && conring_write(&attached->ring, &c, 1)) {
        rt_notify(attached->port);
        memcpy(wanted, attached->name, sizeof(wanted));
    } else if (rt_now() >= next_notice) {
        next_notice = rt_now() + NOTICE_NS;
        notice(attached ? "%s does not listen: input dropped" : "no console%s: input dropped",
               attached ? attached->name : "");
    }
}

static struct console *previous(void)
{
    struct console *c = consoles;

    while (c && c->next && c->next != attached)
        c = c->next;
    return c;
}

static void input(char byte)
{
    char arg;
    struct console *c;

    switch (keys_input(&keys, byte, &arg)) {
    case KEY_NONE:
        break;
    case KEY_TYPE:
        type(arg);
        break;
    case KEY_NEXT:
        choose(attached && attached->next ? attached->next : consoles);
        break;
    case KEY_PREVIOUS:
        choose(previous());
        break;
    case KEY_SELECT:
        c = find((uint32_t)arg);
        if (c)
            choose(c);
        else
            notice("no domain %d", arg);
        break;
    case KEY_LIST:
        list();
        break;
    case KEY_HELP:
        notice("Ctrl-] then: n next, p previous, 0-9 domain number, l list, Ctrl-] itself");
        break;
    }
}

static void serve(void)
{
    struct console *c, *next;
    int byte;

    for (c = consoles; c; c = next) {
        next = c->next;
        if (c->gone)
            console_remove(c);
        else
            drain(c);
    }
    if (!attached && consoles)
        attach(consoles);
    while ((byte = terminal_read()) >= 0)
        input((char)byte);
    if (terminal_pump())
        rt_set_timer(rt_now() + POLL_NS, serve);
}

static void init(void)
{
    int port = rt_bind_virq(VIRQ_DOM_EXC);

    if (port < 0)
        rt_panic("ctl: VIRQ_DOM_EXC: error %d", port);
    virq_port = (uint32_t)port;
    if (terminal_init()) {
        port = rt_bind_pirq(TERMINAL_IRQ);
        if (port < 0)
            rt_panic("ctl: IRQ %d: error %d", TERMINAL_IRQ, port);
    } else {
        rt_print("ctl: no second serial port: consoles go to the host log only\n");
    }
    scan();
    serve();
}

static void notified(uint32_t port)
{
    if (port == virq_port)
        scan();
    serve();
}

const struct component component = {COMPONENT_MAGIC, init, notified};

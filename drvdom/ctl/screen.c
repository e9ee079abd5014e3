/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/screen.h"

#include "drvdom/ctl/keys.h"
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define NOTICE_NS   1000000000UL
#define NOTICE_ROOM 200U /* bytes of the terminal's, for a notice */

static struct viewer view;
static char wanted[64]; /* name of the domain that the terminal returns to after a reboot */
static struct keys keys;
static uint64_t next_notice;
static bool off;

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
    viewer_detach(&view);
    viewer_attach(&view, c, false);
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

void screen_offer(struct console *c)
{
    if (!off && (!view.of || !strcmp(c->name, wanted)))
        attach(c);
}

static void list(void)
{
    if (!consoles)
        notice("no console");
    for (struct console *c = consoles; c; c = c->next)
        notice("%c %u %s", c == view.of ? '*' : ' ', c->domid, c->name);
}

static void type(char c)
{
    if (view.of && console_type(view.of, &c, 1)) {
        memcpy(wanted, view.of->name, sizeof(wanted));
    } else if (rt_now() >= next_notice) {
        next_notice = rt_now() + NOTICE_NS;
        notice(view.of ? "%s does not listen: input dropped" : "no console%s: input dropped",
               view.of ? view.of->name : "");
    }
}

static struct console *previous(void)
{
    struct console *c = consoles;

    while (c && c->next && c->next != view.of)
        c = c->next;
    return c;
}

void screen_input(char byte)
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
        choose(view.of && view.of->next ? view.of->next : consoles);
        break;
    case KEY_PREVIOUS:
        choose(previous());
        break;
    case KEY_SELECT:
        c = consoles_find((uint32_t)arg);
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

/* Cooked, a newline takes the terminal two bytes. */
static bool show(void)
{
    char buf[256];
    uint64_t lost;
    bool moved = false;
    size_t n;

    while (view.of && (n = MIN(terminal_room() / 2, sizeof(buf)))) {
        if (view.of->end - view.at > CONSOLE_HISTORY && n < NOTICE_ROOM / 2)
            break;
        lost = viewer_lost(&view);
        if (lost)
            notice("%lu bytes of output lost", lost);
        n = viewer_read(&view, buf, n);
        if (!n)
            break;
        terminal_write(buf, n, false);
        moved = true;
    }
    return moved;
}

bool screen_serve(void)
{
    bool moved;

    if (off)
        return false;
    moved = show();
    if (view.of && viewer_at_end(&view)) {
        viewer_detach(&view);
        moved = true;
    }
    if (!view.of && consoles && consoles->mapped)
        attach(consoles);
    return moved;
}

void screen_off(void)
{
    off = true;
    viewer_detach(&view);
}

void screen_on(void)
{
    struct console *c = consoles;

    off = false;
    while (c && strcmp(c->name, wanted))
        c = c->next;
    if (c || consoles)
        attach(c ? c : consoles);
}

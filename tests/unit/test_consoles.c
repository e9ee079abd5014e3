/* SPDX-License-Identifier: MIT */
/* The control domain's list of consoles: the real one, on a runtime and a terminal that are fakes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include "drvdom/ctl/consoles.h"
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"
#include "hyp/abi/control.h"
#include "tests/unit/check_main.h"

#define DOMAINS   4U
#define CAPACITY  4096U /* of the terminal */
#define TEXT      65536U
#define VIRQ_PORT 1
#define PORTS     10U /* domain n's console is at port 10 + n here, 20 + n there */
#define STEPS     2000U
#define PAGES     5 /* of each console: itself and its history */

static struct {
    bool there, refuses; /* it grants nothing */
    bool endless;        /* has a line for each byte that there is room for */
    const char *name;
    struct xencons_interface ring;
    int bound, mapped;
    unsigned notified;
    enum bh_domain_state state;
    uint32_t flags;
    char log[TEXT];
} domains[DOMAINS];

static size_t room; /* what the terminal takes */
static char shown[TEXT];
static const char *typed;
static bool interrupts = true;
static int pages;
static void (*tick)(void);
static uint64_t due;               /* of the tick */
static uint64_t step = 1000000000; /* ns from one look at the clock to the next */

/* --- the runtime --- */

static long control_next(struct bh_control *arg)
{
    struct bh_domain_info *d = (void *)arg->buffer;

    while (arg->domid < DOMAINS && !domains[arg->domid].there)
        arg->domid++;
    if (arg->domid >= DOMAINS)
        return -XEN_ENOENT;
    *d = (struct bh_domain_info){.domid = arg->domid,
                                 .state = domains[arg->domid].state,
                                 .flags = domains[arg->domid].flags,
                                 .console_port = 2 * PORTS + arg->domid};
    strncpy(d->name, domains[arg->domid].name, sizeof(d->name));
    return 0;
}

static long control_log(const struct bh_control *arg)
{
    strncat(domains[arg->domid].log, (const char *)arg->buffer, arg->size);
    strcat(domains[arg->domid].log, "\n");
    return 0;
}

long rt_hypercall(unsigned nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a3, (void)a4, (void)a5;
    ck_assert_uint_eq(nr, BH_HYPERVISOR_control);
    if (a1 == BH_CONTROL_next)
        return control_next((struct bh_control *)a2);
    if (a1 == BH_CONTROL_unpause) {
        domains[((struct bh_control *)a2)->domid].state = BH_DOMAIN_RUNNING;
        return 0;
    }
    ck_assert_uint_eq(a1, BH_CONTROL_log);
    return control_log((const struct bh_control *)a2);
}

/* This host has no store. */
uint64_t rt_param(uint32_t index)
{
    (void)index;
    return 0;
}

uint16_t rt_domid(void)
{
    return 1;
}

int rt_peer(uint32_t port, bool *bound)
{
    (void)port;
    *bound = false;
    return -XEN_EINVAL;
}

int rt_alloc_unbound(uint16_t domid)
{
    (void)domid;
    return -XEN_ENOSPC;
}

uint32_t rt_grant(uint16_t domid, void *page)
{
    (void)domid, (void)page;
    return 0;
}

bool rt_grant_end(uint32_t ref)
{
    return ref;
}

void rt_print(const char *fmt, ...)
{
    (void)fmt;
}

void rt_panic(const char *fmt, ...)
{
    ck_abort_msg("panic: %s", fmt);
}

void *rt_page_alloc(void)
{
    pages++;
    return calloc(1, 4096);
}

void rt_page_free(void *page)
{
    pages--;
    free(page);
}

uint64_t rt_memory_free(void)
{
    return (1000 - (uint64_t)pages) * 4096UL;
}

int rt_bind_interdomain(uint16_t domid, uint32_t port)
{
    ck_assert_uint_eq(port, 2 * PORTS + domid);
    domains[domid].bound++;
    return (int)PORTS + domid;
}

int rt_bind_virq(unsigned virq)
{
    ck_assert_uint_eq(virq, VIRQ_DOM_EXC);
    return VIRQ_PORT;
}

int rt_bind_pirq(unsigned pirq)
{
    return (int)pirq;
}

static void refill(uint32_t id)
{
    struct xencons_interface *r = &domains[id].ring;

    while (r->out_prod - r->out_cons < sizeof(r->out))
        r->out[MASK_XENCONS_IDX(r->out_prod++, r->out)] = '\n';
}

void rt_notify(uint32_t port)
{
    ck_assert_int_eq(domains[port - PORTS].bound, 1);
    domains[port - PORTS].notified++;
    if (domains[port - PORTS].endless)
        refill(port - PORTS);
}

void rt_unmask(uint32_t port)
{
    (void)port;
}

void rt_close(uint32_t port)
{
    domains[port - PORTS].bound--;
}

uint64_t rt_now(void)
{
    static uint64_t now;

    return now += step;
}

void rt_set_timer(uint64_t when, void (*fn)(void))
{
    due = when;
    tick = fn;
}

void *rt_grant_map(uint16_t domid, uint32_t ref, uint32_t *handle, int *status)
{
    ck_assert_uint_eq(ref, GNTTAB_RESERVED_CONSOLE);
    *handle = domid;
    *status = GNTST_bad_domain;
    if (domains[domid].refuses)
        return NULL;
    domains[domid].mapped++;
    return &domains[domid].ring;
}

void rt_grant_unmap(void *page, uint32_t handle)
{
    ck_assert_ptr_eq(page, &domains[handle].ring);
    domains[handle].mapped--;
}

/* --- the terminal --- */

bool terminal_init(void)
{
    return true;
}

size_t terminal_room(void)
{
    return room;
}

size_t terminal_write(const char *text, size_t n, bool cooked)
{
    size_t done = 0;

    (void)cooked;
    for (; done < n && room >= 2; done++, room--)
        strncat(shown, &text[done], 1);
    return done;
}

bool terminal_pump(void)
{
    return room < CAPACITY;
}

size_t terminal_read(uint8_t *bytes, size_t n)
{
    size_t done = 0;

    while (*typed && done < n)
        bytes[done++] = (uint8_t)*typed++;
    return done;
}

void terminal_interrupts(bool on)
{
    interrupts = on;
}

/* --- what happens --- */

static void run_tick(void)
{
    void (*fn)(void) = tick;

    tick = NULL;
    ck_assert_ptr_nonnull(fn);
    fn();
}

/* An event, and all that is to be done at once. */
static void event(uint32_t port)
{
    component.notified(port);
    while (tick && !due)
        run_tick();
}

static void domains_changed(void)
{
    event(VIRQ_PORT);
}

static void birth_in(uint32_t id, const char *name, enum bh_domain_state state, uint32_t flags)
{
    domains[id].there = true;
    domains[id].name = name;
    domains[id].state = state;
    domains[id].flags = flags;
    domains_changed();
}

static void birth(uint32_t id, const char *name)
{
    birth_in(id, name, BH_DOMAIN_RUNNING, 0);
}

static void death(uint32_t id)
{
    domains[id].there = false;
    domains_changed();
}

static void say(uint32_t id, const char *text)
{
    struct xencons_interface *r = &domains[id].ring;

    for (; *text; text++)
        r->out[MASK_XENCONS_IDX(r->out_prod++, r->out)] = *text;
    if (domains[id].bound)
        event(PORTS + id);
}

static void type(const char *text)
{
    typed = text;
    event(PORTS);
}

/* The terminal sends a byte, and the time has come to look again. */
static void send_one(void)
{
    room++;
    run_tick();
}

static void start(void)
{
    room = CAPACITY;
    typed = "";
    component.init();
}

static bool let_go(uint32_t id)
{
    return !domains[id].bound && !domains[id].mapped;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

/* What a dead domain wrote is shown to its end, however little the terminal takes at a time. */
START_TEST(last_words)
{
    static const char words[] = "one\ntwo\n\n\nthree\nand four";

    start();
    birth(1, "dying");
    room = (size_t)_i;
    say(1, words);
    death(1);
    ck_assert(let_go(1));
    for (unsigned i = 0; !ends_with(shown, words); i++) {
        ck_assert_uint_lt(i, STEPS);
        ck_assert_int_eq(pages, PAGES);
        send_one();
    }
    ck_assert_str_eq(domains[1].log, "one\ntwo\n\n\nthree\nand four\n");
    ck_assert_int_eq(pages, 0);
}
END_TEST

/* Who does not have the terminal need not wait for it. */
START_TEST(words_for_the_log)
{
    start();
    birth(1, "first");
    birth(2, "second");
    room = 0;
    say(1, "held back\n");
    say(2, "last words");
    death(2);
    ck_assert(let_go(2));
    ck_assert_str_eq(domains[2].log, "last words\n");
    ck_assert_str_eq(domains[1].log, "held back\n");
    ck_assert_int_eq(pages, PAGES);
}
END_TEST

static char heard_by(uint32_t id)
{
    struct xencons_interface *r = &domains[id].ring;

    return r->in_cons == r->in_prod ? 0 : r->in[MASK_XENCONS_IDX(r->in_cons++, r->in)];
}

START_TEST(keys)
{
    static const struct {
        const char *typed;
        uint32_t listener;
    } steps[] = {{"a", 1},      {"\035nb", 2}, {"\035nc", 3}, {"\035nd", 1}, {"\035pe", 3},
                 {"\035pf", 2}, {"\0351g", 1}, {"\0350h", 1}, {"\0353i", 3}};

    start();
    birth(1, "one");
    birth(2, "two");
    birth(3, "three");
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        type(steps[i].typed);
        for (uint32_t d = 1; d < DOMAINS; d++)
            ck_assert_int_eq(heard_by(d), d == steps[i].listener
                                              ? steps[i].typed[strlen(steps[i].typed) - 1]
                                              : 0);
    }
}
END_TEST

/* The terminal goes to another domain, whether the dead one's words went out at once or later. */
START_TEST(terminal_passes_on)
{
    start();
    birth(1, "dying");
    birth(2, "other");
    if (_i)
        room = 0;
    say(1, "last words");
    death(1);
    room = CAPACITY;
    component.notified(PORTS);
    ck_assert(let_go(1));
    type("x");
    ck_assert_int_eq(heard_by(2), 'x');
}
END_TEST

/* A reboot does not lose the terminal, unless something is typed for whoever has it meanwhile. */
START_TEST(terminal_returns)
{
    start();
    birth(1, "rebooting");
    birth(2, "other");
    death(1);
    if (_i)
        type("y");
    birth(3, "rebooting");
    type("x");
    if (_i)
        ck_assert_int_eq(heard_by(2), 'y');
    ck_assert_int_eq(heard_by(_i ? 2 : 3), 'x');
    ck_assert_int_eq(heard_by(_i ? 3 : 2), 0);
}
END_TEST

/* Input is watched without interrupts, until there has been none for a while. */
START_TEST(quiet_line)
{
    start();
    step = 10000;
    type("some keys");
    ck_assert(!interrupts);
    for (unsigned i = 0; !interrupts; i++) {
        ck_assert_uint_lt(i, 100);
        tick();
    }
    type("x");
    ck_assert(!interrupts);
}
END_TEST

/* A domain waits for a terminal that is slow, but not for one that has stopped; what is lost is
 * told. */
START_TEST(slow_and_stopped)
{
    char block[1024];

    memset(block, 'a', sizeof(block) - 1);
    block[sizeof(block) - 1] = '\0';
    start();
    step = 1000;
    birth(1, "chatty");
    room = 0;
    while (domains[1].ring.out_prod - domains[1].ring.out_cons < sizeof(block))
        say(1, block);
    ck_assert_uint_eq(domains[1].ring.out_cons, CONSOLE_HISTORY);
    ck_assert_ptr_nonnull(tick);
    step = 1000000000;
    while (domains[1].ring.out_prod - domains[1].ring.out_cons >= BH_LOG_MAX)
        send_one();
    say(1, "b");
    for (unsigned i = 0; !ends_with(shown, "aab"); i++) {
        ck_assert_uint_lt(i, STEPS);
        room = CAPACITY;
        send_one();
    }
    ck_assert_ptr_nonnull(strstr(shown, "bytes of output lost"));
}
END_TEST

/* One who writes lines without end does not keep the others' from coming out, nor ctl from coming
 * back. */
START_TEST(endless_output)
{
    start();
    birth(1, "endless");
    birth(2, "modest");
    domains[1].endless = true;
    refill(1);
    strcpy(domains[2].ring.out, "a line\n");
    domains[2].ring.out_prod = 7;
    component.notified(PORTS + 1);
    ck_assert_str_eq(domains[2].log, "a line\n");
    ck_assert_uint_eq(due, 0);
    domains[1].endless = false;
    event(PORTS + 1);
    ck_assert_uint_eq(domains[1].ring.out_cons, domains[1].ring.out_prod);
}
END_TEST

/* The control domain dies, and another one finds the rings as they are. */
START_TEST(next_life)
{
    static struct console *last_life;

    start();
    birth(1, "writer");
    say(1, "one\nhalf a ");
    ck_assert_uint_eq(domains[1].notified, 2); /* the ring is open; a line is out of it */
    say(1, "l");
    ck_assert_uint_eq(domains[1].notified, 2);
    ck_assert_uint_eq(domains[1].ring.out_cons, 4);
    last_life = consoles;
    consoles = NULL;
    domains[1].bound = domains[1].mapped = 0;
    domains[1].notified = 0;
    domains_changed();
    ck_assert_ptr_ne(consoles, last_life);
    ck_assert_uint_ge(domains[1].notified, 1);
    say(1, "ine\n\r\r");
    ck_assert_str_eq(domains[1].log, "one\nhalf a line\n");
    ck_assert_uint_eq(domains[1].ring.out_cons, domains[1].ring.out_prod);
}
END_TEST

/* What makes no line does not fill the ring, nor does a line that begins and never ends. */
START_TEST(no_lines)
{
    start();
    birth(1, "odd");
    say(1, _i ? "x" : "");
    for (unsigned i = 0; i < 3 * sizeof(domains[1].ring.out); i++) {
        say(1, "\r");
        ck_assert_uint_le(domains[1].ring.out_prod - domains[1].ring.out_cons, BH_LOG_MAX);
    }
    ck_assert_str_eq(domains[1].log, _i ? "x\n" : "");
}
END_TEST

START_TEST(no_grant)
{
    start();
    domains[1].refuses = true;
    birth(1, "mean");
    ck_assert(let_go(1));
    ck_assert_int_eq(pages, 0);
    type("x");
    death(1);
    ck_assert(let_go(1));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, last_words, 0, 6);
    tcase_add_test(tc, words_for_the_log);
    tcase_add_test(tc, keys);
    tcase_add_loop_test(tc, terminal_passes_on, 0, 2);
    tcase_add_loop_test(tc, terminal_returns, 0, 2);
    tcase_add_test(tc, quiet_line);
    tcase_add_test(tc, slow_and_stopped);
    tcase_add_test(tc, endless_output);
    tcase_add_test(tc, next_life);
    tcase_add_loop_test(tc, no_lines, 0, 2);
    tcase_add_test(tc, no_grant);
}

int main(void)
{
    return check_main("consoles", fill);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/ctlline.h"

#include <check.h>
#include <string.h>
#include "drvdom/ctl/terminal.h"
#include "tests/unit/ctlhost.h"
#include "tests/unit/ctlxs.h"

#define CAPACITY 4096U /* of the terminal */
#define SILENCE  (~0UL / 4)

static struct mux bl;
static uint8_t typed[65536], shown[CAPACITY];
static size_t ntyped, ntaken, nshown;

/* --- bl --- */

static void up(struct mux *m)
{
    (void)m;
}

static void down(struct mux *m, enum arq_end why)
{
    (void)m;
    ck_assert_int_eq(why, ARQ_END_ASKED);
}

static void opened(struct channel *c, int error, const char *text, size_t n)
{
    struct line_end *e = c->user;

    e->opened = !error;
    e->error = error;
    if (!error)
        return;
    e->c = NULL;
    ck_assert_uint_lt(n, sizeof(e->why));
    memcpy(e->why, text, n);
    e->why[n] = '\0';
}

static void received(struct channel *c, const uint8_t *bytes, size_t n)
{
    struct line_end *e = c->user;

    ck_assert_uint_le(n, sizeof(e->come) - e->n);
    memcpy(e->come + e->n, bytes, n);
    e->n += n;
    if (!e->deaf)
        mux_credit(c, (uint32_t)n);
}

static size_t send(struct channel *c, uint8_t *bytes, size_t max)
{
    struct line_end *e = c->user;
    size_t n = e->left < max ? e->left : max;

    if (n)
        memcpy(bytes, e->out, n);
    e->out += n;
    e->left -= n;
    return n;
}

static void closed(struct channel *c)
{
    ((struct line_end *)c->user)->c = NULL;
}

static const struct mux_owner owner = {
    .up = up, .down = down, .opened = opened, .received = received, .send = send, .closed = closed};

void line_up(void)
{
    static uint32_t random;

    mux_init(&bl, &owner, false, SILENCE, ++random);
    arq_start(&bl.arq, host_now);
    host_run();
    ck_assert_int_eq(bl.arq.state, ARQ_UP);
}

void line_down(void)
{
    arq_stop(&bl.arq, ARQ_END_ASKED);
    host_run();
}

void line_open(struct line_end *e, uint32_t service, uint32_t argument, uint32_t credit)
{
    *e = (struct line_end){.c = mux_open(&bl, service, argument, credit, e)};
    ck_assert_ptr_nonnull(e->c);
}

void line_send(struct line_end *e, const void *bytes, size_t n)
{
    ck_assert_uint_eq(e->left, 0);
    e->out = bytes;
    e->left = n;
    if (e->c)
        mux_ready(e->c);
}

void line_close(struct line_end *e)
{
    mux_close(e->c);
    e->c = NULL;
}

bool line_carry(void)
{
    bool moved = nshown || ntyped != ntaken;

    arq_receive(&bl.arq, shown, nshown, host_now);
    nshown = 0;
    if (host_now >= arq_deadline(&bl.arq))
        arq_tick(&bl.arq, host_now);
    if (ntyped != ntaken)
        return true;
    ntaken = 0;
    ntyped = bl.arq.user ? arq_take(&bl.arq, typed, sizeof(typed), host_now) : 0;
    return moved || ntyped;
}

/* --- the terminal --- */

bool terminal_init(void)
{
    return true;
}

size_t terminal_room(void)
{
    return CAPACITY - nshown;
}

size_t terminal_write(const char *text, size_t n, bool cooked)
{
    (void)cooked;
    if (n > terminal_room())
        n = terminal_room();
    memcpy(shown + nshown, text, n);
    nshown += n;
    return n;
}

bool terminal_pump(void)
{
    return false;
}

size_t terminal_read(uint8_t *bytes, size_t n)
{
    if (n > ntyped - ntaken)
        n = ntyped - ntaken;
    memcpy(bytes, typed + ntaken, n);
    ntaken += n;
    return n;
}

void terminal_interrupts(bool on)
{
    (void)on;
}

void line_begin(bool store)
{
    if (store)
        xs_start(0);
    host_start(store);
    line_up();
}

void line_opened(struct line_end *e, uint32_t service, uint32_t argument)
{
    line_open(e, service, argument, LINE_PLENTY);
    host_run();
    ck_assert(e->opened);
}

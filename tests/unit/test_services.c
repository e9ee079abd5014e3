/* SPDX-License-Identifier: MIT */
/*
 * What the control domain's services do for bl, and what they bear from it: the line has the real
 * mux at both ends, and what is behind the services are a fake hypervisor and the real store.
 */
#include <lz4.h>
#include <stdio.h>
#include <string.h>
#include <xen/errno.h>
#include "tests/unit/check_main.h"
#include "tests/unit/ctlhost.h"
#include "tests/unit/ctlline.h"
#include "tests/unit/ctlxs.h"

#define HEAD sizeof(struct bh_request)
#define MOST (HEAD + BH_REQUEST_BUFFER)

static struct line_end end, other, many[LINK_CHANNELS];

/* --- CONTROL --- */

struct request {
    struct bh_request head;
    uint8_t bytes[BH_REQUEST_BUFFER];
};

static struct request request(uint32_t command, uint32_t domid, const void *bytes, size_t n)
{
    struct request q = {{.size = (uint32_t)(HEAD + n), .command = command, .reply_max = ~0U}, {0}};

    q.head.args.domid = domid;
    if (n)
        memcpy(q.bytes, bytes, n);
    return q;
}

/* The first answer that has come goes. */
static struct bh_answer answer(struct line_end *e, void *bytes)
{
    struct bh_answer a;

    ck_assert_uint_ge(e->n, sizeof(a));
    memcpy(&a, e->come, sizeof(a));
    ck_assert(a.size >= sizeof(a) && a.size <= e->n);
    ck_assert_uint_eq(a.args.buffer, 0);
    if (bytes)
        memcpy(bytes, e->come + sizeof(a), a.size - sizeof(a));
    e->n -= a.size;
    memmove(e->come, e->come + a.size, e->n);
    return a;
}

static struct bh_answer ask(struct line_end *e, const struct request *q, void *bytes)
{
    line_send(e, q, q->head.size);
    host_run();
    return answer(e, bytes);
}

static int call(struct line_end *e, uint32_t command, uint32_t domid, const char *text)
{
    struct request q = request(command, domid, text, strlen(text));

    return ask(e, &q, NULL).error;
}

static uint32_t create(struct line_end *e, const char *name)
{
    struct request q = request(BH_CONTROL_create, 0, name, strlen(name));
    struct bh_answer a = ask(e, &q, NULL);

    ck_assert_int_eq(a.error, 0);
    return a.args.domid;
}

START_TEST(about)
{
    struct request q = request(BH_CTL_ABOUT, 0, NULL, 0);
    struct bh_about a;

    line_begin(_i);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    line_opened(&other, LINK_SERVICE_EVENTS, 0);
    ck_assert_int_eq(ask(&end, &q, &a).error, 0);
    ck_assert_uint_eq(a.version, LINK_VERSION);
    ck_assert_uint_eq(a.channels, 2);
    ck_assert_uint_eq(a.domid, HOST_CTL);
    ck_assert_uint_eq(a.store, _i ? HOST_XS : ~0U);
    ck_assert_uint_eq(a.memory_free, (1000 - host_pages) * 4096);
    q.head.reply_max = sizeof(a) - 1;
    ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_EINVAL);
}
END_TEST

/* Answers come in order, each as long as it is wanted, however the requests are cut. */
START_TEST(many_requests)
{
    static const uint32_t wanted[] = {0, 1, 1000, BH_REQUEST_BUFFER, ~0U, 5};
    static uint8_t bytes[BH_REQUEST_BUFFER];
    struct bh_request q[6];

    line_begin(false);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    for (uint32_t i = 0; i < 6; i++)
        q[i] = (struct bh_request){HEAD, i, BH_CONTROL_read_log, wanted[i], {.a = i}};
    for (size_t at = 0, n; at < sizeof(q); at += n) {
        n = _i && sizeof(q) - at > (size_t)_i ? (size_t)_i : sizeof(q) - at;
        line_send(&end, (uint8_t *)q + at, n);
        host_run();
    }
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t n = wanted[i] < BH_REQUEST_BUFFER ? wanted[i] : BH_REQUEST_BUFFER;
        struct bh_answer a = answer(&end, bytes);

        ck_assert_uint_eq(a.id, i);
        ck_assert_int_eq(a.error, 0);
        ck_assert_uint_eq(a.args.a, i);
        ck_assert_uint_eq(a.size, sizeof(a) + n);
        ck_assert(!n || (bytes[0] == 'l' && !memcmp(bytes, bytes + 1, n - 1)));
    }
    ck_assert_uint_eq(end.n, 0);
}
END_TEST

static const uint32_t bad_sizes[] = {0, 1, HEAD - 1, MOST + 1, 0x80000000, ~0U};

/* Who sends such a request loses the channel; others do not notice. */
START_TEST(bad_size)
{
    struct request q = request(BH_CONTROL_pause, 5, NULL, 0);

    line_begin(false);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    line_opened(&other, LINK_SERVICE_CONTROL, 0);
    ck_assert_int_eq(call(&end, BH_CONTROL_pause, 5, "12345"), -XEN_ESRCH);
    q.head.size = bad_sizes[_i];
    line_send(&end, &q, sizeof(q));
    host_run();
    ck_assert_ptr_null(end.c);
    ck_assert_uint_eq(end.n, 0);
    ck_assert_int_eq(call(&other, BH_CONTROL_pause, 5, ""), -XEN_ESRCH);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    ck_assert_int_eq(call(&end, BH_CONTROL_pause, 5, ""), -XEN_ESRCH);
}
END_TEST

/* The largest request, and the largest answer. */
START_TEST(largest)
{
    static uint8_t bytes[BH_REQUEST_BUFFER];
    struct request q = request(BH_CONTROL_load, 5, bytes, sizeof(bytes));

    line_begin(false);
    host_birth(5, "loading", BH_DOMAIN_LOADING);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    ck_assert_uint_eq(ask(&end, &q, NULL).args.b, BH_REQUEST_BUFFER);
}
END_TEST

/* Packs text into the request's bytes, as size bytes. */
static struct request packed(const uint8_t *text, size_t n, uint64_t size)
{
    struct request q = request(BH_CONTROL_load | BH_REQUEST_LZ4, 5, NULL, 0);
    int packed = LZ4_compress_default((const char *)text, (char *)q.bytes, (int)n, sizeof(q.bytes));

    ck_assert_int_gt(packed, 0);
    q.head.size += (uint32_t)packed;
    q.head.args.size = size;
    return q;
}

START_TEST(lz4)
{
    static uint8_t text[2 * BH_REQUEST_BUFFER];
    struct request q;

    line_begin(false);
    host_birth(5, "loading", BH_DOMAIN_LOADING);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    q = packed(text, BH_REQUEST_BUFFER, BH_REQUEST_BUFFER);
    ck_assert_uint_eq(ask(&end, &q, NULL).args.b, BH_REQUEST_BUFFER);
    host_command = ~0U;
    for (uint64_t error = 1; error < 50; error++) { /* what it unpacks to is no size */
        q = request(BH_CONTROL_load | BH_REQUEST_LZ4, 5, "\xff\xff\xff", 3);
        q.head.args.size = -error;
        ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_EINVAL);
    }
    q = packed(text, BH_REQUEST_BUFFER, BH_REQUEST_BUFFER - 1);
    ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_EINVAL);
    q = packed(text, BH_REQUEST_BUFFER, (1UL << 32) + BH_REQUEST_BUFFER);
    ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_EINVAL);
    q = packed(text, sizeof(text), sizeof(text)); /* more than anybody may send */
    ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_EINVAL);
    q = packed(text, sizeof(text), BH_REQUEST_BUFFER);
    ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_EINVAL);
    q = request(BH_CONTROL_load | BH_REQUEST_LZ4, 5, NULL, 0);
    ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_EINVAL);
    ck_assert_uint_eq(host_command, ~0U); /* the hypervisor has heard of none of these */
}
END_TEST

/* Any bytes. */
START_TEST(lz4_garbage)
{
    struct request q;
    uint32_t random = 0x1234567U * (uint32_t)(_i + 1);

    line_begin(false);
    host_birth(5, "loading", BH_DOMAIN_LOADING);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    for (unsigned i = 0; i < 50; i++) {
        size_t n = i * 13 % 300 + 1;

        q = request(BH_CONTROL_load | BH_REQUEST_LZ4, 5, NULL, 0);
        for (size_t k = 0; k < n; k++) {
            random = random * 1664525 + 1013904223;
            q.bytes[k] = (uint8_t)(random >> 24);
        }
        q.head.size += (uint32_t)n;
        q.head.args.size = n;
        ask(&end, &q, NULL); /* whatever it says */
    }
}
END_TEST

START_TEST(not_for_clients)
{
    static const uint32_t commands[] = {BH_CONTROL_log, BH_CONTROL_record + 1,
                                        BH_CTL_READ_MEMORY + 1, BH_CONTROL_log | BH_REQUEST_LZ4,
                                        ~0U};
    struct request q;

    line_begin(false);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    host_command = ~0U;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        q = packed((const uint8_t *)"text", 4, 4);
        q.head.command = commands[i];
        ck_assert_int_eq(ask(&end, &q, NULL).error, -XEN_ENOSYS);
    }
    ck_assert_uint_eq(host_command, ~0U);
}
END_TEST

/* --- domains that clients make --- */

enum ending { CLOSED, DOWN, BAD, ENDINGS };

static void end_session(enum ending how)
{
    static const uint8_t bad[HEAD];

    if (how == CLOSED)
        line_close(&end);
    else if (how == BAD)
        line_send(&end, bad, sizeof(bad));
    else
        line_down();
    host_run();
}

/* A domain that is not finished goes with who makes it. */
START_TEST(half_made)
{
    uint32_t domid;

    line_begin(true);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    domid = create(&end, "half");
    ck_assert_int_eq(call(&end, BH_CONTROL_create, 0, "another"), -XEN_EBUSY);
    ck_assert_int_eq(call(&end, BH_CONTROL_load, domid, "bytes"), 0);
    end_session((enum ending)_i);
    ck_assert_str_eq(host_domains[domid].name, "");
    ck_assert_uint_eq(host_destroyed, 1);
}
END_TEST

/* One that is finished, has been destroyed or has gone by itself does not. */
START_TEST(made)
{
    uint32_t domid;

    line_begin(true);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    domid = create(&end, "bad");
    ck_assert_int_eq(call(&end, BH_CONTROL_load, domid, "bad bytes"), -XEN_EILSEQ);
    domid = create(&end, "gone");
    ck_assert_int_eq(call(&end, BH_CONTROL_destroy, domid, ""), 0);
    ck_assert_uint_eq(host_destroyed, 1);
    domid = create(&end, "made");
    ck_assert_int_eq(call(&end, BH_CONTROL_finish, domid, ""), 0);
    end_session((enum ending)_i);
    ck_assert_str_eq(host_domains[domid].name, "made");
    ck_assert_int_eq(host_domains[domid].state, BH_DOMAIN_READY);
    ck_assert_uint_eq(host_destroyed, 1);
}
END_TEST

/* It starts when its client wants that and its entries are there, whichever is first. */
START_TEST(started)
{
    uint32_t domid;

    line_begin(true);
    line_opened(&end, LINK_SERVICE_CONTROL, 0);
    xs_lives = _i ? ~0U : 10;
    domid = create(&end, "guest");
    ck_assert_int_eq(call(&end, BH_CONTROL_finish, domid, ""), 0);
    ck_assert_int_eq(host_domains[domid].state, BH_DOMAIN_READY);
    ck_assert_int_eq(call(&end, BH_CONTROL_unpause, domid, ""), 0);
    if (!_i) {
        ck_assert(xs_dead);
        ck_assert_int_eq(host_domains[domid].state, BH_DOMAIN_READY);
        xs_revive();
        host_run();
    }
    ck_assert_int_eq(host_domains[domid].state, BH_DOMAIN_RUNNING);
}
END_TEST

/* --- who may come --- */

static void check_refused(uint32_t service, uint32_t argument, int error)
{
    line_open(&other, service, argument, LINE_PLENTY);
    host_run();
    ck_assert(!other.opened);
    ck_assert_int_eq(other.error, error);
    ck_assert_str_ne(other.why, "");
}

START_TEST(refused)
{
    line_begin(false);
    check_refused(LINK_SERVICES, 0, -XEN_ENOSYS);
    check_refused(~0U, 0, -XEN_ENOSYS);
    check_refused(LINK_SERVICE_STORE, 0, -XEN_ENOSYS);
    check_refused(LINK_SERVICE_CONSOLE, 5, -XEN_ENOENT);
}
END_TEST

/* When all sessions are in use, one more is refused, until one ends. */
START_TEST(too_many)
{
    static const uint32_t services[] = {LINK_SERVICE_CONTROL, LINK_SERVICE_EVENTS};
    unsigned n = 0;

    line_begin(false);
    do {
        line_open(&many[n], services[_i], 0, LINE_PLENTY);
        host_run();
    } while (many[n++].opened);
    ck_assert_uint_eq(n, 17);
    ck_assert_int_eq(many[16].error, -XEN_EBUSY);
    line_close(&many[7]);
    host_run();
    line_opened(&other, services[_i], 0);
    line_down();
    line_up();
    for (n = 0; n < 16; n++)
        line_opened(&many[n], services[_i], 0);
}
END_TEST

/* --- EVENTS --- */

static struct bh_event event(struct line_end *e)
{
    struct bh_event event;

    ck_assert_uint_ge(e->n, sizeof(event));
    memcpy(&event, e->come, sizeof(event));
    e->n -= sizeof(event);
    memmove(e->come, e->come + sizeof(event), e->n);
    return event;
}

START_TEST(events)
{
    struct bh_event e;

    line_begin(false);
    host_birth(5, "before", BH_DOMAIN_RUNNING);
    host_run();
    line_opened(&end, LINK_SERVICE_EVENTS, 0);
    host_changed(); /* not really */
    host_run();
    ck_assert_uint_eq(end.n, 0);
    host_domains[5].state = BH_DOMAIN_SHUTDOWN;
    host_domains[5].shutdown_reason = 3;
    host_changed();
    host_run();
    e = event(&end);
    ck_assert(e.type == BH_EVENT_CHANGED && e.domid == 5 && e.state == BH_DOMAIN_SHUTDOWN);
    ck_assert_uint_eq(e.shutdown_reason, 3);
    ck_assert_str_eq(e.name, "before");
    host_death(5);
    host_birth(6, "next", BH_DOMAIN_RUNNING);
    host_run();
    e = event(&end);
    ck_assert(e.type == BH_EVENT_CHANGED && e.domid == 6);
    e = event(&end);
    ck_assert(e.type == BH_EVENT_GONE && e.domid == 5);
    ck_assert_uint_eq(end.n, 0);
}
END_TEST

static void change(uint32_t n)
{
    host_domains[5].shutdown_reason = n;
    host_changed();
    host_run();
}

/* Who does not listen is told what it has missed: something. */
START_TEST(events_lost)
{
    struct bh_event e;
    uint32_t last = 0, lost = 0;

    line_begin(false);
    line_open(&end, LINK_SERVICE_EVENTS, 0, 100); /* one, and a part of another */
    end.deaf = true;
    host_run();
    host_birth(5, "busy", BH_DOMAIN_RUNNING);
    for (uint32_t i = 1; i <= 40; i++)
        change(i);
    ck_assert_uint_eq(end.n, 100);
    mux_credit(end.c, sizeof(e)); /* makes room for one, but it is not the next */
    host_run();
    change(41);
    end.deaf = false;
    mux_credit(end.c, LINE_PLENTY);
    host_run();
    change(42);
    while (end.n) {
        e = event(&end);
        if (e.type == BH_EVENT_LOST) {
            lost++;
            continue;
        }
        ck_assert_uint_gt(e.shutdown_reason, last);
        ck_assert(lost || e.shutdown_reason == last + 1);
        last = e.shutdown_reason;
    }
    ck_assert_uint_eq(lost, 1);
    ck_assert_uint_eq(last, 42);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, about, 0, 2);
    tcase_add_loop_test(tc, many_requests, 0, 60);
    tcase_add_loop_test(tc, bad_size, 0, sizeof(bad_sizes) / sizeof(bad_sizes[0]));
    tcase_add_test(tc, largest);
    tcase_add_test(tc, lz4);
    tcase_add_loop_test(tc, lz4_garbage, 0, 4);
    tcase_add_test(tc, not_for_clients);
    tcase_add_loop_test(tc, half_made, 0, ENDINGS);
    tcase_add_loop_test(tc, made, 0, ENDINGS);
    tcase_add_loop_test(tc, started, 0, 2);
    tcase_add_test(tc, refused);
    tcase_add_loop_test(tc, too_many, 0, 2);
    tcase_add_test(tc, events);
    tcase_add_test(tc, events_lost);
}

int main(void)
{
    return check_main("services", fill);
}

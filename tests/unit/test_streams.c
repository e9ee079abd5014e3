/* SPDX-License-Identifier: MIT */
/*
 * The control domain's services whose bytes go elsewhere: to the store, which dies and comes back,
 * and to consoles. Both ends of the line are the real mux.
 */
#include <stdint.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include "tests/unit/check_main.h"
#include "tests/unit/ctlhost.h"
#include "tests/unit/ctlline.h"
#include "tests/unit/ctlxs.h"

#define UNREAD 300U /* requests: more than all buffers hold */

static struct line_end end, other, many[LINK_CHANNELS];

static size_t message(uint8_t *to, uint32_t type, const char *body, size_t n)
{
    struct xsd_sockmsg head = {type, 1234, 0, (uint32_t)n};

    memcpy(to, &head, sizeof(head));
    memcpy(to + sizeof(head), body, n);
    return sizeof(head) + n;
}

/* The answer to a request with this text. */
static const char *store_ask(struct line_end *e, uint32_t type, const char *text, size_t n)
{
    static uint8_t bytes[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX + 1];
    struct xsd_sockmsg head;

    e->n = 0;
    line_send(e, bytes, message(bytes, type, text, n));
    host_run();
    ck_assert_uint_ge(e->n, sizeof(head));
    memcpy(&head, e->come, sizeof(head));
    ck_assert_uint_eq(head.req_id, 1234);
    ck_assert_uint_eq(e->n, sizeof(head) + head.len);
    e->come[e->n] = '\0';
    return (const char *)e->come + sizeof(head);
}

static void check_let_go(void)
{
    ck_assert_uint_eq(host_grants, 0);
    ck_assert_uint_eq(host_pages, 0);
}

/* Requests and answers that are larger than the ring, too. */
START_TEST(store)
{
    static char big[4000] = "/big";

    line_begin(true);
    line_opened(&end, LINK_SERVICE_STORE, 0);
    line_opened(&other, LINK_SERVICE_STORE, 0);
    ck_assert_uint_eq(host_grants, 2);
    memset(big + 5, 'b', sizeof(big) - 5);
    ck_assert_str_eq(store_ask(&end, XS_WRITE, big, sizeof(big)), "OK");
    ck_assert_uint_eq(strlen(store_ask(&other, XS_READ, "/big", 5)), sizeof(big) - 5);
    line_close(&other);
    host_run();
    ck_assert_uint_eq(host_grants, 1);
    ck_assert_str_eq(store_ask(&end, XS_READ, "/none", 6), "ENOENT");
    line_down();
    check_let_go();
    line_up();
    line_opened(&end, LINK_SERVICE_STORE, 0);
    ck_assert_str_eq(store_ask(&end, XS_READ, "/none", 6), "ENOENT");
}
END_TEST

/* A client that does not read its answers stops nobody, and gets them all when it does. */
START_TEST(store_unread)
{
    static uint8_t bytes[8192];
    size_t n = 0;

    line_begin(true);
    line_open(&end, LINK_SERVICE_STORE, 0, 100);
    end.deaf = true;
    line_opened(&other, LINK_SERVICE_STORE, 0);
    for (unsigned i = 0; i < UNREAD; i++)
        n += message(bytes + n, XS_READ, "/none", 6);
    line_send(&end, bytes, n);
    host_run();
    ck_assert_uint_eq(end.n, 100);
    ck_assert_uint_gt(end.left, 0);
    ck_assert_str_eq(store_ask(&other, XS_READ, "/none", 6), "ENOENT");
    host_birth(5, "guest", BH_DOMAIN_READY);
    host_run();
    ck_assert_int_eq(host_domains[5].state, BH_DOMAIN_RUNNING);
    if (_i) {
        end.deaf = false;
        mux_credit(end.c, LINE_PLENTY);
        host_run();
        ck_assert_uint_eq(end.n, UNREAD * (sizeof(struct xsd_sockmsg) + sizeof("ENOENT")));
    }
    line_close(&end);
    host_run();
    ck_assert_uint_eq(host_grants, 1);
}
END_TEST

/* The store dies at any moment of a client's life, which goes on or has ended when it comes back.
 */
START_TEST(store_dies)
{
    uint8_t bytes[64];
    size_t n = message(bytes, XS_READ, "/a", 3);

    line_begin(true);
    xs_set("/a", "value");
    xs_lives = (unsigned)_i / 2;
    line_open(&end, LINK_SERVICE_STORE, 0, LINE_PLENTY);
    line_send(&end, bytes, n);
    host_run();
    if (_i % 2) {
        line_close(&end);
        host_run();
    }
    xs_revive();
    host_run();
    if (_i % 2)
        return check_let_go();
    ck_assert_uint_eq(end.n, sizeof(struct xsd_sockmsg) + 5);
    ck_assert_str_eq(store_ask(&end, XS_READ, "/a", 3), "value");
}
END_TEST

/* The store takes so many rings and no more. */
START_TEST(store_full)
{
    unsigned n;

    line_begin(true);
    for (n = 0; n < LINK_CHANNELS && (!n || many[n - 1].c); n++) {
        line_open(&many[n], LINK_SERVICE_STORE, 0, LINE_PLENTY);
        host_run();
    }
    ck_assert(n > 2 && n < LINK_CHANNELS);
    ck_assert_uint_eq(host_grants, n - 1);
    ck_assert_str_eq(store_ask(&many[0], XS_READ, "/none", 6), "ENOENT");
    line_down();
    check_let_go();
}
END_TEST

/* More clients than ctl has sessions, of a store that does not answer. */
START_TEST(store_silent)
{
    unsigned opened = 0;

    line_begin(true);
    xs_dead = true;
    for (unsigned i = 0; i < LINK_CHANNELS; i++)
        line_open(&many[i], LINK_SERVICE_STORE, 0, LINE_PLENTY);
    host_run();
    for (unsigned i = 0; i < LINK_CHANNELS; i++) {
        opened += many[i].opened;
        ck_assert(many[i].opened || many[i].error == -XEN_EBUSY);
    }
    ck_assert_uint_eq(opened, 32);
    line_down();
    line_up();
    xs_revive();
    host_run();
    check_let_go();
}
END_TEST

static bool answer_no(const struct xs_request *q, struct kit_answer *a)
{
    if (q->head.type != XS_CONTROL)
        return false;
    a->type = XS_ERROR;
    a->len = sizeof("EINVAL");
    memcpy(a->text, "EINVAL", a->len);
    return true;
}

/* A ring that the store has let go of, or never wanted, and keeps: its page becomes nothing else.
 */
START_TEST(store_keeps)
{
    line_begin(true);
    xs_keeps = GNTTAB_NR_RESERVED_ENTRIES;
    xs_rule = _i ? answer_no : NULL;
    line_open(&end, LINK_SERVICE_STORE, 0, LINE_PLENTY);
    host_run();
    if (end.c)
        line_close(&end);
    host_run();
    ck_assert_uint_eq(host_grants, 1);
    ck_assert_uint_eq(host_pages, 1);
    xs_rule = NULL;
    line_opened(&other, LINK_SERVICE_STORE, 0);
    ck_assert_str_eq(store_ask(&other, XS_READ, "/none", 6), "ENOENT");
    line_close(&other);
    host_run();
    ck_assert_uint_eq(host_grants, 1);
    xs_keeps = 0;
    host_run();
    check_let_go();
}
END_TEST

/* --- CONSOLE --- */

START_TEST(console)
{
    static char typed[4000];

    line_begin(false);
    host_birth(5, "guest", BH_DOMAIN_RUNNING)->console_port = 9;
    host_run();
    host_say(5, "before\n");
    host_run();
    line_opened(&end, LINK_SERVICE_CONSOLE, 5);
    host_say(5, "after\n");
    host_run();
    ck_assert_uint_eq(end.n, 13);
    ck_assert_mem_eq(end.come, "before\nafter\n", 13);
    for (size_t i = 0; i < sizeof(typed); i++)
        typed[i] = (char)('a' + i % 26);
    line_send(&end, typed, sizeof(typed));
    host_run();
    ck_assert_uint_gt(end.left, 0); /* the guest has not read yet */
    for (size_t i = 0; i < sizeof(typed); i++) {
        char c = host_heard(5);

        if (!c) {
            host_run();
            c = host_heard(5);
        }
        if (c != typed[i])
            ck_abort_msg("byte %zu", i);
    }
    end.n = 0;
    host_say(5, "last words");
    host_death(5);
    host_run();
    ck_assert_mem_eq(end.come, "last words", 10);
    ck_assert_ptr_null(end.c);
    ck_assert_uint_eq(host_pages, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, store);
    tcase_add_loop_test(tc, store_unread, 0, 2);
    tcase_add_loop_test(tc, store_dies, 0, 10);
    tcase_add_test(tc, store_full);
    tcase_add_test(tc, store_silent);
    tcase_add_loop_test(tc, store_keeps, 0, 2);
    tcase_add_test(tc, console);
}

int main(void)
{
    return check_main("streams", fill);
}

/* SPDX-License-Identifier: MIT */
/* libxenstore with a store that breaks the protocol, and without memory. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xenstore.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_store.h"
#include "xs/shim/shim.h"

/* What comes instead of an answer; the length as the header says it, and as it is. */
static const struct flaw {
    uint32_t type, id, says;
    const char *body;
    size_t size;
} flaws[] = {
    {XS_RM, 1, 3, "OK", 3},
    {XS_RM, ~0U, 3, "OK", 3},
    {XS_READ, 0, 3, "OK", 3},
    {XS_INVALID, 0, 3, "OK", 3},
    {XS_RM, 0, XENSTORE_PAYLOAD_MAX + 1, "OK", 3},
    {XS_RM, 0, ~0U, "OK", 3},
    {XS_RM, 0, 4, "OK", 3},
    {XS_ERROR, 1, 7, "ENOENT", 7},
    {XS_ERROR, 0, 8, "ENOENT", 7},
    {XS_WATCH_EVENT, 0, ~0U, "/a\0b", 5},
    {XS_WATCH_EVENT, 0, 0, "", 0},
    {XS_WATCH_EVENT, 0, 1, "", 1},
    {XS_WATCH_EVENT, 0, 3, "/a", 3},
    {XS_WATCH_EVENT, 0, 4, "/a\0b", 4},
    {XS_WATCH_EVENT, 0, 2, "/a", 2},
    {XS_WATCH_EVENT, 0, 6, "/a\0b", 5},
};
#define FLAWS (int)(sizeof(flaws) / sizeof(flaws[0]))

/* As much as there is room for follows a length that is too large. */
static void send_flaw(int fd, const struct flaw *f, uint32_t id)
{
    static const char more[2 * XENSTORE_PAYLOAD_MAX];
    struct fake_request m = {{f->type, id + f->id, 0, f->says}, ""};

    memcpy(m.body, f->body, f->size);
    send(fd, &m, sizeof(m.header) + f->size, MSG_NOSIGNAL);
    if (f->says > XENSTORE_PAYLOAD_MAX)
        send(fd, more, sizeof(more), MSG_NOSIGNAL);
}

static void serve_flaw(int fd, void *arg)
{
    struct fake_request r;

    while (fake_receive(fd, &r)) {
        if (r.header.type == XS_WATCH) {
            fake_send(fd, r.header.type, r.header.req_id, "OK", 3);
            continue;
        }
        send_flaw(fd, arg, r.header.req_id);
        shutdown(fd, SHUT_WR);
    }
}

static void must_be_lost(struct xs_handle *h)
{
    struct pollfd p = {xs_fileno(h), POLLIN, 0};
    unsigned n;

    ck_assert_int_eq(poll(&p, 1, 0), 1);
    FAILS(xs_check_watch(h), EINVAL);
    ck_assert_ptr_null(xs_read_watch(h, &n));
    FAILS(xs_read(h, 0, "/a", &n), EBADF);
    ck_assert_ptr_null(xs_directory(h, 0, "/a", &n));
    ck_assert_uint_eq(xs_transaction_start(h), 0);
    FAILS(xs_watch(h, "/a", "one"), EBADF);
}

/* The first half without the thread that reads, the second with it. */
START_TEST(broken_answers)
{
    struct xs_handle *h;

    h = fake_open(serve_flaw, (void *)&flaws[_i % FLAWS]);
    if (_i >= FLAWS)
        ck_assert(xs_watch(h, "/a", "one"));
    FAILS(xs_rm(h, 0, "/a"), EBADF);
    must_be_lost(h);
    fake_close(h);
}
END_TEST

static void serve_prefix(int fd, void *arg)
{
    const size_t *size = arg;
    struct fake_request r, m = {{XS_RM, 0, 0, 3}, "OK"};

    ck_assert(fake_receive(fd, &r));
    if (r.header.type == XS_WATCH) {
        fake_send(fd, r.header.type, r.header.req_id, "OK", 3);
        ck_assert(fake_receive(fd, &r));
    }
    m.header.req_id = r.header.req_id;
    send(fd, &m, *size, MSG_NOSIGNAL);
}

/* The server goes in the middle of its answer. */
START_TEST(cut_answers)
{
    size_t size = (size_t)_i / 2;
    struct xs_handle *h;

    h = fake_open(serve_prefix, &size);
    if (_i % 2)
        ck_assert(xs_watch(h, "/a", "one"));
    FAILS(xs_rm(h, 0, "/a"), EBADF);
    must_be_lost(h);
    fake_close(h);
}
END_TEST
#define CUTS (2 * ((int)sizeof(struct xsd_sockmsg) + 3))

static void serve_twice(int fd, void *arg)
{
    struct fake_request r;

    (void)arg;
    while (fake_receive(fd, &r))
        for (unsigned i = 0; i < 2; i++)
            fake_send(fd, r.header.type, r.header.req_id, "OK", 3);
}

/* An answer that nobody has asked for: the thread sees it at once, else the next request does. */
START_TEST(answers_twice)
{
    struct pollfd p = {.events = POLLIN};
    struct xs_handle *h;

    h = fake_open(serve_twice, NULL);
    ck_assert(_i ? xs_watch(h, "/a", "one") : xs_rm(h, 0, "/a"));
    p.fd = xs_fileno(h);
    if (_i)
        ck_assert_int_eq(poll(&p, 1, -1), 1);
    FAILS(xs_rm(h, 0, "/a"), EBADF);
    must_be_lost(h);
    fake_close(h);
}
END_TEST

static void serve_nobody(int fd, void *arg)
{
    (void)fd;
    (void)arg;
}

/* No signal ends a program whose store has gone before it asks. */
START_TEST(gone_before)
{
    struct pollfd p = {.events = POLLRDHUP};
    struct xs_handle *h;

    h = fake_open(serve_nobody, NULL);
    p.fd = h->fd;
    ck_assert_int_eq(poll(&p, 1, -1), 1);
    FAILS(xs_rm(h, 0, "/a"), EPIPE);
    fake_close(h);
}
END_TEST

/* A message that never ends does not hold up the end of the connection. */
static void serve_half(int fd, void *arg)
{
    struct fake_request r;

    (void)arg;
    ck_assert(fake_receive(fd, &r));
    fake_send(fd, r.header.type, r.header.req_id, "OK", 3);
    send(fd, &r, sizeof(r.header) / 2, MSG_NOSIGNAL);
    ck_assert(!fake_receive(fd, &r));
}

START_TEST(close_in_message)
{
    struct xs_handle *h;

    h = fake_open(serve_half, NULL);
    ck_assert(xs_watch(h, "/a", "one"));
    fake_close(h);
}
END_TEST

/* The allocation that fails, counted from 0. */
static atomic_int fails_at = -1, allocations;
static _Thread_local bool is_server;
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool fails(void)
{
    if (is_server || allocations++ != fails_at)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static void answer(int fd, const struct fake_request *r, const char *body, size_t len)
{
    fake_send(fd, r->header.type, r->header.req_id, body, len);
}

static void answer_part(int fd, const struct fake_request *r)
{
    if (r->body[sizeof("/d")] == '0')
        answer(fd, r, "7\0a", 4);
    else
        answer(fd, r, "7\0b\0", 5);
}

static void answer_watch(int fd, const struct fake_request *r)
{
    answer(fd, r, "OK", 3);
    fake_event(fd, "/a", "one");
}

static void serve_all_kinds(int fd, void *arg)
{
    struct fake_request r;

    (void)arg;
    is_server = true;
    while (fake_receive(fd, &r)) {
        if (r.header.type == XS_DIRECTORY && r.body[1])
            fake_send(fd, XS_ERROR, r.header.req_id, "E2BIG", 6);
        else if (r.header.type == XS_DIRECTORY)
            answer(fd, &r, "a\0b", 4);
        else if (r.header.type == XS_DIRECTORY_PART)
            answer_part(fd, &r);
        else if (r.header.type == XS_GET_PERMS)
            answer(fd, &r, "n0\0r1", 6);
        else if (r.header.type == XS_WATCH)
            answer_watch(fd, &r);
        else
            answer(fd, &r, "7", 2);
    }
}

struct outcome {
    unsigned failed, wrong; /* errors, and those among them that nothing can be meant by */
};

static void count(struct outcome *o, void *got)
{
    o->failed += !got;
    o->wrong += !got && errno != ENOMEM && errno != EINVAL;
    free(got);
}

/* Calls nothing of Check's, which allocates, too. */
static void use_all(struct outcome *o)
{
    struct xs_handle *h = xs_open(0);
    unsigned n;

    if (!h) {
        o->failed++;
        o->wrong += errno != ENOMEM;
        return;
    }
    count(o, xs_directory(h, 0, "/", &n));
    count(o, xs_directory(h, 0, "/d", &n));
    count(o, xs_read(h, 0, "/a", &n));
    count(o, xs_get_permissions(h, 0, "/a", &n));
    count(o, xs_get_domain_path(h, 7));
    o->failed += !xs_transaction_start(h);
    o->wrong += !xs_rm(h, 0, "/a");
    o->wrong += !xs_watch(h, "/a", "one");
    count(o, xs_read_watch(h, &n));
    xs_close(h);
}

/* Each allocation fails once: an error, and all goes on; but an event that there is no memory for
 * is the end of the connection, so that nobody waits for it in vain. */
START_TEST(no_memory)
{
    struct outcome o = {};
    int last, used;

    fake_start(serve_all_kinds, NULL);
    use_all(&o);
    ck_assert_uint_eq(o.failed + o.wrong, 0);
    for (last = 0;; last++) {
        o = (struct outcome){};
        allocations = 0;
        fails_at = last;
        use_all(&o);
        fails_at = -1;
        used = allocations;
        ck_assert_uint_eq(o.wrong, 0);
        ck_assert_int_eq(o.failed != 0, used > last);
        if (!o.failed)
            break;
    }
    ck_assert_int_gt(last, 10);
    fake_stop();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, broken_answers, 0, 2 * FLAWS);
    tcase_add_loop_test(tc, cut_answers, 0, CUTS);
    tcase_add_loop_test(tc, answers_twice, 0, 2);
    tcase_add_test(tc, gone_before);
    tcase_add_test(tc, close_in_message);
    tcase_add_test(tc, no_memory);
}

int main(void)
{
    return check_main("shim_hostile", fill);
}

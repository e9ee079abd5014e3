/* SPDX-License-Identifier: MIT */
/* libxenstore's watches, threads and children. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenstore.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_store.h"

static struct xs_handle *start(void (*serve)(int fd, void *arg), unsigned long flags)
{
    struct xs_handle *h;

    fake_start(serve, NULL);
    h = xs_open(flags);
    ck_assert_ptr_nonnull(h);
    return h;
}

static void finish(struct xs_handle *h)
{
    fake_close(h);
}

static bool is_readable(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};

    return poll(&p, 1, 0) == 1;
}

static void await_readable(int fd)
{
    struct pollfd p = {fd, POLLIN, 0};

    ck_assert_int_eq(poll(&p, 1, -1), 1);
}

static void check_event(char **e, const char *path, const char *token)
{
    ck_assert_ptr_nonnull(e);
    ck_assert_str_eq(e[XS_WATCH_PATH], path);
    ck_assert_str_eq(e[XS_WATCH_TOKEN], token);
    free(e);
}

/* Each request is answered; before that a few events come. */
static void serve_events(int fd, void *arg)
{
    struct fake_request r;

    (void)arg;
    while (fake_receive(fd, &r)) {
        if (r.header.type == XS_WATCH) {
            fake_event(fd, "/a", "one");
            fake_event(fd, "/a/b", "two");
            fake_event(fd, "/ab", "one");
            fake_event(fd, "/a/b", "one");
        }
        fake_send(fd, r.header.type, r.header.req_id, "OK", 3);
    }
}

START_TEST(events)
{
    struct xs_handle *h = start(serve_events, 0);
    int fd = xs_fileno(h);
    unsigned n = 0;

    ck_assert(!is_readable(fd));
    FAILS(xs_check_watch(h), EAGAIN);
    ck_assert(xs_watch(h, "/a", "one"));
    ck_assert(is_readable(fd));
    ck_assert_int_eq(xs_fileno(h), fd);
    check_event(xs_read_watch(h, &n), "/a", "one");
    ck_assert_uint_eq(n, 2);
    check_event(xs_check_watch(h), "/a/b", "two");
    ck_assert(xs_unwatch(h, "/a", "one"));
    check_event(xs_read_watch(h, &n), "/ab", "one");
    ck_assert(is_readable(fd));
    check_event(xs_check_watch(h), "/a/b", "one");
    ck_assert(!is_readable(fd));
    FAILS(xs_check_watch(h), EAGAIN);
    finish(h);
}
END_TEST

/* Asked for late, the descriptor tells of what waits already. */
START_TEST(late_fileno)
{
    struct xs_handle *h = start(serve_events, 0);

    ck_assert(xs_watch(h, "/a", "one"));
    ck_assert(is_readable(xs_fileno(h)));
    finish(h);
}
END_TEST

START_TEST(filter)
{
    struct xs_handle *h = start(serve_events, XS_UNWATCH_FILTER);
    int fd = xs_fileno(h);

    ck_assert(xs_watch(h, "/a", "one"));
    ck_assert(xs_unwatch(h, "/a", "one"));
    check_event(xs_check_watch(h), "/a/b", "two");
    check_event(xs_check_watch(h), "/ab", "one");
    ck_assert(!is_readable(fd));
    ck_assert(xs_watch(h, "/", "one"));
    ck_assert(xs_unwatch(h, "/", "one"));
    ck_assert(is_readable(fd));
    ck_assert(xs_unwatch(h, "/a/b", "two"));
    ck_assert(!is_readable(fd));
    ck_assert(xs_watch(h, "/", "one"));
    check_event(xs_check_watch(h), "/a", "one");
    finish(h);
}
END_TEST

/* What is left of a connection that ends: its events, then the error, told once. */
static void serve_one_watch(int fd, void *arg)
{
    struct fake_request r;

    (void)arg;
    ck_assert(fake_receive(fd, &r));
    fake_send(fd, r.header.type, r.header.req_id, "OK", 3);
    fake_event(fd, "/a", "one");
}

START_TEST(end_of_server)
{
    struct xs_handle *h = start(serve_one_watch, 0);
    int fd = xs_fileno(h);
    unsigned n;

    ck_assert(xs_watch(h, "/a", "one"));
    check_event(xs_read_watch(h, &n), "/a", "one");
    await_readable(fd);
    FAILS(xs_check_watch(h), EINVAL);
    ck_assert(!is_readable(fd));
    FAILS(xs_read_watch(h, &n), EINVAL);
    FAILS(xs_watch(h, "/b", "one"), EBADF);
    finish(h);
}
END_TEST

#define THREADS 4U
#define READS   500U

/* Answers with the path that it was asked for; an event comes with each. */
static void serve_echo(int fd, void *arg)
{
    struct fake_request r;

    (void)arg;
    while (fake_receive(fd, &r)) {
        if (r.header.type == XS_READ)
            fake_event(fd, r.body, "each");
        fake_send(fd, r.header.type, r.header.req_id, r.body, r.header.len);
    }
}

static void *read_much(void *arg)
{
    struct xs_handle *h = arg;
    char path[64], token[32];
    unsigned n;

    snprintf(token, sizeof(token), "%lx", (unsigned long)pthread_self());
    ck_assert(xs_watch(h, "/", token));
    for (unsigned i = 0; i < READS; i++) {
        char *value;

        snprintf(path, sizeof(path), "/%s/%u", token, i);
        value = xs_read(h, 0, path, &n);
        ck_assert_ptr_nonnull(value);
        ck_assert_uint_eq(n, strlen(path) + 1);
        ck_assert_str_eq(value, path);
        free(value);
    }
    return NULL;
}

static void *take_events(void *arg)
{
    for (unsigned i = 0; i < THREADS * READS / 2; i++) {
        unsigned n;
        char **e = xs_read_watch(arg, &n);

        ck_assert_ptr_nonnull(e);
        ck_assert_str_eq(e[XS_WATCH_TOKEN], "each");
        free(e);
    }
    return NULL;
}

START_TEST(threads)
{
    struct xs_handle *h = start(serve_echo, 0);
    pthread_t readers[THREADS], takers[2];

    for (unsigned i = 0; i < 2; i++)
        pthread_create(&takers[i], NULL, take_events, h);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_create(&readers[i], NULL, read_much, h);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(readers[i], NULL);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(takers[i], NULL);
    FAILS(xs_check_watch(h), EAGAIN);
    finish(h);
}
END_TEST

static void *wait_for_event(void *arg)
{
    unsigned n;

    xs_read_watch(arg, &n);
    return NULL;
}

START_TEST(cancelled_waiting)
{
    struct xs_handle *h = start(serve_events, 0);
    pthread_t waiter;
    void *result;

    pthread_create(&waiter, NULL, wait_for_event, h);
    pthread_cancel(waiter);
    pthread_join(waiter, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert(xs_watch(h, "/a", "one"));
    check_event(xs_check_watch(h), "/a", "one");
    finish(h);
}
END_TEST

static sem_t asked, may_answer;

static void serve_slowly(int fd, void *arg)
{
    struct fake_request r;

    (void)arg;
    while (fake_receive(fd, &r)) {
        if (r.header.type == XS_RM) {
            sem_post(&asked);
            sem_wait(&may_answer);
        }
        fake_send(fd, r.header.type, r.header.req_id, "OK", 3);
    }
}

static void *remove_and_go_on(void *arg)
{
    xs_rm(arg, 0, "/a");
    pthread_testcancel();
    return NULL;
}

/* The thread takes its answer before it ends, so that the next one gets its own; with the thread
 * that reads and without. */
START_TEST(cancelled_asking)
{
    struct xs_handle *h;
    pthread_t asker;
    void *result;

    sem_init(&asked, 0, 0);
    sem_init(&may_answer, 0, 0);
    h = start(serve_slowly, 0);
    if (_i)
        ck_assert(xs_watch(h, "/a", "one"));
    pthread_create(&asker, NULL, remove_and_go_on, h);
    sem_wait(&asked);
    pthread_cancel(asker);
    sem_post(&may_answer);
    pthread_join(asker, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert(xs_mkdir(h, 0, "/a"));
    finish(h);
}
END_TEST

/* A child may go on with a connection that has no thread; with one it is told, and takes nothing
 * away from its parent. */
static bool is_elsewhere(bool done)
{
    return !done && errno == EBADF;
}

static void use_in_child(struct xs_handle *h)
{
    unsigned n;

    if (xs_rm(h, 0, "/a"))
        _exit(0);
    _exit(is_elsewhere(false) && is_elsewhere(xs_watch(h, "/b", "one")) &&
                  is_elsewhere(xs_check_watch(h)) && is_elsewhere(xs_read_watch(h, &n))
              ? 1
              : 2);
}

static int run_child(void (*body)(struct xs_handle *h), struct xs_handle *h)
{
    pid_t pid = fork();
    int status;

    if (!pid)
        body(h);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void close_in_child(struct xs_handle *h)
{
    xs_close(h);
    _exit(0);
}

static void destroy_in_child(struct xs_handle *h)
{
    xs_daemon_destroy_postfork(h);
    _exit(0);
}

START_TEST(children)
{
    struct xs_handle *h = start(serve_events, 0);

    ck_assert(xs_rm(h, 0, "/a"));
    ck_assert_int_eq(run_child(use_in_child, h), 0);
    ck_assert_int_eq(run_child(close_in_child, h), 0);
    ck_assert(xs_watch(h, "/a", "one"));
    ck_assert_int_eq(run_child(use_in_child, h), 1);
    ck_assert_int_eq(run_child(close_in_child, h), 0);
    ck_assert_int_eq(run_child(destroy_in_child, h), 0);
    ck_assert(xs_rm(h, 0, "/a"));
    check_event(xs_check_watch(h), "/a", "one");
    finish(h);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, events);
    tcase_add_test(tc, late_fileno);
    tcase_add_test(tc, filter);
    tcase_add_test(tc, end_of_server);
    tcase_add_test(tc, threads);
    tcase_add_test(tc, cancelled_waiting);
    tcase_add_loop_test(tc, cancelled_asking, 0, 2);
    tcase_add_test(tc, children);
}

int main(void)
{
    return check_main("shim_watch", fill);
}

/* SPDX-License-Identifier: MIT */
#include "tests/unit/fake_store.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xenstore.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char folder[] = "/tmp/fake-store-XXXXXX";
static void (*serve_one)(int fd, void *arg);
static void *serve_arg;
static pthread_t server;
static int listener;

static void *serve_all(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        serve_one(fd, serve_arg);
        close(fd);
    }
    return NULL;
}

void fake_start(void (*serve)(int fd, void *arg), void *arg)
{
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(!bind(listener, (struct sockaddr *)&address, sizeof(address)));
    ck_assert(!listen(listener, 8));
    setenv("XENSTORED_PATH", address.sun_path, 1);
    serve_one = serve;
    serve_arg = arg;
    ck_assert(!pthread_create(&server, NULL, serve_all, NULL));
}

void fake_stop(void)
{
    shutdown(listener, SHUT_RDWR);
    pthread_join(server, NULL);
    close(listener);
    unlink(address.sun_path);
    rmdir(folder);
}

struct xs_handle *fake_open(void (*serve)(int fd, void *arg), void *arg)
{
    struct xs_handle *h;

    fake_start(serve, arg);
    h = xs_open(0);
    ck_assert_ptr_nonnull(h);
    return h;
}

void fake_close(struct xs_handle *h)
{
    xs_close(h);
    fake_stop();
}

static bool get(int fd, void *to, size_t n)
{
    return !n || recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

bool fake_receive(int fd, struct fake_request *r)
{
    if (!get(fd, &r->header, sizeof(r->header)))
        return false;
    ck_assert_uint_le(r->header.len, sizeof(r->body));
    return get(fd, r->body, r->header.len);
}

void fake_send(int fd, uint32_t type, uint32_t req_id, const void *body, size_t len)
{
    struct fake_request m = {{type, req_id, 0, (uint32_t)len}, ""};

    if (len)
        memcpy(m.body, body, len);
    send(fd, &m, sizeof(m.header) + len, MSG_NOSIGNAL);
}

void fake_event(int fd, const char *path, const char *token)
{
    char body[256];
    int n = snprintf(body, sizeof(body), "%s%c%s", path, 0, token);

    fake_send(fd, XS_WATCH_EVENT, 0, body, (size_t)n + 1);
}

void fake_play(int fd, void *arg)
{
    struct fake_request r;

    for (const struct fake_step *s = arg; s->request; s++) {
        ck_assert(fake_receive(fd, &r));
        ck_assert_uint_eq(r.header.type, s->type);
        ck_assert_uint_eq(r.header.len, s->request_len);
        ck_assert_mem_eq(r.body, s->request, s->request_len);
        fake_send(fd, s->answer_type, r.header.req_id, s->answer, s->answer_len);
    }
    ck_assert(!fake_receive(fd, &r));
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/hub/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xen/errno.h>
#include "drvdom/ctl/mux.h"

#define MS      1000000UL
#define TICK_MS 50
#define CREDIT  65536U
#define SILENCE (60000 * MS)

/* What waits for bl on a channel. */
struct waiting {
    struct service *service;
    uint8_t *bytes;
    size_t from, n, size;
    bool ends;
};

static struct mux mux;
static struct waiting waiting[LINK_CHANNELS];

static uint64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000UL + (uint64_t)t.tv_nsec;
}

void channel_send(void *channel, const void *p, size_t n)
{
    struct channel *c = channel;
    struct waiting *w = &waiting[c - mux.channels];

    if (w->n + n > w->size) {
        w->size = 2 * (w->n + n);
        w->bytes = realloc(w->bytes, w->size);
        if (!w->bytes)
            abort();
    }
    if (n)
        memcpy(w->bytes + w->n, p, n);
    w->n += n;
    mux_ready(c);
}

void channel_end(void *channel)
{
    struct channel *c = channel;

    waiting[c - mux.channels].ends = true;
    mux_ready(c);
}

static void forget(struct waiting *w)
{
    if (w->service)
        service_close(w->service);
    free(w->bytes);
    *w = (struct waiting){0};
}

static int open_service(struct channel *c, uint32_t *credit, const char **why)
{
    struct waiting *w = &waiting[c - mux.channels];

    *w = (struct waiting){0};
    w->service = service_open(c->service, c->argument, c);
    *credit = c->service == LINK_SERVICE_EVENTS ? 0 : CREDIT; /* as a host does it */
    *why = c->argument == CARRIER_RUDE ? "go away\33[2J" : "there is no such domain";
    return w->service ? 0 : -XEN_ESRCH;
}

static void received(struct channel *c, const uint8_t *bytes, size_t n)
{
    service_input(waiting[c - mux.channels].service, bytes, n);
    mux_credit(c, (uint32_t)n);
}

static size_t send_waiting(struct channel *c, uint8_t *bytes, size_t max)
{
    struct waiting *w = &waiting[c - mux.channels];
    size_t n = w->n - w->from < max ? w->n - w->from : max;

    if (n)
        memcpy(bytes, w->bytes + w->from, n);
    w->from += n;
    if (w->from == w->n)
        w->from = w->n = 0;
    if (!n && w->ends) {
        mux_close(c);
        forget(w);
    }
    return n;
}

static void closed(struct channel *c)
{
    forget(&waiting[c - mux.channels]);
}

static void up(struct mux *m)
{
    (void)m;
}

static void down(struct mux *m, enum arq_end why)
{
    (void)m;
    (void)why;
    for (unsigned i = 0; i < LINK_CHANNELS; i++)
        forget(&waiting[i]);
}

static const struct mux_owner owner = {
    .up = up,
    .down = down,
    .open = open_service,
    .received = received,
    .send = send_waiting,
    .closed = closed,
};

int carrier_listen(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4)) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void damage(uint8_t *bytes, size_t n, unsigned noise)
{
    for (size_t i = 0; noise && i < n; i++)
        if ((unsigned)rand() % 1000000 < noise)
            bytes[i] = (uint8_t)rand();
}

static bool put(int fd, unsigned noise)
{
    static uint8_t bytes[4096];
    static size_t at, n;

    for (;;) {
        ssize_t done;

        if (at == n) {
            at = 0;
            n = arq_take(&mux.arq, bytes, sizeof(bytes), clock_now());
            damage(bytes, n, noise);
        }
        if (at == n)
            return false;
        done = write(fd, bytes + at, n - at);
        if (done < 0 && errno == EAGAIN)
            return true;
        at = done < 0 ? n : at + (size_t)done;
    }
}

/* False: the line is closed. */
static bool get(int fd, unsigned noise)
{
    static uint8_t bytes[4096];
    ssize_t n = read(fd, bytes, sizeof(bytes));

    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EIO); /* EIO: nobody has the pty open */
    damage(bytes, (size_t)n, noise);
    arq_receive(&mux.arq, bytes, (size_t)n, clock_now());
    return true;
}

static void serve(int fd, unsigned noise, void (*tick)(void))
{
    uint64_t ticked = 0, now;
    bool open = true;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (open) {
        struct pollfd p = {fd, POLLIN, 0};

        if (put(fd, noise))
            p.events |= POLLOUT;
        if (poll(&p, 1, TICK_MS) > 0 && p.revents & POLLHUP && !(p.revents & POLLIN))
            usleep(1000);
        open = get(fd, noise);
        now = clock_now();
        arq_tick(&mux.arq, now);
        if (tick && now - ticked >= TICK_MS * MS) {
            ticked = now;
            tick();
        }
    }
}

void carrier_run(int fd, bool pty, unsigned noise, void (*tick)(void))
{
    mux_init(&mux, &owner, true, SILENCE, (uint32_t)clock_now());
    for (;;) {
        int line = pty ? fd : accept(fd, NULL, NULL);

        if (line < 0)
            exit(1);
        serve(line, noise, tick);
        close(line);
    }
}

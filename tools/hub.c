/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "hyp/lib/util.h"
#include "tools/hubpeer.h"

#define MS      1000000UL
#define IDLE_S  10UL         /* without a client, then it ends; or what BULKHEAD_IDLE says */
#define SILENCE (30000 * MS) /* of the host, then the session has ended */
#define RETRY   (200 * MS)   /* after the line was closed, before it is opened again */
#define PEERS   128U

#define QUEUE_MS    10U /* a queue that must shrink tells nobody when it has: looked at so often */
#define FAREWELL_MS 2000U /* for the host to take what was sent last */

static struct hub {
    struct mux mux;
    struct hubline *line;
    int listener, signals;
    int64_t since;
    bool foreground;
    bool told; /* to end */
    uint64_t now;
    uint64_t idle;  /* since when there is no client */
    uint64_t stay;  /* so long it stays then */
    uint64_t retry; /* not before is the line opened */
    unsigned peers; /* in use */
    struct peer peer[PEERS];
    uint8_t out[4096];
    size_t out_at, out_n;
} hub;

static uint64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000UL + (uint64_t)t.tv_nsec;
}

static void note(const char *text)
{
    if (hub.foreground)
        fprintf(stderr, "%s: %s\n", hub.line->name, text);
}

void hub_lock_path(const char *path, char lock[HUB_LOCK_MAX])
{
    snprintf(lock, HUB_LOCK_MAX, "%s.lock", path);
}

static void up(struct mux *m)
{
    (void)m;
    note("the host answers");
}

static void refuse_version(void)
{
    const struct link_refuse *r = &hub.mux.arq.refused;

    for (unsigned i = 0; i < PEERS; i++)
        if (hub.peer[i].state == PEER_WAITS)
            peer_refuse(&hub.peer[i], HUB_NO_HOST,
                        "the host speaks versions %u to %u of the control protocol, this program "
                        "%u: take the bl that belongs to the host",
                        r->oldest, r->newest, LINK_VERSION);
}

static void down(struct mux *m, enum arq_end why)
{
    static const char *const texts[] = {
        [ARQ_END_ASKED] = "the session has ended",
        [ARQ_END_RESET] = "the host's control domain has started again",
        [ARQ_END_SILENT] = "the host does not answer any more",
        [ARQ_END_BROKEN] = "the host broke the protocol",
        [ARQ_END_VERSION] = "the host speaks another version",
    };

    (void)m;
    note(texts[why]);
    for (unsigned i = 0; i < PEERS; i++)
        peer_session_lost(&hub.peer[i]);
    if (why == ARQ_END_VERSION)
        refuse_version();
}

static const struct mux_owner owner = {
    .up = up,
    .down = down,
    .opened = peer_opened,
    .received = peer_received,
    .send = peer_send,
    .closed = peer_closed,
};

static void lose_line(void)
{
    note("the line is closed");
    hubline_close(hub.line);
    hub.out_at = hub.out_n = 0;
    hub.retry = hub.now + RETRY;
    arq_stop(&hub.mux.arq, ARQ_END_ASKED);
}

/* For clients that wait: the line, a session, a channel. */
static void connect_peers(void)
{
    char wrong[256];

    if (hub.line->fd < 0 && hub.now < hub.retry)
        return;
    for (unsigned i = 0; i < PEERS; i++) {
        struct peer *p = &hub.peer[i];

        if (p->state != PEER_WAITS)
            continue;
        if (hub.line->fd < 0 && !hubline_open(hub.line, wrong)) {
            peer_refuse(p, HUB_NO_HOST, "%s", wrong);
            continue;
        }
        if (hub.mux.arq.state == ARQ_DOWN)
            arq_start(&hub.mux.arq, hub.now);
        else if (hub.mux.arq.state == ARQ_UP)
            peer_open(p, &hub.mux);
    }
}

static void accept_peer(void)
{
    int fd = accept4(hub.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred who;
    socklen_t size = sizeof(who);

    if (fd < 0)
        return;
    if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) && (!who.uid || who.uid == geteuid()))
        for (unsigned i = 0; i < PEERS; i++)
            if (hub.peer[i].state == PEER_NONE) {
                peer_init(&hub.peer[i], fd, hub.now);
                hub.peers++;
                return;
            }
    close(fd);
}

/* Emulated lines bring one byte at a time: a short wait spares waking up for each. */
static void read_line(void)
{
    static const struct timespec gather = {0, 200000};
    static uint8_t bytes[65536];
    ssize_t n;

    nanosleep(&gather, NULL);
    n = read(hub.line->fd, bytes, sizeof(bytes));
    if (n > 0)
        arq_receive(&hub.mux.arq, bytes, (size_t)n, hub.now);
    else if (!n || (errno != EAGAIN && errno != EINTR))
        lose_line();
}

/* True: something waits until the line takes it. */
static bool write_line(void)
{
    while (hub.line->fd >= 0) {
        size_t room = MIN(hubline_room(hub.line), sizeof(hub.out));
        ssize_t n;

        if (hub.out_at == hub.out_n) {
            hub.out_at = 0;
            hub.out_n = arq_take(&hub.mux.arq, hub.out, room, hub.now);
        }
        if (hub.out_at == hub.out_n)
            return !room;
        n = write(hub.line->fd, hub.out + hub.out_at, hub.out_n - hub.out_at);
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0 && errno != EINTR)
            lose_line();
        else if (n > 0)
            hub.out_at += (size_t)n;
    }
    return false;
}

static uint64_t tick(void)
{
    uint64_t next;

    arq_tick(&hub.mux.arq, hub.now);
    hub.peers = 0;
    for (unsigned i = 0; i < PEERS; i++)
        if (hub.peer[i].state != PEER_NONE)
            peer_tick(&hub.peer[i], hub.now);
    connect_peers();
    next = MIN(arq_deadline(&hub.mux.arq), hub.now < hub.retry ? hub.retry : ARQ_NEVER);
    for (unsigned i = 0; i < PEERS; i++) {
        const struct peer *p = &hub.peer[i];

        hub.peers += p->state != PEER_NONE;
        if (p->state != PEER_NONE && p->state != PEER_TALKS && p->state != PEER_ENDS)
            next = MIN(next, p->deadline);
    }
    if (hub.peers)
        hub.idle = hub.now;
    return MIN(next, hub.idle + hub.stay);
}

enum { POLL_LISTENER, POLL_SIGNALS, POLL_LINE, POLL_LOCK, POLL_PEERS };

static void fill_polls(struct pollfd *fds, bool stuck, bool room)
{
    fds[POLL_LISTENER] = (struct pollfd){hub.listener, POLLIN, 0};
    fds[POLL_SIGNALS] = (struct pollfd){hub.signals, POLLIN, 0};
    fds[POLL_LINE] = (struct pollfd){hub.line->fd, POLLIN, 0};
    if (stuck && room)
        fds[POLL_LINE].events |= POLLOUT;
    fds[POLL_LOCK] = (struct pollfd){hub.line->lock, POLLIN, 0};
    for (unsigned i = 0; i < PEERS; i++) {
        const struct peer *p = &hub.peer[i];
        bool deaf = p->state == PEER_NONE || p->state == PEER_LEAVES;

        fds[POLL_PEERS + i] = (struct pollfd){deaf ? -1 : p->fd, peer_events(p), 0};
    }
}

static void serve(const struct pollfd *fds)
{
    hub.now = clock_now();
    hub.told = fds[POLL_SIGNALS].revents;
    for (unsigned i = 0; i < PEERS; i++)
        if (fds[POLL_PEERS + i].revents)
            peer_serve(&hub.peer[i], fds[POLL_PEERS + i].revents, hub.now);
    if (fds[POLL_LOCK].revents)
        hubline_tell(hub.line, hub.since);
    if (fds[POLL_LINE].revents & (POLLIN | POLLHUP | POLLERR))
        read_line();
    if (fds[POLL_LISTENER].revents)
        accept_peer();
}

static int wait_ms(uint64_t next, bool stuck, bool room)
{
    uint64_t ms = next > hub.now ? (next - hub.now + MS - 1) / MS : 0;

    if (stuck && !room)
        ms = MIN(ms, QUEUE_MS);
    return (int)MIN(ms, 60000);
}

/* Not while somebody is just about to connect; told to end, the hub waits until he has. */
static bool may_end(const char *path)
{
    char name[HUB_LOCK_MAX];
    int lock;

    if (!hub.told && (hub.peers || hub.now < hub.idle + hub.stay))
        return false;
    hub_lock_path(path, name);
    lock = open(name, O_RDWR | O_CLOEXEC);
    if (lock >= 0 && flock(lock, LOCK_EX | (hub.told ? 0 : LOCK_NB))) {
        close(lock);
        hub.idle = hub.now;
        return false;
    }
    unlink(path); /* before the lock goes with this process */
    return true;
}

/* The host is told. What an emulator has not read when its socket is closed it drops, and it reads
 * no more at once than its serial port's queue has room for. */
static void say_goodbye(void)
{
    static const struct timespec look = {0, QUEUE_MS * MS};

    arq_stop(&hub.mux.arq, ARQ_END_ASKED);
    for (unsigned ms = 0; ms < FAREWELL_MS && (write_line() || hubline_queued(hub.line));
         ms += QUEUE_MS)
        nanosleep(&look, NULL);
}

static void loop(const char *path)
{
    struct pollfd fds[POLL_PEERS + PEERS];

    do {
        uint64_t next;
        bool stuck, room;

        hub.now = clock_now();
        next = tick();
        stuck = write_line();
        room = hub.line->fd >= 0 && hubline_room(hub.line);
        fill_polls(fds, stuck, room);
        if (poll(fds, POLL_PEERS + PEERS, wait_ms(next, stuck, room)) > 0)
            serve(fds);
    } while (!may_end(path));
    say_goodbye();
}

/* A descriptor that is readable when a signal has told the hub to end. */
static int catch_signals(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (hub.foreground)
        sigaddset(&set, SIGHUP);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd >= 0)
        sigprocmask(SIG_BLOCK, &set, NULL);
    return fd;
}

static uint64_t idle_time(void)
{
    const char *text = getenv("BULKHEAD_IDLE");
    char *end;
    unsigned long s = text ? strtoul(text, &end, 10) : IDLE_S;

    return (text && (end == text || *end || s > 86400) ? IDLE_S : s) * 1000 * MS;
}

int hub_run(struct hubline *line, int listener, const char *path, int ready)
{
    char wrong[256] = "";
    uint32_t seed;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, ready < 0 ? SIG_DFL : SIG_IGN);
    hub.line = line;
    hub.listener = listener;
    hub.since = time(NULL);
    hub.foreground = ready < 0;
    hub.signals = catch_signals();
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = (uint32_t)clock_now();
    mux_init(&hub.mux, &owner, false, SILENCE, seed);
    hub.idle = clock_now();
    hub.stay = hub.foreground ? ARQ_NEVER / 2 : idle_time();
    for (unsigned i = 0; i < PEERS; i++)
        hub.peer[i].fd = -1;
    if (!hubline_open(line, wrong)) {
        if (ready < 0)
            fprintf(stderr, "%s\n", wrong);
        else if (write(ready, wrong, strlen(wrong)) < 0)
            wrong[0] = 0; /* who started us has gone */
        unlink(path);
        return 1;
    }
    if (ready >= 0) {
        if (write(ready, "", 1) < 0)
            wrong[0] = 0;
        close(ready);
    }
    loop(path);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "xs/hosted/sockets.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define RING    XENSTORE_RING_SIZE
#define BACKLOG 128
#define ENDED   (EPOLLHUP | EPOLLERR | EPOLLRDHUP)

static struct shared *shared;
static int epoll, wake;
static struct client {
    int fd;     /* 0: none */
    bool more;  /* there may be bytes to take: epoll says so once */
    bool ended; /* and behind them is the end */
    bool full;  /* took not all that there was to give: epoll waits until it has room */
} clients[SLOTS];
static uint32_t asker = SLOTS, answered = SLOTS; /* whose request came last; it has its answer */

void sockets_init(struct shared *s, int epoll_fd, int wake_fd)
{
    shared = s;
    epoll = epoll_fd;
    wake = wake_fd;
}

void sockets_listen(struct listener *l)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(l->path) >= sizeof(address.sun_path))
        errx(EXIT_FAILURE, "%s: too long for a socket", l->path);
    memcpy(address.sun_path, l->path, strlen(l->path) + 1);
    unlink(l->path);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&address, sizeof(address)) ||
        chmod(l->path, S_IRUSR | S_IWUSR) || listen(l->fd, BACKLOG))
        err(EXIT_FAILURE, "%s", l->path);
}

static void kick(uint32_t slot)
{
    const uint64_t one = 1;

    slots_mark(&shared->kicked, slot);
    if (wake >= 0 && shared->worker_sleeps && write(wake, &one, sizeof(one)) < 0)
        err(EXIT_FAILURE, "eventfd");
}

static void hang_up(uint32_t slot)
{
    /* Not by close() alone: a worker that begins has the socket for a moment, too. */
    epoll_ctl(epoll, EPOLL_CTL_DEL, clients[slot].fd, NULL);
    close(clients[slot].fd);
    clients[slot].fd = 0;
    if (slot >= CLIENTS)
        return;
    atomic_store(&shared->slots[slot].state, SLOT_CLOSING);
    kick(slot);
}

/* How many of n bytes from index on lie in one piece of the ring. */
static uint32_t piece(uint32_t index, uint32_t n)
{
    uint32_t at = MASK_XENSTORE_IDX(index);

    return n < RING - at ? n : RING - at;
}

/* From the socket to the ring. False: the client has gone. */
static bool take(uint32_t slot)
{
    struct client *c = &clients[slot];
    struct xenstore_domain_interface *ring = &shared->pages[slot].ring;
    uint32_t prod = ring->req_prod, len;
    uint32_t room = RING - (prod - __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE));
    ssize_t n;

    if (!room || room > RING)
        return true;
    do {
        len = piece(prod, room);
        n = recv(c->fd, ring->req + MASK_XENSTORE_IDX(prod), len, 0);
        c->more = n == (ssize_t)len || c->ended;
        if (n <= 0)
            break;
        prod += (uint32_t)n;
        room -= (uint32_t)n;
    } while (c->more && room);
    if (prod == ring->req_prod)
        return n < 0 && errno == EAGAIN;
    __atomic_store_n(&ring->req_prod, prod, __ATOMIC_RELEASE);
    asker = slot;
    kick(slot);
    if (c->ended)
        slots_mark(&shared->notified, slot); /* its end is taken in another turn */
    return true;
}

/* From the ring to the socket. False: the client has gone. */
static bool give(uint32_t slot)
{
    struct xenstore_domain_interface *ring = &shared->pages[slot].ring;
    uint32_t cons = ring->rsp_cons;
    uint32_t there = __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE) - cons;
    bool is_much = there > RING / 2;

    if (there > RING)
        return true;
    clients[slot].full = false;
    while (there) {
        ssize_t n = send(clients[slot].fd, ring->rsp + MASK_XENSTORE_IDX(cons), piece(cons, there),
                         MSG_NOSIGNAL);

        if (n <= 0) {
            clients[slot].full = n < 0 && errno == EAGAIN;
            if (clients[slot].full)
                break;
            return false;
        }
        cons += (uint32_t)n;
        there -= (uint32_t)n;
    }
    __atomic_store_n(&ring->rsp_cons, cons, __ATOMIC_RELEASE);
    if (is_much)
        kick(slot); /* there may be more for which there was no room */
    return true;
}

static bool is_served(uint32_t slot)
{
    uint32_t state = atomic_load(&shared->slots[slot].state);

    return state == SLOT_OPEN || state == SLOT_INTRODUCED;
}

/* Epoll tells of each change of what can go on, once. */
static int listen_to(uint32_t slot, int fd, int how)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = slot};

    if (clients[slot].full)
        event.events |= EPOLLOUT;
    return epoll_ctl(epoll, how, fd, &event);
}

void sockets_serve(uint32_t slot, uint32_t events)
{
    struct client *c = &clients[slot];
    bool served = is_served(slot), full = c->full;

    if (!c->fd)
        return;
    c->more |= (events & ~(uint32_t)EPOLLOUT) != 0;
    c->ended |= (events & ENDED) != 0;
    if (atomic_load(&shared->slots[slot].state) == SLOT_BROKEN || !give(slot) ||
        (!served && c->ended)) {
        hang_up(slot);
        return;
    }
    if (served && c->more && !take(slot)) {
        give(slot);
        hang_up(slot);
        return;
    }
    if (c->full != full)
        listen_to(slot, c->fd, EPOLL_CTL_MOD);
}

static uint32_t free_slot(const struct listener *l)
{
    if (l->domid < 0) {
        for (uint32_t i = 0; i < CLIENTS; i++)
            if (atomic_load(&shared->slots[i].state) == SLOT_FREE)
                return i;
        return SLOTS;
    }
    for (uint32_t i = CLIENTS; i < SLOTS; i++)
        if (atomic_load(&shared->slots[i].state) != SLOT_FREE && shared->slots[i].domid == l->domid)
            return clients[i].fd ? SLOTS : i;
    return SLOTS;
}

void sockets_accept(const struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    uint32_t slot = fd < 0 ? SLOTS : free_slot(l);

    if (slot < SLOTS)
        clients[slot] = (struct client){0};
    if (slot == SLOTS || listen_to(slot, fd, EPOLL_CTL_ADD)) {
        if (fd >= 0)
            close(fd);
        return;
    }
    clients[slot].fd = fd;
    if (l->domid >= 0)
        return;
    memset(&shared->pages[slot].ring, 0, sizeof(shared->pages[slot].ring));
    shared->slots[slot].domid = 0;
    atomic_store(&shared->slots[slot].state, SLOT_OPEN);
    kick(slot);
}

static void serve(uint32_t slot)
{
    if (slot == asker) {
        slot = answered;
        answered = asker;
    }
    if (slot < SLOTS)
        sockets_serve(slot, 0);
}

/* Who asked is answered last: it goes on, maybe in our place, when all have their events. */
void sockets_serve_notified(void)
{
    uint32_t last;

    slots_take(&shared->notified, serve);
    last = answered;
    answered = SLOTS;
    if (last < SLOTS)
        sockets_serve(last, 0);
}

bool sockets_may_sleep(void)
{
    shared->parent_sleeps = true;
    return slots_empty(&shared->notified) && (wake >= 0 || slots_empty(&shared->kicked));
}

void sockets_awake(void)
{
    shared->parent_sleeps = false;
}

uint64_t sockets_progress(void)
{
    return shared->progress;
}

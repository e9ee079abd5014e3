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

static struct shared *shared;
static int epoll, wake;
static struct client {
    int fd;          /* 0: none */
    uint32_t events; /* that epoll waits for */
} clients[SLOTS];

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
    if (wake >= 0 && write(wake, &one, sizeof(one)) < 0)
        err(EXIT_FAILURE, "eventfd");
}

static void hang_up(uint32_t slot)
{
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
    struct xenstore_domain_interface *ring = &shared->pages[slot].ring;
    uint32_t prod = ring->req_prod, len;
    uint32_t room = RING - (prod - __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE));
    ssize_t n;

    if (!room || room > RING)
        return true;
    do {
        len = piece(prod, room);
        n = recv(clients[slot].fd, ring->req + MASK_XENSTORE_IDX(prod), len, 0);
        if (n <= 0)
            break;
        prod += (uint32_t)n;
        room -= (uint32_t)n;
    } while ((uint32_t)n == len && room);
    if (prod == ring->req_prod)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    __atomic_store_n(&ring->req_prod, prod, __ATOMIC_RELEASE);
    kick(slot);
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
    while (there) {
        ssize_t n = send(clients[slot].fd, ring->rsp + MASK_XENSTORE_IDX(cons), piece(cons, there),
                         MSG_NOSIGNAL);

        if (n <= 0) {
            if (n < 0 && (errno == EAGAIN || errno == EINTR))
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

/* Waits for what can go on: bytes to take when there is room, room when there are bytes to give. */
static void wait_for(uint32_t slot)
{
    const struct xenstore_domain_interface *ring = &shared->pages[slot].ring;
    struct client *c = &clients[slot];
    struct epoll_event event = {.data.u64 = slot};

    if (is_served(slot) && ring->req_prod - ring->req_cons < RING)
        event.events |= EPOLLIN;
    if (ring->rsp_prod != ring->rsp_cons)
        event.events |= EPOLLOUT;
    if (event.events == c->events)
        return;
    c->events = event.events;
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

void sockets_serve(uint32_t slot, uint32_t events)
{
    bool served = is_served(slot);

    if (!clients[slot].fd)
        return;
    if (atomic_load(&shared->slots[slot].state) == SLOT_BROKEN || !give(slot) ||
        (!served && events & (EPOLLHUP | EPOLLERR))) {
        hang_up(slot);
        return;
    }
    if (served && events & ~(uint32_t)EPOLLOUT && !take(slot)) {
        give(slot);
        hang_up(slot);
        return;
    }
    wait_for(slot);
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
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = slot};

    if (slot == SLOTS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
        if (fd >= 0)
            close(fd);
        return;
    }
    clients[slot] = (struct client){fd, EPOLLIN};
    if (l->domid >= 0)
        return;
    memset(&shared->pages[slot].ring, 0, sizeof(shared->pages[slot].ring));
    shared->slots[slot].domid = 0;
    atomic_store(&shared->slots[slot].state, SLOT_OPEN);
    kick(slot);
}

static void serve(uint32_t slot)
{
    sockets_serve(slot, 0);
}

void sockets_serve_notified(void)
{
    slots_take(&shared->notified, serve);
}

uint64_t sockets_progress(void)
{
    return shared->progress;
}

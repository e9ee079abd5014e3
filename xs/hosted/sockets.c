/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "xs/hosted/sockets.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define RING    XENSTORE_RING_SIZE
#define EVENTS  64
#define ENDED   (EPOLLHUP | EPOLLERR | EPOLLRDHUP)
#define CHANNEL SLOTS /* number of epoll's event that is no slot */
#define NOT_YET UINT32_MAX

static struct shared *shared;
static int epoll, channel, hung_up;
static struct client {
    int fd;     /* 0: none */
    bool more;  /* there may be bytes to take: epoll says so once */
    bool ended; /* and behind them is the end */
    bool full;  /* took not all that there was to give: epoll waits until it has room */
} clients[SLOTS];
static uint32_t asker = SLOTS, answered = SLOTS; /* whose request came last; it has its answer */

/* Slots that have changed: a bit for each, and a bit for each word that has some. */
#define SLOT_WORDS  (SLOTS / 64)
#define SLOT_GROUPS ((SLOT_WORDS + 63) / 64)
static struct {
    uint64_t groups[SLOT_GROUPS], words[SLOT_WORDS];
} notified;

void sockets_notify(uint32_t slot)
{
    uint32_t word = slot / 64;

    notified.words[word] |= 1ULL << slot % 64;
    notified.groups[word / 64] |= 1ULL << word % 64;
}

/* Epoll tells of each change of what can go on, once. */
static int listen_to(uint32_t slot, int fd, int how)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u64 = slot};

    if (clients[slot].full)
        event.events |= EPOLLOUT;
    return epoll_ctl(epoll, how, fd, &event);
}

/* Nobody is told of the end by our close() alone: the keeper has the socket, too. */
static void keeper_closes(uint32_t slot)
{
    const uint64_t one = 1;

    atomic_store(&shared->slots[slot].hung_up, true);
    if (write(hung_up, &one, sizeof(one)) < 0)
        err(EXIT_FAILURE, "eventfd");
}

static void give_up(uint32_t slot)
{
    clients[slot].fd = 0;
    if (slot < CLIENTS)
        worker_detach(slot);
    keeper_closes(slot);
}

void sockets_open(uint32_t slot, int fd)
{
    clients[slot] = (struct client){.fd = fd};
    sockets_notify(slot);
    if (fd >= 0 && !listen_to(slot, fd, EPOLL_CTL_ADD))
        return;
    if (fd >= 0)
        close(fd);
    give_up(slot);
}

static void hang_up(uint32_t slot)
{
    epoll_ctl(epoll, EPOLL_CTL_DEL, clients[slot].fd, NULL);
    close(clients[slot].fd);
    give_up(slot);
}

/* Puts into the ring's index what the call has moved; not twice, if we die in the midst of it. */
static void transfer_end(struct transfer *t)
{
    if (t->message.msg_len != NOT_YET)
        __atomic_store_n(t->index, t->from + t->message.msg_len, __ATOMIC_RELEASE);
    __atomic_store_n(&t->index, NULL, __ATOMIC_RELEASE);
}

/* Moves up to n bytes of a ring, from *index on. The number; -1: see errno. */
static int transfer(int fd, bool in, char *ring, XENSTORE_RING_IDX *index, uint32_t n)
{
    struct transfer *t = &shared->transfer;
    uint32_t at = MASK_XENSTORE_IDX(*index), first = n < RING - at ? n : RING - at;
    int count, error;

    t->pieces[0] = (struct iovec){ring + at, first};
    t->pieces[1] = (struct iovec){ring, n - first};
    t->message.msg_hdr = (struct msghdr){.msg_iov = t->pieces, .msg_iovlen = n == first ? 1 : 2};
    t->message.msg_len = NOT_YET;
    t->from = *index;
    __atomic_store_n(&t->index, index, __ATOMIC_RELEASE);
    count = in ? recvmmsg(fd, &t->message, 1, 0, NULL) : sendmmsg(fd, &t->message, 1, MSG_NOSIGNAL);
    error = errno;
    transfer_end(t);
    errno = error;
    return count == 1 ? (int)t->message.msg_len : -1;
}

/* From the socket to the ring. False: the client has gone. */
static bool take(uint32_t slot)
{
    struct client *c = &clients[slot];
    struct xenstore_domain_interface *ring = &shared->pages[slot].ring;
    uint32_t room = RING - (ring->req_prod - ring->req_cons);
    int n;

    if (!room || room > RING)
        return true;
    n = transfer(c->fd, true, ring->req, &ring->req_prod, room);
    c->more = n == (int)room || c->ended;
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    asker = slot;
    worker_kick(slot);
    if (c->ended)
        sockets_notify(slot); /* its end is taken in another turn */
    return true;
}

/* From the ring to the socket. False: the client has gone. */
static bool give(uint32_t slot)
{
    struct client *c = &clients[slot];
    struct xenstore_domain_interface *ring = &shared->pages[slot].ring;
    uint32_t there = ring->rsp_prod - ring->rsp_cons;
    int n;

    c->full = false;
    if (!there || there > RING)
        return true;
    n = transfer(c->fd, false, ring->rsp, &ring->rsp_cons, there);
    if (n < 0 && errno != EAGAIN)
        return false;
    c->full = n < (int)there;
    if (n > 0 && there > RING / 2)
        worker_kick(slot); /* there may be more for which there was no room */
    return true;
}

static bool is_served(uint32_t slot)
{
    uint32_t state = atomic_load(&shared->slots[slot].state);

    return state == SLOT_OPEN || state == SLOT_INTRODUCED;
}

/* Epoll says this of a slot's socket; 0: the store has changed the ring or the slot. */
static void serve(uint32_t slot, uint32_t events)
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

/* The keeper has accepted somebody. */
static void take_new(void)
{
    uint32_t slot;
    struct iovec piece = {&slot, sizeof(slot)};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    const struct cmsghdr *c;
    int fd = -1; /* we may have too many */

    if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != sizeof(slot))
        exit(EXIT_FAILURE);
    c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    worker_kick(slot);
    sockets_open(slot, fd);
}

void sockets_begin(const struct worker_args *args)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = CHANNEL};

    shared = args->shared;
    channel = args->channel;
    hung_up = args->hung_up;
    if (shared->transfer.index)
        transfer_end(&shared->transfer);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, channel, &event))
        err(EXIT_FAILURE, "epoll");
}

void sockets_wait(bool sleep)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll, events, EVENTS, sleep ? -1 : 0);

    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == CHANNEL)
            take_new();
        else
            serve((uint32_t)events[i].data.u64, events[i].events);
    }
}

static void serve_notified(uint32_t slot)
{
    if (slot == asker) {
        slot = answered;
        answered = asker;
    }
    if (slot < SLOTS)
        serve(slot, 0);
}

/* Who asked is answered last: it goes on, maybe in our place, when all have their events. */
bool sockets_serve_notified(void)
{
    uint32_t last;
    bool more = false;

    for (uint32_t group = 0; group < SLOT_GROUPS; group++) {
        uint64_t words = notified.groups[group];

        for (notified.groups[group] = 0; words; words &= words - 1) {
            uint32_t word = group * 64 + (uint32_t)__builtin_ctzll(words);
            uint64_t bits = notified.words[word];

            for (notified.words[word] = 0; bits; bits &= bits - 1)
                serve_notified(word * 64 + (uint32_t)__builtin_ctzll(bits));
        }
    }
    last = answered;
    answered = SLOTS;
    if (last < SLOTS)
        serve(last, 0);
    for (uint32_t group = 0; group < SLOT_GROUPS; group++)
        more |= notified.groups[group] != 0;
    return more;
}

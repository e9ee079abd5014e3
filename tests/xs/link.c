// SPDX-License-Identifier: MIT
#include "tests/xs/side.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
    if (bytes->size - bytes->len < len) {
        bytes->size = (bytes->len + len) * 2;
        bytes->data = realloc(bytes->data, bytes->size);
        if (!bytes->data)
            abort();
    }
    if (len)
        memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

void bytes_drop(struct bytes *bytes, size_t len)
{
    bytes->len -= len;
    if (len)
        memmove(bytes->data, bytes->data + len, bytes->len);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        close(fd);
        return -1;
    }
    return fd;
}

bool link_open(struct side *side, unsigned client)
{
    struct link *link = &side->links[client];
    int domid = client_domid(client);
    char path[96];
    link->fd = -1;
    if (side->shim && domid >= 0) {
        link->ring = &side->machine->store[domid].ring;
        link->up = true;
        return true;
    }
    if (domid > 0)
        snprintf(path, sizeof(path), "%s/domain%d", side->dir, domid);
    else
        snprintf(path, sizeof(path), "%s/socket", side->dir);
    link->fd = connect_to(path);
    link->up = link->fd >= 0;
    return link->up;
}

void link_close(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->up = false;
    link->in.len = 0;
    memset(link->tx, 0, sizeof(link->tx));
}

/* The domain's end of the ring writes req_prod and rsp_cons, the daemon's the other two. */
static size_t ring_put(struct xenstore_domain_interface *ring, const char *data, size_t len)
{
    uint32_t cons = __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE);
    size_t done = 0;
    while (done < len && ring->req_prod + done - cons < XENSTORE_RING_SIZE) {
        ring->req[MASK_XENSTORE_IDX(ring->req_prod + done)] = data[done];
        done++;
    }
    __atomic_store_n(&ring->req_prod, (uint32_t)(ring->req_prod + done), __ATOMIC_RELEASE);
    return done;
}

static size_t ring_take(struct xenstore_domain_interface *ring, struct bytes *to)
{
    uint32_t prod = __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE);
    size_t taken = 0;
    for (uint32_t cons = ring->rsp_cons; cons != prod; cons++, taken++)
        bytes_add(to, &ring->rsp[MASK_XENSTORE_IDX(cons)], 1);
    __atomic_store_n(&ring->rsp_cons, prod, __ATOMIC_RELEASE);
    return taken;
}

static void ring_notify(struct side *side, const struct link *link)
{
    uint32_t port = machine_port((uint32_t)client_domid((unsigned)(link - side->links)));
    (void)send(side->event_fd, &port, sizeof(port), 0);
}

bool link_send(struct side *side, struct link *link, const void *data, size_t len)
{
    const char *at = data;
    while (len) {
        ssize_t sent = link->ring ? (ssize_t)ring_put(link->ring, at, len)
                                  : send(link->fd, at, len, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        at += sent;
        len -= (size_t)sent;
        if (link->ring)
            ring_notify(side, link);
        if (!sent && !link_receive_all(side))
            return false;
    }
    return true;
}

static bool receive(struct link *link)
{
    char buffer[16384];
    if (link->ring)
        return ring_take(link->ring, &link->in) != 0;
    ssize_t got = recv(link->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got > 0)
        bytes_add(&link->in, buffer, (size_t)got);
    else
        link->up = false;
    return true;
}

static bool receive_what_is_there(struct side *side)
{
    uint32_t domid;
    bool any = false;
    while (side->machine && recv(side->event_fd, &domid, sizeof(domid), MSG_DONTWAIT) > 0)
        any = true;
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct link *link = &side->links[i];
        while (link->up && !link->paused && receive(link)) {
            any = true;
            if (link->ring)
                ring_notify(side, link); /* there is room again */
        }
    }
    return any;
}

bool link_receive_all(struct side *side)
{
    struct pollfd fds[CLIENTS + 1];
    nfds_t count = 0;
    if (receive_what_is_there(side))
        return true;
    if (side->machine)
        fds[count++] = (struct pollfd){.fd = side->event_fd, .events = POLLIN};
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (side->links[i].up && side->links[i].fd >= 0)
            fds[count++] = (struct pollfd){.fd = side->links[i].fd, .events = POLLIN};
    }
    return poll(fds, count, HANG_MS) > 0 && receive_what_is_there(side);
}

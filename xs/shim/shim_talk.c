/* SPDX-License-Identifier: MIT */
#include "xs/shim/shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool fill(struct shim_message *m, uint32_t type, xs_transaction_t t,
                 const struct shim_part *parts, size_t nparts)
{
    size_t len = 0;

    for (size_t i = 0; i < nparts; i++) {
        if (parts[i].size > XENSTORE_PAYLOAD_MAX - len) {
            errno = E2BIG;
            return false;
        }
        if (parts[i].size)
            memcpy(m->body + len, parts[i].data, parts[i].size);
        len += parts[i].size;
    }
    m->header.type = type;
    m->header.req_id++;
    m->header.tx_id = t;
    m->header.len = (uint32_t)len;
    return true;
}

/* Devices are no sockets, and no cause of SIGPIPE either. */
static ssize_t put(int fd, const char *data, size_t size)
{
    ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

    return n < 0 && errno == ENOTSOCK ? write(fd, data, size) : n;
}

static bool send_request(struct xs_handle *h)
{
    const char *data = (const char *)&h->request;
    size_t left = sizeof(h->request.header) + h->request.header.len;

    while (left) {
        ssize_t n = put(h->fd, data, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return shim_lose(h, n ? errno : EIO);
        data += n;
        left -= (size_t)n;
    }
    return true;
}

/* From here on an answer may come. */
static bool prepare(struct xs_handle *h, uint32_t type, xs_transaction_t t,
                    const struct shim_part *parts, size_t nparts)
{
    bool fine = false;

    pthread_mutex_lock(&h->lock);
    if (h->lost)
        errno = h->lost;
    else
        fine = fill(&h->request, type, t, parts, nparts);
    if (fine)
        h->state = SHIM_WAITING;
    pthread_mutex_unlock(&h->lock);
    return fine;
}

static bool await(struct xs_handle *h)
{
    bool fine;

    while (!h->reader_pid && h->state == SHIM_WAITING && shim_receive(h))
        ;
    pthread_mutex_lock(&h->lock);
    while (h->state == SHIM_WAITING && !h->lost)
        pthread_cond_wait(&h->answered, &h->lock);
    fine = h->state == SHIM_ANSWERED;
    if (!fine)
        errno = h->lost;
    h->state = SHIM_IDLE;
    pthread_mutex_unlock(&h->lock);
    return fine;
}

static int error_number(const char *name)
{
    for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
        if (!strcmp(name, xsd_errors[i].errstring))
            return xsd_errors[i].errnum;
    return EINVAL;
}

/* With `busy` held; the answer is then in h->answer. */
static bool exchange(struct xs_handle *h, uint32_t type, xs_transaction_t t,
                     const struct shim_part *parts, size_t nparts)
{
    if (!prepare(h, type, t, parts, nparts))
        return false;
    send_request(h);
    if (!await(h))
        return false;
    if (h->answer.header.type == XS_ERROR) {
        errno = error_number(h->answer.body);
        return false;
    }
    return true;
}

/* A thread that is cancelled goes after its request: half of one would be the connection's end. */
static bool begin(struct xs_handle *h, int *cancel)
{
    if (!shim_is_here(h))
        return false;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, cancel);
    pthread_mutex_lock(&h->busy);
    return true;
}

static void end(struct xs_handle *h, int cancel)
{
    pthread_mutex_unlock(&h->busy);
    pthread_setcancelstate(cancel, NULL);
}

bool shim_ask(struct xs_handle *h, uint32_t type, xs_transaction_t t, const struct shim_part *parts,
              size_t nparts)
{
    int cancel;
    bool fine;

    if (!begin(h, &cancel))
        return false;
    fine = exchange(h, type, t, parts, nparts);
    end(h, cancel);
    return fine;
}

char *shim_fetch(struct xs_handle *h, uint32_t type, xs_transaction_t t,
                 const struct shim_part *parts, size_t nparts, size_t *len)
{
    char *copy = NULL;
    int cancel;

    if (!begin(h, &cancel))
        return NULL;
    if (exchange(h, type, t, parts, nparts)) {
        *len = h->answer.header.len;
        copy = malloc(*len + 1);
        if (copy)
            memcpy(copy, h->answer.body, *len + 1);
    }
    end(h, cancel);
    return copy;
}

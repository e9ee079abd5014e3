/* SPDX-License-Identifier: MIT */
#include "xs/shim/shim.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool shim_lose(struct xs_handle *h, int error)
{
    pthread_mutex_lock(&h->lock);
    if (!h->lost)
        h->lost = error;
    if (!h->first)
        shim_set_ready(h);
    pthread_cond_broadcast(&h->answered);
    pthread_cond_broadcast(&h->fired);
    pthread_mutex_unlock(&h->lock);
    return false;
}

/* Waits for bytes, or for the end of the thread that reads. */
static bool may_read(struct xs_handle *h)
{
    struct pollfd fds[] = {{h->fd, POLLIN, 0}, {h->stop, POLLIN, 0}};

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR && errno != EAGAIN)
            return false;
    return !fds[1].revents;
}

/* All of n bytes; the other side's end is as if there were no connection. */
static bool get(struct xs_handle *h, void *to, size_t n)
{
    while (n) {
        ssize_t got;

        if (h->reader_pid && !may_read(h))
            return shim_lose(h, EBADF);
        got = read(h->fd, to, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return shim_lose(h, got ? errno : EBADF);
        to = (char *)to + got;
        n -= (size_t)got;
    }
    return true;
}

/* An event is two strings; what may follow them in another version is left out. */
static bool parse_event(struct shim_event *e, size_t len)
{
    size_t path = strnlen(e->text, len) + 1;

    if (path >= len || path + strnlen(e->text + path, len - path) >= len)
        return false;
    e->strings[XS_WATCH_PATH] = e->text;
    e->strings[XS_WATCH_TOKEN] = e->text + path;
    return true;
}

static bool receive_event(struct xs_handle *h, size_t len)
{
    struct shim_event *e = malloc(sizeof(*e) + len);

    if (!e)
        return shim_lose(h, ENOMEM);
    if (!get(h, e->text, len) || (!parse_event(e, len) && !shim_lose(h, EBADF))) {
        free(e);
        return false;
    }
    pthread_mutex_lock(&h->lock);
    shim_queue_event(h, e);
    pthread_mutex_unlock(&h->lock);
    return true;
}

static bool is_answer(struct xs_handle *h, const struct xsd_sockmsg *m)
{
    bool is;

    pthread_mutex_lock(&h->lock);
    is = h->state == SHIM_WAITING && m->req_id == h->request.header.req_id &&
         (m->type == h->request.header.type || m->type == XS_ERROR);
    pthread_mutex_unlock(&h->lock);
    return is;
}

static bool receive_answer(struct xs_handle *h, const struct xsd_sockmsg *m)
{
    if (!is_answer(h, m))
        return shim_lose(h, EBADF);
    h->answer.header = *m;
    if (!get(h, h->answer.body, m->len))
        return false;
    h->answer.body[m->len] = 0;
    pthread_mutex_lock(&h->lock);
    h->state = SHIM_ANSWERED;
    pthread_cond_signal(&h->answered);
    pthread_mutex_unlock(&h->lock);
    return true;
}

bool shim_receive(struct xs_handle *h)
{
    struct xsd_sockmsg m;

    if (!get(h, &m, sizeof(m)))
        return false;
    if (m.len > XENSTORE_PAYLOAD_MAX)
        return shim_lose(h, EBADF);
    return m.type == XS_WATCH_EVENT ? receive_event(h, m.len) : receive_answer(h, &m);
}

static void *read_all(void *arg)
{
    while (shim_receive(arg))
        ;
    return NULL;
}

/* The program's signals are not for this thread. */
static int create_thread(struct xs_handle *h)
{
    sigset_t all, before;
    int wrong;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    wrong = pthread_create(&h->reader, NULL, read_all, h);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return wrong;
}

static int start(struct xs_handle *h)
{
    int wrong;

    h->stop = eventfd(0, EFD_CLOEXEC);
    if (h->stop < 0)
        return errno;
    h->reader_pid = getpid();
    wrong = create_thread(h);
    if (wrong) {
        h->reader_pid = 0;
        close(h->stop);
    }
    return wrong;
}

void shim_stop_reader(struct xs_handle *h)
{
    if (!h->reader_pid)
        return;
    if (h->reader_pid == getpid()) {
        eventfd_write(h->stop, 1);
        pthread_join(h->reader, NULL);
    }
    close(h->stop);
}

bool shim_is_here(struct xs_handle *h)
{
    int pid = h->reader_pid;

    if (!pid || pid == getpid())
        return true;
    errno = EBADF;
    return false;
}

bool shim_start_reader(struct xs_handle *h)
{
    int wrong;

    if (!shim_is_here(h))
        return false;
    pthread_mutex_lock(&h->busy);
    wrong = h->reader_pid ? 0 : start(h);
    pthread_mutex_unlock(&h->busy);
    if (wrong)
        errno = wrong;
    return !wrong;
}

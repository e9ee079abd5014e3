/* SPDX-License-Identifier: MIT */
#include "xs/shim/shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

_Static_assert(!offsetof(struct shim_event, strings), "the user frees what it gets");

void shim_set_ready(struct xs_handle *h)
{
    if (h->ready >= 0)
        eventfd_write(h->ready, 1);
}

static void clear_ready(struct xs_handle *h)
{
    eventfd_t count;

    if (h->ready >= 0)
        eventfd_read(h->ready, &count);
}

void shim_queue_event(struct xs_handle *h, struct shim_event *e)
{
    if (!h->first)
        shim_set_ready(h);
    e->next = NULL;
    *h->end = e;
    h->end = &e->next;
    pthread_cond_signal(&h->fired);
}

static struct shim_event *unlink_event(struct xs_handle *h, struct shim_event **at)
{
    struct shim_event *e = *at;

    *at = e->next;
    if (h->end == &e->next)
        h->end = at;
    if (!h->first && !h->lost)
        clear_ready(h);
    return e;
}

int xs_fileno(struct xs_handle *h)
{
    int fd;

    pthread_mutex_lock(&h->lock);
    if (h->ready < 0) {
        h->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (h->first || h->lost)
            shim_set_ready(h);
    }
    fd = h->ready;
    pthread_mutex_unlock(&h->lock);
    return fd;
}

static void unlock(void *lock)
{
    pthread_mutex_unlock(lock);
}

/* With the lock held; it is given back when the thread is cancelled here. */
static void wait_for_event(struct xs_handle *h)
{
    pthread_cleanup_push(unlock, &h->lock);
    while (!h->first && !h->lost)
        pthread_cond_wait(&h->fired, &h->lock);
    pthread_cleanup_pop(0);
}

/* Events come first, then the loss of the connection; that makes xs_fileno() readable only once, so
 * that nobody polls for ever who takes it for the lack of an event. */
static char **next_event(struct xs_handle *h, bool wait)
{
    struct shim_event *e = NULL;

    if (!shim_is_here(h))
        return NULL;
    pthread_mutex_lock(&h->lock);
    if (wait)
        wait_for_event(h);
    if (h->first) {
        e = unlink_event(h, &h->first);
    } else {
        clear_ready(h);
        errno = h->lost ? EINVAL : EAGAIN;
    }
    pthread_mutex_unlock(&h->lock);
    return e ? e->strings : NULL;
}

char **xs_check_watch(struct xs_handle *h)
{
    return next_event(h, false);
}

char **xs_read_watch(struct xs_handle *h, unsigned int *num)
{
    char **strings = next_event(h, true);

    if (strings)
        *num = XS_WATCH_TOKEN + 1;
    return strings;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
    return shim_start_reader(h) &&
           shim_ask(h, XS_WATCH, XBT_NULL, SHIM_PARTS(SHIM_STRING(path), SHIM_STRING(token)));
}

/* xs_path_is_subpath() knows of nothing below "/". */
static bool is_below(const char *parent, const char *path)
{
    return xs_path_is_subpath(parent, path) || (!strcmp(parent, "/") && path[0] == '/');
}

static void forget_events(struct xs_handle *h, const char *path, const char *token)
{
    struct shim_event **at = &h->first;

    pthread_mutex_lock(&h->lock);
    while (*at) {
        if (!strcmp((*at)->strings[XS_WATCH_TOKEN], token) &&
            is_below(path, (*at)->strings[XS_WATCH_PATH]))
            free(unlink_event(h, at));
        else
            at = &(*at)->next;
    }
    pthread_mutex_unlock(&h->lock);
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
    if (!shim_ask(h, XS_UNWATCH, XBT_NULL, SHIM_PARTS(SHIM_STRING(path), SHIM_STRING(token))))
        return false;
    if (h->filter)
        forget_events(h, path, token);
    return true;
}

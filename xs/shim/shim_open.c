/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "xs/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Of libxentoolcore, when the program has it: xentoolcore_restrict_all() is to find our handles. */
__attribute__((weak)) void xentoolcore__register_active_handle(struct toolcore_handle *t);
__attribute__((weak)) void xentoolcore__deregister_active_handle(struct toolcore_handle *t);
__attribute__((weak)) int xentoolcore__restrict_by_dup2_null(int fd);

static int restrict_handle(struct toolcore_handle *t, uint16_t domid)
{
    struct xs_handle *h = (struct xs_handle *)((char *)t - offsetof(struct xs_handle, toolcore));

    (void)domid;
    return xentoolcore__restrict_by_dup2_null(h->fd);
}

static int open_socket(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd, wrong;

    if (strlen(path) >= sizeof(to.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(to.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !connect(fd, (struct sockaddr *)&to, sizeof(to)))
        return fd;
    wrong = errno;
    close(fd);
    errno = wrong;
    return -1;
}

static int open_path(const char *path)
{
    struct stat st;

    if (!path || stat(path, &st))
        return -1;
    return S_ISSOCK(st.st_mode) ? open_socket(path) : open(path, O_RDWR | O_CLOEXEC);
}

/* XENSTORED_PATH names one store, and it alone is meant; else BULKHEAD_HOST, which names a host to
 * all programs; else the store of the machine that this is. */
static int open_store(bool *on_host)
{
    char path[PATH_MAX];
    int fd;

    *on_host = !getenv("XENSTORED_PATH") && shim_host_named();
    if (*on_host)
        return shim_connect();
    fd = open_path(shim_socket(path));
    if (fd >= 0 || getenv("XENSTORED_PATH"))
        return fd;
    fd = open_path("/dev/xen/xenbus");
    return fd >= 0 || errno != ENOENT ? fd : open_path("/proc/xen/xenbus");
}

static struct xs_handle *create(int fd)
{
    struct xs_handle *h = calloc(1, sizeof(*h));

    if (!h)
        return NULL;
    h->fd = fd;
    h->ready = -1;
    h->end = &h->first;
    pthread_mutex_init(&h->busy, NULL);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->answered, NULL);
    pthread_cond_init(&h->fired, NULL);
    h->toolcore.restrict_to = restrict_handle;
    if (xentoolcore__register_active_handle)
        xentoolcore__register_active_handle(&h->toolcore);
    return h;
}

/* Whether the host can be reached shows when its store answers, with whatever. */
static struct xs_handle *check_host(struct xs_handle *h)
{
    if (shim_ask(h, XS_GET_DOMAIN_PATH, XBT_NULL, SHIM_PARTS(SHIM_STRING("0"))) || !h->lost)
        return h;
    xs_close(h);
    errno = ECONNREFUSED;
    return NULL;
}

struct xs_handle *xs_open(unsigned long flags)
{
    struct xs_handle *h;
    bool on_host;
    int fd = open_store(&on_host);

    if (fd < 0)
        return NULL;
    h = create(fd);
    if (!h) {
        close(fd);
        errno = ENOMEM;
        return NULL;
    }
    h->filter = flags & XS_UNWATCH_FILTER;
    return on_host ? check_host(h) : h;
}

struct xs_handle *xs_daemon_open(void)
{
    return xs_open(0);
}

struct xs_handle *xs_daemon_open_readonly(void)
{
    return xs_open(0);
}

struct xs_handle *xs_domain_open(void)
{
    return xs_open(0);
}

void xs_close(struct xs_handle *h)
{
    if (!h)
        return;
    if (xentoolcore__deregister_active_handle)
        xentoolcore__deregister_active_handle(&h->toolcore);
    shim_stop_reader(h);
    close(h->fd);
    if (h->ready >= 0)
        close(h->ready);
    while (h->first) {
        struct shim_event *e = h->first;

        h->first = e->next;
        free(e);
    }
    free(h);
}

void xs_daemon_close(struct xs_handle *h)
{
    xs_close(h);
}

/* xs_close() sees by itself that this is another process. */
void xs_daemon_destroy_postfork(struct xs_handle *h)
{
    xs_close(h);
}

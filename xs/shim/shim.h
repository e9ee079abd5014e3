/* SPDX-License-Identifier: MIT */
/*
 * libxenstore.so.4 of our own, in the place of Debian's. What its functions do is said in
 * <xenstore.h> and <xenstore_lib.h> (libxen-dev), the protocol in <xen/io/xs_wire.h>.
 *
 * One request is under way at a time on a handle. Until the first xs_watch() the caller reads the
 * answer itself; from then on a thread reads all that comes, and hands answers and events on.
 */
#ifndef BH_XS_SHIM_SHIM_H
#define BH_XS_SHIM_SHIM_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <xenstore.h>

/* What libxentoolcore knows a handle by: a layout that Xen's libraries agree on. */
struct toolcore_handle {
    int (*restrict_to)(struct toolcore_handle *t, uint16_t domid);
    struct toolcore_handle *next, **prev;
};

struct shim_event {
    char *strings[XS_WATCH_TOKEN + 1]; /* first: the user gets and frees the whole as an array */
    struct shim_event *next;
    char text[];
};

struct shim_message {
    struct xsd_sockmsg header;
    char body[XENSTORE_PAYLOAD_MAX + 1];
};

struct xs_handle {
    int fd;
    bool filter; /* XS_UNWATCH_FILTER */
    struct toolcore_handle toolcore;

    pthread_mutex_t busy; /* a request is under way; taken before `lock` */
    struct shim_message request;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t answered, fired;
    enum { SHIM_IDLE, SHIM_WAITING, SHIM_ANSWERED } state;
    struct shim_message answer; /* while waiting, of who reads the connection */
    int lost;                   /* the connection is of no use any more: errno of requests */
    struct shim_event *first, **end;
    int ready; /* eventfd of xs_fileno(), or -1; readable while there is something to tell */

    atomic_int reader_pid; /* process with the thread that reads, or 0 */
    pthread_t reader;
    int stop; /* eventfd that ends the thread */
};

/* A letter for each XS_PERM_NONE, _READ, _WRITE and both of these. */
extern const char shim_permissions[5];

struct shim_part {
    const void *data;
    size_t size;
};

#define SHIM_STRING(s)                                                                             \
    (struct shim_part)                                                                             \
    {                                                                                              \
        (s), strlen(s) + 1                                                                         \
    }
#define SHIM_PARTS(...)                                                                            \
    (const struct shim_part[]){__VA_ARGS__},                                                       \
        sizeof((struct shim_part[]){__VA_ARGS__}) / sizeof(struct shim_part)

/* shim_talk.c */

/* Sends a request made of parts and waits for its answer: false with errno set when the store
 * refuses it or the connection is lost. */
bool shim_ask(struct xs_handle *h, uint32_t type, xs_transaction_t t, const struct shim_part *parts,
              size_t nparts);

/* The same; returns the answer with a NUL behind it, to be freed, and its length without that. */
char *shim_fetch(struct xs_handle *h, uint32_t type, xs_transaction_t t,
                 const struct shim_part *parts, size_t nparts, size_t *len);

/* shim_read.c */

/* Reads one message and hands it on; false when the connection is lost. Only one at a time. */
bool shim_receive(struct xs_handle *h);

/* The connection is of no use from now on. Returns false. */
bool shim_lose(struct xs_handle *h, int error);

/* Starts the thread that reads, unless it runs; false with errno set when that fails. */
bool shim_start_reader(struct xs_handle *h);

/* In the child of a fork there is no such thread: it is only forgotten. */
void shim_stop_reader(struct xs_handle *h);

/* False with errno set in a child of the process that has the thread. */
bool shim_is_here(struct xs_handle *h);

/* shim_watch.c */

/* Each with the lock held. */
void shim_queue_event(struct xs_handle *h, struct shim_event *e);
void shim_set_ready(struct xs_handle *h);

/* shim_paths.c */

/* The store's socket: path, filled in, or what the environment says; NULL with errno set. */
const char *shim_socket(char path[PATH_MAX]);

/* shim_host.c */

/* Is there a Bulkhead host that xs_open() goes to? */
bool shim_host_named(void);

/* A connection to the store of that host: a socket, or -1 with errno set. */
int shim_connect(void);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * bl-xenstored: the store on Unix sockets, for tests and for the development of clients. This is
 * the keeper: it accepts clients, and starts the worker, which is the store and serves them, again
 * whenever it dies.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xs/hosted/shared.h"

#define LISTENERS 64U
#define BACKLOG   128
#define HOPELESS  20U /* deaths in a row in which the worker did nothing */

/* Numbers of epoll's events; those before are listeners. */
enum { SOURCE_HUNG_UP = LISTENERS, SOURCE_SIGNAL };

static const char usage[] =
    "usage: bl-xenstored [--socket PATH] [--domain-socket DOMID:PATH]... [--vault-size "
    "BYTES[K|M]]\n"
    "\n"
    "  --socket         where clients of domain 0 connect (default: $XENSTORED_PATH)\n"
    "  --domain-socket  where a client connects as an unprivileged domain, once INTRODUCEd\n"
    "  --vault-size     memory of the store (default: 64M)\n";

/* domid -1: any number of clients, all of domain 0; else one at a time, who is that domain. */
static struct listener {
    int fd;
    int64_t domid;
    const char *path;
} listeners[LISTENERS];
static unsigned n_listeners;
static struct worker_args args = {.vault_size = 64U << 20};
static struct shared *shared;
static int epoll, signal_fd;
static int channel = -1; /* to the worker */
static pid_t worker;

static void bad_usage(const char *what)
{
    fprintf(stderr, "bl-xenstored: %s\n%s", what, usage);
    exit(2);
}

static void add_listener(int64_t domid, const char *path)
{
    if (n_listeners == LISTENERS)
        bad_usage("too many sockets");
    listeners[n_listeners++] = (struct listener){-1, domid, path};
}

static void add_domain(const char *arg)
{
    char *end;
    unsigned long domid = strtoul(arg, &end, 10);

    if (end == arg || *end != ':' || !end[1] || !domid || domid > UINT16_MAX)
        bad_usage("--domain-socket wants DOMID:PATH");
    add_listener((int64_t)domid, end + 1);
}

static uint32_t size_of(const char *arg)
{
    char *end;
    unsigned long long n = strtoull(arg, &end, 10);

    if (*end == 'K' || *end == 'M')
        n <<= *end++ == 'K' ? 10 : 20;
    if (end == arg || *end || n > 1ULL << 31)
        bad_usage("--vault-size wants a number of bytes, at most 2048M");
    return (uint32_t)n;
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"domain-socket", required_argument, NULL, 'd'},
        {"vault-size", required_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    const char *path = getenv("XENSTORED_PATH");
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            path = optarg;
        else if (option == 'd')
            add_domain(optarg);
        else if (option == 'v')
            args.vault_size = size_of(optarg);
        else if (option == 'h') {
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        } else
            bad_usage("an option that it does not know");
    }
    if (optind != argc)
        bad_usage("an argument that it does not know");
    if (!path)
        bad_usage("no --socket");
    add_listener(-1, path);
}

/* The memory of both processes, with slots of the domains that have a socket. */
static void make_shared(void)
{
    size_t size = sizeof(struct shared) + args.vault_size;
    uint32_t slot = CLIENTS;

    shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || !shared)
        err(EXIT_FAILURE, "memory for the store");
    /* or Linux could, of a worker that is killed, not say how many bytes it moved */
    if (mlock(&shared->transfer, sizeof(shared->transfer)))
        err(EXIT_FAILURE, "mlock");
    for (unsigned i = 0; i < n_listeners; i++) {
        if (listeners[i].domid < 0)
            continue;
        shared->slots[slot].domid = (uint32_t)listeners[i].domid;
        atomic_store(&shared->slots[slot++].state, SLOT_RESERVED);
    }
    args.shared = shared;
    if (getrandom(args.key, sizeof(args.key), 0) != sizeof(args.key))
        err(EXIT_FAILURE, "getrandom");
}

static void start_worker(void)
{
    pid_t keeper = getpid();
    int ends[2];

    if (channel >= 0)
        close(channel);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        err(EXIT_FAILURE, "socketpair");
    channel = ends[0];
    args.channel = ends[1];
    worker = fork();
    if (worker < 0)
        err(EXIT_FAILURE, "fork");
    if (worker) {
        close(ends[1]);
        return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper)
        _exit(EXIT_SUCCESS);
    for (unsigned i = 0; i < n_listeners; i++)
        close(listeners[i].fd);
    close(channel);
    close(epoll);
    close(signal_fd);
    worker_run(&args);
}

/* What the worker has hung up. */
static void close_sockets(void)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *s = &shared->slots[i];

        if (!atomic_load(&s->hung_up))
            continue;
        close(args.sockets[i]);
        args.sockets[i] = 0;
        s->hung_up = false;
        if (i < CLIENTS)
            s->state = SLOT_FREE;
    }
}

static void reap(void)
{
    static uint64_t progress;
    static unsigned idle;
    uint64_t now;
    int status;

    if (waitpid(worker, &status, WNOHANG) != worker)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_HOPELESS)
        exit(EXIT_FAILURE);
    close_sockets();
    now = shared->progress;
    idle = now == progress ? idle + 1 : 0;
    progress = now;
    if (idle >= HOPELESS)
        errx(EXIT_FAILURE, "the worker dies again and again");
    start_worker();
}

static void end(void)
{
    kill(worker, SIGKILL);
    waitpid(worker, NULL, 0);
    for (unsigned i = 0; i < n_listeners; i++)
        unlink(listeners[i].path);
    exit(EXIT_SUCCESS);
}

static void handle_signal(void)
{
    struct signalfd_siginfo info;

    if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD)
        reap();
    else
        end();
}

/* The socket is there and listened on; or the program ends with a message. */
static void listen_on(struct listener *l)
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

static uint32_t free_slot(const struct listener *l)
{
    const struct slot *slots = shared->slots;

    if (l->domid < 0) {
        for (uint32_t i = 0; i < CLIENTS; i++)
            if (slots[i].state == SLOT_FREE)
                return i;
        return SLOTS;
    }
    for (uint32_t i = CLIENTS; i < SLOTS; i++)
        if (slots[i].state != SLOT_FREE && slots[i].domid == l->domid)
            return args.sockets[i] ? SLOTS : i;
    return SLOTS;
}

/* If the worker is dead, or dies before it has read this, the next one has the socket anyway. */
static void hand_over(uint32_t slot, int fd)
{
    struct iovec piece = {&slot, sizeof(slot)};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fd))] = {0};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
        err(EXIT_FAILURE, "the worker's socket");
}

static void accept_client(const struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    uint32_t i = fd < 0 ? SLOTS : free_slot(l);
    struct slot *s = &shared->slots[i];

    if (i == SLOTS) {
        if (fd >= 0)
            close(fd);
        return;
    }
    args.sockets[i] = fd;
    if (l->domid < 0) {
        shared->pages[i].ring = (struct xenstore_domain_interface){0};
        s->domid = 0;
        s->state = SLOT_OPEN;
    }
    hand_over(i, fd);
}

static void watch(int fd, uint64_t source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = source};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        err(EXIT_FAILURE, "epoll");
}

static int signals(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        err(EXIT_FAILURE, "signalfd");
    return fd;
}

static void serve(uint64_t source)
{
    uint64_t count;

    if (source == SOURCE_SIGNAL) {
        handle_signal();
    } else if (source == SOURCE_HUNG_UP) {
        if (read(args.hung_up, &count, sizeof(count)) < 0)
            err(EXIT_FAILURE, "eventfd");
        close_sockets();
    } else {
        accept_client(&listeners[source]);
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct epoll_event event;

    parse(argc, argv);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    make_shared();
    signal_fd = signals();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    args.hung_up = eventfd(0, EFD_CLOEXEC);
    if (epoll < 0 || args.hung_up < 0)
        err(EXIT_FAILURE, "epoll or eventfd");
    for (unsigned i = 0; i < n_listeners; i++) {
        listen_on(&listeners[i]);
        watch(listeners[i].fd, i);
    }
    watch(args.hung_up, SOURCE_HUNG_UP);
    watch(signal_fd, SOURCE_SIGNAL);
    start_worker();
    for (unsigned i = 0; i < n_listeners; i++)
        printf("listening on %s\n", listeners[i].path);
    fflush(stdout);
    for (;;)
        if (epoll_wait(epoll, &event, 1, -1) == 1)
            serve(event.data.u64);
}

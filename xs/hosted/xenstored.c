/* SPDX-License-Identifier: MIT */
/*
 * bl-xenstored: the store on Unix sockets, for tests and for the development of clients. This is
 * the parent: it moves bytes between sockets and rings. With --restart the worker, which is the
 * store, is a process of its own, and is started again whenever it dies.
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
#include <sys/wait.h>
#include <unistd.h>

#include "xs/hosted/sockets.h"
#include "xs/hosted/shared.h"

#define LISTENERS 64U
#define EVENTS    64
#define HOPELESS  20U /* deaths in a row in which the worker did nothing */

/* Numbers of epoll's events that are no slots. */
enum { SOURCE_LISTENER = SLOTS, SOURCE_WORKER = SOURCE_LISTENER + LISTENERS, SOURCE_SIGNAL };

static const char usage[] =
    "usage: bl-xenstored [--socket PATH] [--domain-socket DOMID:PATH]... [--vault-size "
    "BYTES[K|M]]\n"
    "                    [--restart]\n"
    "\n"
    "  --socket         where clients of domain 0 connect (default: $XENSTORED_PATH)\n"
    "  --domain-socket  where a client connects as an unprivileged domain, once INTRODUCEd\n"
    "  --vault-size     memory of the store (default: 64M)\n"
    "  --restart        the store is a process of its own, which may die: it goes on where it was;\n"
    "                   slower\n";

static struct listener listeners[LISTENERS];
static unsigned n_listeners;
static struct worker_args args = {.vault_size = 64U << 20, .wake = -1, .tell = -1};
static pid_t worker;
static bool restart;

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
        {"restart", no_argument, NULL, 'r'},
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
        else if (option == 'r')
            restart = true;
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

/* The memory of both processes; slots of the domains that have a socket. */
static struct shared *make_shared(void)
{
    size_t size = sizeof(struct shared) + args.vault_size;
    uint32_t slot = CLIENTS;
    struct shared *shared;

    shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || !shared)
        err(EXIT_FAILURE, "memory for the store");
    for (unsigned i = 0; i < n_listeners; i++) {
        if (listeners[i].domid < 0)
            continue;
        shared->slots[slot].domid = (uint32_t)listeners[i].domid;
        atomic_store(&shared->slots[slot++].state, SLOT_RESERVED);
    }
    if (getrandom(args.key, sizeof(args.key), 0) != sizeof(args.key))
        err(EXIT_FAILURE, "getrandom");
    return shared;
}

static void start_worker(void)
{
    pid_t parent = getpid();

    worker = fork();
    if (worker < 0)
        err(EXIT_FAILURE, "fork");
    if (worker)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_SUCCESS);
    /* The clients' sockets are the parent's alone. */
    if (dup3(args.wake, 3, 0) < 0 && args.wake != 3)
        _exit(EXIT_FAILURE);
    args.wake = 3;
    if (dup3(args.tell, 4, 0) < 0 && args.tell != 4)
        _exit(EXIT_FAILURE);
    args.tell = 4;
    close_range(5, ~0U, 0);
    worker_run(&args);
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
    now = sockets_progress();
    idle = now == progress ? idle + 1 : 0;
    progress = now;
    if (idle >= HOPELESS)
        errx(EXIT_FAILURE, "the worker dies again and again");
    start_worker();
}

static void end(void)
{
    if (worker) {
        kill(worker, SIGKILL);
        waitpid(worker, NULL, 0);
    }
    for (unsigned i = 0; i < n_listeners; i++)
        unlink(listeners[i].path);
    exit(EXIT_SUCCESS);
}

static void handle_signal(int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD)
        reap();
    else
        end();
}

static void watch(int epoll, int fd, uint64_t source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = source};

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

static void loop(int epoll, int signal_fd)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        bool more;

        sockets_awake();
        for (int i = 0; i < n; i++) {
            uint64_t source = events[i].data.u64;

            if (source == SOURCE_WORKER)
                continue; /* it has notified slots */
            if (source == SOURCE_SIGNAL)
                handle_signal(signal_fd);
            else if (source >= SOURCE_LISTENER)
                sockets_accept(&listeners[source - SOURCE_LISTENER]);
            else
                sockets_serve((uint32_t)source, events[i].events);
        }
        do {
            more = !restart && worker_turn();
            sockets_serve_notified();
        } while (more || !sockets_may_sleep());
    }
}

static void make_events(int epoll)
{
    args.wake = eventfd(0, 0);
    args.tell = eventfd(0, EFD_NONBLOCK);
    if (args.wake < 0 || args.tell < 0)
        err(EXIT_FAILURE, "eventfd");
    watch(epoll, args.tell, SOURCE_WORKER, EPOLLIN | EPOLLET);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    int epoll, signal_fd;

    parse(argc, argv);
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    args.shared = make_shared();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        err(EXIT_FAILURE, "epoll");
    if (restart)
        make_events(epoll);
    sockets_init(args.shared, epoll, args.wake);
    signal_fd = signals();
    for (unsigned i = 0; i < n_listeners; i++) {
        sockets_listen(&listeners[i]);
        watch(epoll, listeners[i].fd, SOURCE_LISTENER + i, EPOLLIN);
    }
    watch(epoll, signal_fd, SOURCE_SIGNAL, EPOLLIN);
    if (restart)
        start_worker();
    else
        worker_begin(&args);
    for (unsigned i = 0; i < n_listeners; i++)
        printf("listening on %s\n", listeners[i].path);
    fflush(stdout);
    loop(epoll, signal_fd);
}

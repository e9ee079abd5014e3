/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "hyp/lib/hash.h"
#include "tools/hubline.h"

static int fail(char wrong[256], const char *what)
{
    snprintf(wrong, 256, "%.150s: %s", what, strerror(errno));
    return -1;
}

/* A folder that only this user can look into. */
static bool own_folder(const char *path)
{
    struct stat st;

    if (mkdir(path, 0700) && errno != EEXIST)
        return false;
    if (lstat(path, &st))
        return false;
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077)) {
        errno = EPERM;
        return false;
    }
    return true;
}

static void choose_folder(char *path, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (runtime && *runtime == '/')
        snprintf(path, size, "%s/bulkhead", runtime);
    else if (!geteuid())
        snprintf(path, size, "/run/bulkhead");
    else
        snprintf(path, size, "/tmp/bulkhead-%u", geteuid());
}

/* The socket of the hub of this host, in a folder that is there then. */
static int address_of(const char *name, struct sockaddr_un *a, char wrong[256])
{
    struct hash64 h;
    char folder[sizeof(a->sun_path)];
    int n;

    choose_folder(folder, sizeof(folder));
    if (!own_folder(folder))
        return fail(wrong, folder);
    hash64_init(&h);
    hash64_update(&h, name, strlen(name));
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    n = snprintf(a->sun_path, sizeof(a->sun_path), "%s/%016lx", folder, hash64_final(&h));
    if (n < (int)sizeof(a->sun_path))
        return 0;
    errno = ENAMETOOLONG;
    return fail(wrong, folder);
}

static int try_connect(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof(*a))) {
        close(fd);
        return -1;
    }
    return fd;
}

static int listen_at(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    unlink(a->sun_path);
    if (bind(fd, (const struct sockaddr *)a, sizeof(*a)) || listen(fd, 64)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* In a process that has nothing of the one that started it but the listening socket and the pipe.
 */
static void become_hub(struct hubline *line, const char *path, int listener, int ready)
{
    int null = open("/dev/null", O_RDWR);

    setsid();
    if (fork())
        _exit(0);
    prctl(PR_SET_NAME, "bl-hub");
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    for (int fd = 0; fd <= 2; fd++)
        dup2(null, fd);
    listener = fcntl(listener, F_DUPFD, 5);
    ready = fcntl(ready, F_DUPFD, 5);
    dup2(listener, 3);
    dup2(ready, 4);
    close_range(5, ~0U, 0);
    if (chdir("/"))
        _exit(1);
    _exit(hub_run(line, 3, path, 4));
}

/* What the hub says: 0 when it serves. */
static int hear(int pipe, const char *name, char wrong[256])
{
    ssize_t n;

    do
        n = read(pipe, wrong, 255);
    while (n < 0 && errno == EINTR);
    close(pipe);
    if (n > 0 && !wrong[0])
        return 0;
    wrong[n > 0 ? n : 0] = 0;
    if (n <= 0)
        snprintf(wrong, 256, "%.150s: the connection could not be set up", name);
    return -1;
}

static int start(struct hubline *line, const struct sockaddr_un *a, char wrong[256])
{
    int ready[2], listener = listen_at(a);
    pid_t pid;

    if (listener < 0)
        return fail(wrong, a->sun_path);
    if (pipe2(ready, O_CLOEXEC)) {
        close(listener);
        return fail(wrong, "pipe");
    }
    pid = fork();
    if (!pid)
        become_hub(line, a->sun_path, listener, ready[1]);
    close(listener);
    close(ready[1]);
    if (pid > 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    return hear(ready[0], line->name, wrong);
}

/* One at a time starts a hub, and none ends meanwhile. */
static int take_turn(const struct sockaddr_un *a, char wrong[256])
{
    char path[HUB_LOCK_MAX];
    int lock;

    hub_lock_path(a->sun_path, path);
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return fail(wrong, path);
    while (flock(lock, LOCK_EX) && errno == EINTR)
        ;
    return lock;
}

int hub_connect(const char *host, char wrong[256])
{
    struct hubline line;
    struct sockaddr_un a;
    int fd, lock;

    if (!hubline_parse(&line, host, wrong) || address_of(line.name, &a, wrong))
        return -1;
    fd = try_connect(&a);
    if (fd >= 0)
        return fd;
    lock = take_turn(&a, wrong);
    if (lock < 0)
        return -1;
    fd = try_connect(&a);
    if (fd < 0 && !start(&line, &a, wrong)) {
        fd = try_connect(&a);
        if (fd < 0)
            fail(wrong, a.sun_path);
    }
    close(lock);
    return fd;
}

int hub_foreground(const char *host, char wrong[256])
{
    struct hubline line;
    struct sockaddr_un a;
    int lock, fd, listener = -1;

    if (!hubline_parse(&line, host, wrong) || address_of(line.name, &a, wrong))
        return -1;
    lock = take_turn(&a, wrong);
    if (lock < 0)
        return -1;
    fd = try_connect(&a);
    if (fd >= 0) {
        snprintf(wrong, 256, "%.150s: its hub runs already", line.name);
        close(fd);
    } else if ((listener = listen_at(&a)) < 0) {
        fail(wrong, a.sun_path);
    }
    close(lock);
    return listener < 0 ? -1 : hub_run(&line, listener, a.sun_path, -1);
}

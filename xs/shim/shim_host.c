/* SPDX-License-Identifier: MIT */
/* The way to a Bulkhead host: `bl store-connect`, in the background, carries the bytes of one store
 * connection between a socket of ours and the host. */
#define _GNU_SOURCE
#include "xs/shim/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not for a program that has more rights than its user: what runs is the user's choice. */
bool shim_host_named(void)
{
    const char *host = secure_getenv("BULKHEAD_HOST");

    return host && *host;
}

/* Where bl is: beside this library, above it, or wherever the shell would find it. */
struct places {
    char beside[PATH_MAX + 8], above[PATH_MAX + 8];
};

static void find_places(struct places *p)
{
    char folder[PATH_MAX], *slash;
    Dl_info info;

    p->beside[0] = p->above[0] = 0;
    if (!dladdr((void *)shim_connect, &info) || !realpath(info.dli_fname, folder))
        return;
    slash = strrchr(folder, '/');
    slash[0] = 0;
    snprintf(p->beside, sizeof(p->beside), "%s/bl", folder);
    snprintf(p->above, sizeof(p->above), "%s/../bl", folder);
}

/* In the child of a program that may have threads: system calls only. The bridge outlives a Ctrl-C
 * that the program handles, and holds no file of the program. */
__attribute__((noreturn)) static void run_bridge(const struct places *p, int socket, int report)
{
    char *const argv[] = {"bl", "store-connect", NULL};
    sigset_t none;
    int wrong;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    socket = fcntl(socket, F_DUPFD_CLOEXEC, 3);
    report = fcntl(report, F_DUPFD_CLOEXEC, 3);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (dup2(socket, 0) == 0 && dup2(socket, 1) == 1) {
        execv(p->beside, argv);
        execv(p->above, argv);
        execvp("bl", argv);
    }
    wrong = errno;
    if (write(report, &wrong, sizeof(wrong)) < 0)
        _exit(1);
    _exit(127);
}

/* The bridge is nobody's child, so that the program never finds it among its own. Returns 0, or
 * the errno that kept it from running. */
static int start_bridge(int socket)
{
    struct places places;
    int report[2], wrong = 0;
    pid_t child;

    find_places(&places);
    if (pipe2(report, O_CLOEXEC))
        return errno;
    child = fork();
    if (!child) {
        setsid();
        if (!fork())
            run_bridge(&places, socket, report[1]);
        _exit(0);
    }
    wrong = child < 0 ? errno : 0;
    close(report[1]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!wrong && read(report[0], &wrong, sizeof(wrong)) != (ssize_t)sizeof(wrong))
        wrong = 0;
    close(report[0]);
    return wrong;
}

int shim_connect(void)
{
    int ends[2], wrong;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    wrong = start_bridge(ends[1]);
    close(ends[1]);
    if (!wrong)
        return ends[0];
    close(ends[0]);
    errno = wrong;
    return -1;
}

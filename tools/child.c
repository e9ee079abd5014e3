/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tools/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tools/interrupt.h"

#define PAUSE_NS 10000000L

/* In a process group of its own, by which all that it starts can be found. */
static int start(char *const args[], int fd, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int rc;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, fd, 1);
    posix_spawn_file_actions_adddup2(&files, fd, 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    rc = posix_spawnp(pid, args[0], &files, &attributes, args, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* Those that it leaves behind become our children: when it returns nobody writes any more. */
static void end_group(pid_t pid, int *status)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    kill(-pid, SIGKILL);
    while (waitpid(-pid, status, 0) > 0)
        ;
}

int child_run(char *const args[], int fd, int *status)
{
    struct timespec pause = {0, PAUSE_NS};
    pid_t pid, ended;
    int rc = start(args, fd, &pid);

    if (rc)
        return rc;
    while (!(ended = waitpid(pid, status, WNOHANG)) && !interrupt_came())
        nanosleep(&pause, NULL);
    if (!ended)
        end_group(pid, status);
    return 0;
}

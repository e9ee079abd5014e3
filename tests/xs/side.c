// SPDX-License-Identifier: MIT
#include "tests/xs/side.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 10000

static void fail(const struct side *side, const char *what)
{
    fprintf(stderr, "%s: %s: ", side->program, what);
    perror(NULL);
    side_print_log(side, stderr);
    exit(2);
}

/* Memory and events of the machine that Debian's daemon finds itself on. */
static void make_machine(struct side *side, int *daemon_event_fd)
{
    int events[2];
    side->memory_fd = memfd_create("machine", 0);
    if (side->memory_fd < 0 || ftruncate(side->memory_fd, sizeof(*side->machine)) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, events))
        fail(side, "no machine");
    side->machine =
        mmap(NULL, sizeof(*side->machine), PROT_READ | PROT_WRITE, MAP_SHARED, side->memory_fd, 0);
    if (side->machine == MAP_FAILED)
        fail(side, "no memory");
    for (unsigned i = CLIENT_DOM0; i < CLIENTS; i++)
        side->machine->alive[client_domid(i)] = 1;
    fcntl(events[0], F_SETFD, FD_CLOEXEC);
    side->event_fd = events[0];
    *daemon_event_fd = events[1];
}

static void run_theirs(const struct side *side, int daemon_event_fd)
{
    char machine[32], socket[96];
    snprintf(machine, sizeof(machine), "%d %d", side->memory_fd, daemon_event_fd);
    snprintf(socket, sizeof(socket), "%s/socket", side->dir);
    setenv(MACHINE_ENV, machine, 1);
    setenv("LD_PRELOAD", side->shim, 1);
    setenv("XENSTORED_RUNDIR", side->dir, 1);
    setenv("XENSTORED_PATH", socket, 1);
    execl(side->program, side->program, "-N", "-w", "watch-event=0", side->option, NULL);
}

static void run_ours(const struct side *side)
{
    char socket[96], domains[3][100];
    snprintf(socket, sizeof(socket), "%s/socket", side->dir);
    for (int i = 0; i < 3; i++)
        snprintf(domains[i], sizeof(domains[i]), "%d:%s/domain%d", i + 1, side->dir, i + 1);
    execl(side->program, side->program, "--socket", socket, "--domain-socket", domains[0],
          "--domain-socket", domains[1], "--domain-socket", domains[2], NULL);
}

static void run_daemon(const struct side *side, int daemon_event_fd)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/log", side->dir);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log, 1);
    dup2(log, 2);
    if (side->shim)
        run_theirs(side, daemon_event_fd);
    else
        run_ours(side);
    perror(side->program);
    _exit(127);
}

/* The store answers on its socket when it is ready. */
static void await_start(struct side *side)
{
    for (int ms = 0; !link_open(side, CLIENT_SOCKET); ms++) {
        if (ms == START_MS || waitpid(side->pid, NULL, WNOHANG) == side->pid)
            fail(side, "does not start");
        usleep(1000);
    }
}

void side_start(struct side *side)
{
    int daemon_event_fd = -1;
    snprintf(side->dir, sizeof(side->dir), "/tmp/xsdiff.XXXXXX");
    if (!mkdtemp(side->dir))
        fail(side, "no directory");
    side->machine = NULL;
    side->memory_fd = side->event_fd = -1;
    side->generations.len = 0;
    if (side->shim)
        make_machine(side, &daemon_event_fd);
    side->pid = fork();
    if (!side->pid)
        run_daemon(side, daemon_event_fd);
    if (daemon_event_fd >= 0)
        close(daemon_event_fd);
    for (unsigned i = 0; i < CLIENTS; i++)
        side->links[i] = (struct link){.fd = -1};
    await_start(side);
    if (!link_open(side, CLIENT_SOCKET_2) || !link_open(side, CLIENT_DOM0))
        fail(side, "does not answer");
}

static void remove_dir(const struct side *side)
{
    static const char *const names[] = {"socket", "log", "domain1", "domain2", "domain3"};
    char path[128];
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", side->dir, names[i]);
        unlink(path);
    }
    rmdir(side->dir);
}

void side_stop(struct side *side)
{
    kill(side->pid, SIGKILL);
    waitpid(side->pid, NULL, 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        link_close(&side->links[i]);
        free(side->links[i].in.data);
    }
    if (side->machine) {
        munmap(side->machine, sizeof(*side->machine));
        close(side->memory_fd);
        close(side->event_fd);
    }
    free(side->generations.data);
    side->generations = (struct bytes){0};
    remove_dir(side);
}

void side_print_log(const struct side *side, FILE *to)
{
    char path[96], line[256];
    snprintf(path, sizeof(path), "%s/log", side->dir);
    FILE *log = fopen(path, "r");
    while (log && fgets(line, sizeof(line), log))
        fprintf(to, "    %s", line);
    if (log)
        fclose(log);
}

// SPDX-License-Identifier: MIT
/* xsload NAME XENSTORED SHIM|-: starts a store's daemon (Debian's with SHIM) and prints
 * what requests on a socket cost it: the time that its processes ran, in user space and in the
 * kernel. That is instructions where one takes a nanosecond (-icount shift=0). */
#include "tests/xs/side.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WARM_UP  200
#define COUNT    2000
#define DOMAINS  50
#define NODES    20 /* of each domain */
#define MEASURED 10000
#define PATH     "/local/domain/7/device/vif/0/node-7"

static struct side side;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The first number behind what stands before it in a file of a process. */
static unsigned long long proc_number(unsigned long long pid, const char *file, const char *before)
{
    char path[64], text[8192];
    unsigned long long value = 0;
    snprintf(path, sizeof(path), "/proc/%llu/%s", pid, file);
    FILE *from = fopen(path, "r");
    if (!from)
        return 0; /* a process that has ended, none of the daemon's */
    text[fread(text, 1, sizeof(text) - 1, from)] = 0;
    const char *at = strstr(text, before);
    if (!at || sscanf(at + strlen(before), "%llu", &value) != 1)
        die(path);
    fclose(from);
    return value;
}

static bool is_descendant(unsigned long long pid)
{
    while (pid > 1) {
        pid = proc_number(pid, "status", "PPid:");
        if (pid == (unsigned long long)getpid())
            return true;
    }
    return false;
}

/* The sum over the daemon's processes. */
static unsigned long long daemon_sum(const char *file, const char *before)
{
    unsigned long long sum = 0;
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    if (!proc)
        die("/proc");
    while ((entry = readdir(proc))) {
        unsigned long long pid = strtoull(entry->d_name, NULL, 10);
        if (pid && is_descendant(pid))
            sum += proc_number(pid, file, before);
    }
    closedir(proc);
    return sum;
}

static void receive(int fd, void *to, size_t len)
{
    if (recv(fd, to, len, MSG_WAITALL) != (ssize_t)len)
        die("recv");
}

/* Its type; text gets the payload. */
static uint32_t next_message(int fd, char *text)
{
    struct xsd_sockmsg header;
    receive(fd, &header, sizeof(header));
    if (header.len)
        receive(fd, text, header.len);
    text[header.len] = 0;
    return header.type;
}

static void request(uint32_t type, uint32_t tx, const char *payload, size_t len, char *answer)
{
    struct {
        struct xsd_sockmsg header;
        char payload[256];
    } message = {.header = {.type = type, .tx_id = tx, .len = (uint32_t)len}};
    char text[XENSTORE_PAYLOAD_MAX + 1];
    memcpy(message.payload, payload, len);
    if (send(side.links[0].fd, &message, sizeof(message.header) + len, 0) < 0)
        die("send");
    if (next_message(side.links[0].fd, answer ? answer : text) != type)
        die(payload);
}

#define REQUEST(type, tx, payload) request(type, tx, payload, sizeof(payload), NULL)

static void read_once(void)
{
    REQUEST(XS_READ, 0, PATH);
}

static void write_once(void)
{
    request(XS_WRITE, 0, PATH "\0some-value", sizeof(PATH "\0some-value") - 1, NULL);
}

static void transaction_once(void)
{
    char id[XENSTORE_PAYLOAD_MAX + 1];
    request(XS_TRANSACTION_START, 0, "", 1, id);
    uint32_t tx = (uint32_t)strtoul(id, NULL, 10);
    REQUEST(XS_READ, tx, PATH);
    request(XS_WRITE, tx, PATH "\0some-value", sizeof(PATH "\0some-value") - 1, NULL);
    REQUEST(XS_TRANSACTION_END, tx, "T");
}

static void watched_write_once(void)
{
    char text[XENSTORE_PAYLOAD_MAX + 1];
    write_once();
    if (next_message(side.links[1].fd, text) != XS_WATCH_EVENT)
        die("no event");
}

static unsigned long long cost(void (*once)(void))
{
    for (int i = 0; i < WARM_UP; i++)
        once();
    unsigned long long before = daemon_sum("schedstat", "");
    for (int i = 0; i < COUNT; i++)
        once();
    return (daemon_sum("schedstat", "") - before) / COUNT;
}

static void make_node(const char *format, unsigned a, unsigned b)
{
    char text[128];
    int len = snprintf(text, sizeof(text), format, a, b);
    memcpy(text + len + 1, "some-value", 10);
    request(XS_WRITE, 0, text, (size_t)len + 11, NULL);
}

/* Pages that only the daemon has, and its part of shared ones, in bytes. */
static unsigned long long memory_of_nodes(void)
{
    unsigned long long before = daemon_sum("smaps_rollup", "Pss:");
    for (unsigned i = 0; i < MEASURED; i++)
        make_node("/tool/store-%u/node-%u", i / 100, i % 100);
    return (daemon_sum("smaps_rollup", "Pss:") - before) * 1024 * 1000 / MEASURED;
}

static void watch(void)
{
    static const char path[] = PATH "\0token";
    int fd = side.links[1].fd;
    struct xsd_sockmsg header = {.type = XS_WATCH, .len = sizeof(path)};
    char text[XENSTORE_PAYLOAD_MAX + 1];
    if (send(fd, &header, sizeof(header), MSG_MORE) < 0 || send(fd, path, sizeof(path), 0) < 0)
        die("send");
    if (next_message(fd, text) != XS_WATCH || next_message(fd, text) != XS_WATCH_EVENT)
        die("no watch");
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    side = (struct side){
        .name = argv[1], .program = argv[2], .shim = strcmp(argv[3], "-") != 0 ? argv[3] : NULL};
    side_start(&side);
    for (unsigned i = 0; i < DOMAINS * NODES; i++)
        make_node("/local/domain/%u/device/vif/0/node-%u", i / NODES, i % NODES);
    printf("bench %s-read %llu\n", side.name, cost(read_once));
    unsigned long long write = cost(write_once);
    printf("bench %s-write %llu\n", side.name, write);
    printf("bench %s-transaction %llu\n", side.name, cost(transaction_once));
    watch();
    unsigned long long watched = cost(watched_write_once);
    printf("bench %s-watched %llu\n", side.name, watched);
    printf("bench %s-event %llu\n", side.name, watched - write);
    printf("bench %s-memory %llu\n", side.name, memory_of_nodes());
    side_stop(&side);
    return 0;
}

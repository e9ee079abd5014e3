/* SPDX-License-Identifier: MIT */
/*
 * bl-xenstored's worker is killed 1,000 times under load. Clients check every answer against what
 * they wrote, and a watcher that each event comes once and in order: nobody may notice more than a
 * pause.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "tests/unit/check_main.h"

#define KILLS   1000U
#define CLIENTS 3U
#define NODES   24U
#define COUNTS  4000U

static char dir[64] = "/tmp/xenstored-XXXXXX", path[128], domain_path[128];
static pid_t server;
static _Atomic unsigned *answers; /* of all clients: [0] is also when to stop */

/* --- a client --- */

struct answer {
    struct xsd_sockmsg head;
    char text[XENSTORE_PAYLOAD_MAX + 1];
};

static int connect_to(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, socket_path);
    /* The socket is there a moment before anybody listens. */
    while (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        ck_assert_int_eq(errno, ECONNREFUSED);
        usleep(1000);
    }
    return fd;
}

static void send_all(int fd, const void *data, size_t n)
{
    const char *at = data;

    for (ssize_t sent; n; at += sent, n -= (size_t)sent) {
        sent = send(fd, at, n, MSG_NOSIGNAL);
        ck_assert_int_gt(sent, 0);
    }
}

static void receive_all(int fd, void *to, size_t n)
{
    char *at = to;

    for (ssize_t got; n; at += got, n -= (size_t)got) {
        got = recv(fd, at, n, 0);
        ck_assert_int_gt(got, 0);
    }
}

static void receive(int fd, struct answer *a)
{
    receive_all(fd, &a->head, sizeof(a->head));
    ck_assert_uint_le(a->head.len, XENSTORE_PAYLOAD_MAX);
    receive_all(fd, a->text, a->head.len);
    a->text[a->head.len] = '\0';
}

static const struct answer *ask(int fd, uint32_t type, uint32_t tx, const void *data, uint32_t len)
{
    static uint32_t id;
    static struct answer a;
    struct xsd_sockmsg head = {type, ++id, tx, len};
    char whole[sizeof(head) + XENSTORE_PAYLOAD_MAX];

    memcpy(whole, &head, sizeof(head));
    memcpy(whole + sizeof(head), data, len);
    send_all(fd, whole, sizeof(head) + len);
    receive(fd, &a);
    ck_assert_uint_eq(a.head.req_id, head.req_id);
    ck_assert_uint_eq(a.head.tx_id, tx);
    return &a;
}

/* The store's answer is of this type, and this, when it is not NULL. */
static void expect(int fd, uint32_t type, uint32_t tx, const void *data, uint32_t len,
                   const char *want, uint32_t want_len)
{
    const struct answer *a = ask(fd, type, tx, data, len);

    if (a->head.type != type ||
        (want && (a->head.len != want_len || memcmp(a->text, want, want_len) != 0)))
        ck_abort_msg("request of type %u for %s: type %u, %.40s", type, (const char *)data,
                     a->head.type, a->text);
}

/* --- load --- */

/* One client's nodes, as they must be. */
static struct {
    bool there;
    uint32_t len;
    char value[3000];
} model[NODES];

static uint32_t name_of(char *to, unsigned client, unsigned node)
{
    return (uint32_t)sprintf(to, "/load/%u/%u", client, node) + 1;
}

static void write_node(int fd, unsigned client, unsigned node, uint32_t tx)
{
    char request[3100];
    uint32_t name = name_of(request, client, node);
    uint32_t len = (uint32_t)(random() % 8 ? random() % 40 : random() % 3000);

    for (uint32_t i = 0; i < len; i++)
        request[name + i] = (char)random();
    expect(fd, XS_WRITE, tx, request, name + len, "OK", 3);
    model[node].there = true;
    model[node].len = len;
    memcpy(model[node].value, request + name, len);
}

static void read_node(int fd, unsigned client, unsigned node, uint32_t tx)
{
    char name[64];
    uint32_t len = name_of(name, client, node);

    if (model[node].there) {
        expect(fd, XS_READ, tx, name, len, model[node].value, model[node].len);
    } else {
        const struct answer *a = ask(fd, XS_READ, tx, name, len);

        ck_assert_uint_eq(a->head.type, XS_ERROR);
        ck_assert_str_eq(a->text, "ENOENT");
    }
}

static void remove_node(int fd, unsigned client, unsigned node, uint32_t tx)
{
    char name[64];
    uint32_t len = name_of(name, client, node);

    expect(fd, XS_RM, tx, name, len, "OK", 3);
    model[node].there = false;
}

/* Only this client writes below /load/N; no transaction of it meets a conflict. */
static void step(int fd, unsigned client)
{
    unsigned node = (unsigned)random() % NODES;
    uint32_t tx = 0;

    switch (random() % 8) {
    case 0:
        remove_node(fd, client, node, 0);
        break;
    case 1:
    case 2:
    case 3:
        write_node(fd, client, node, 0);
        break;
    case 4:
        tx = (uint32_t)atoi(ask(fd, XS_TRANSACTION_START, 0, "", 1)->text);
        for (unsigned i = 0; i < 3; i++) {
            write_node(fd, client, (node + i) % NODES, tx);
            read_node(fd, client, (node + 2 * i) % NODES, tx);
            remove_node(fd, client, (node + 7 * i) % NODES, tx);
        }
        expect(fd, XS_TRANSACTION_END, tx, "T", 2, "OK", 3);
        break;
    default:
        read_node(fd, client, node, 0);
    }
    answers[client]++;
}

/* Writes 0, 1, 2 ... one after the other. They begin anew only when no event of the last time can
 * be waiting: the store drops those that are the same. */
static void count(int fd, unsigned client)
{
    char request[64];

    for (unsigned i = 0; !answers[0]; i++) {
        uint32_t len = (uint32_t)sprintf(request, "/count/%u", i % COUNTS) + 1;

        expect(fd, XS_WRITE, 0, request, len, "OK", 3);
        answers[client]++;
    }
    expect(fd, XS_WRITE, 0, "/count/end", 11, "OK", 3);
}

/* Sees each of them written. */
static void see_counts(int fd, unsigned client)
{
    struct answer a;
    char want[64];

    for (unsigned i = 0;; i++) {
        receive(fd, &a);
        ck_assert_uint_eq(a.head.type, XS_WATCH_EVENT);
        if (strcmp(a.text, "/count/end") == 0)
            break;
        sprintf(want, "/count/%u", i % COUNTS);
        ck_assert_str_eq(a.text, want);
        answers[client]++;
    }
}

/* --- the server --- */

static void start_server(void)
{
    const char *build = getenv("BUILD");
    char program[128], spec[160];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    sprintf(path, "%s/socket", dir);
    sprintf(domain_path, "%s/domain", dir);
    sprintf(spec, "7:%s", domain_path);
    sprintf(program, "%s/bl-xenstored", build ? build : "build");
    server = fork();
    if (!server) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, STDOUT_FILENO);
        execl(program, program, "--socket", path, "--domain-socket", spec, "--vault-size", "4M",
              NULL);
        _exit(1);
    }
    while (access(path, F_OK) || access(domain_path, F_OK)) {
        ck_assert_int_eq(waitpid(server, NULL, WNOHANG), 0);
        usleep(1000);
    }
}

static void stop_server(void)
{
    int status;

    kill(server, SIGTERM);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_ne(access(path, F_OK), 0);
    rmdir(dir);
}

/* The server's only child; 0: it has none now. */
static pid_t worker(void)
{
    char name[64], text[64] = "";
    FILE *f;

    sprintf(name, "/proc/%d/task/%d/children", server, server);
    f = fopen(name, "r");
    ck_assert_ptr_nonnull(f);
    if (!fgets(text, sizeof(text), f))
        text[0] = '\0';
    fclose(f);
    return atoi(text);
}

/* That it has open. */
static unsigned files(void)
{
    char name[64];
    unsigned n = 0;
    DIR *d;

    sprintf(name, "/proc/%d/fd", server);
    d = opendir(name);
    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static pid_t start_client(unsigned client, int fd, void (*run)(int fd, unsigned client))
{
    pid_t pid = fork();

    if (pid)
        return pid;
    srandom(client);
    run(fd, client);
    _exit(0);
}

static void load(int fd, unsigned client)
{
    while (!answers[0])
        step(fd, client);
}

static unsigned sum(void)
{
    unsigned n = 0;

    for (unsigned i = 1; i < CLIENTS + 3; i++)
        n += answers[i];
    return n;
}

START_TEST(test_kills)
{
    pid_t clients[CLIENTS + 2], last = 0;
    int status, fd;

    answers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    start_server();
    for (unsigned i = 0; i < CLIENTS; i++) {
        char name[64];

        fd = connect_to(path);
        expect(fd, XS_MKDIR, 0, name, (uint32_t)sprintf(name, "/load/%u", i + 1) + 1, "OK", 3);
        clients[i] = start_client(i + 1, fd, load);
    }
    fd = connect_to(path);
    expect(fd, XS_MKDIR, 0, "/count", 7, "OK", 3);
    fd = connect_to(path);
    expect(fd, XS_WATCH, 0, "/count\0t", 9, "OK", 3);
    receive(fd, &(struct answer){0});
    clients[CLIENTS] = start_client(CLIENTS + 1, fd, see_counts);
    clients[CLIENTS + 1] = start_client(CLIENTS + 2, connect_to(path), count);
    for (unsigned i = 0, before; i < KILLS; i++) {
        pid_t victim;

        do
            victim = worker();
        while (!victim || victim == last);
        last = victim;
        /* After some more answers, each time. */
        for (before = sum(); sum() < before + 1 + (unsigned)random() % 20;)
            for (unsigned k = 0; k < CLIENTS + 2; k++)
                ck_assert_int_eq(waitpid(clients[k], NULL, WNOHANG), 0);
        ck_assert_int_eq(kill(victim, SIGKILL), 0);
    }
    answers[0] = 1;
    for (unsigned i = 0; i < CLIENTS + 2; i++) {
        ck_assert_int_eq(waitpid(clients[i], &status, 0), clients[i]);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_uint_gt(answers[i + 1], 10);
    }
    fd = connect_to(path);
    expect(fd, XS_CONTROL, 0, "check", 6, "OK", 3);
    stop_server();
}
END_TEST

/* A client of domain 7, one who breaks the protocol, and others who come and go. */
START_TEST(test_sockets)
{
    struct xsd_sockmsg bad = {XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1};
    const struct answer *a;
    int fd, guest, other;
    unsigned before;
    pid_t victim;
    char c;

    start_server();
    fd = connect_to(path);
    guest = connect_to(domain_path);
    expect(fd, XS_INTRODUCE, 0, "7\0001\0001", 6, "OK", 3);
    expect(fd, XS_WRITE, 0, "/x\0secret", 9, "OK", 3);
    a = ask(guest, XS_READ, 0, "/x", 3);
    ck_assert_uint_eq(a->head.type, XS_ERROR);
    ck_assert_str_eq(a->text, "EACCES");
    before = files();
    other = connect_to(path);
    send_all(other, &bad, sizeof(bad));
    ck_assert_int_eq(recv(other, &c, 1, 0), 0);
    for (unsigned i = 0; i < 300; i++) {
        close(other);
        other = connect_to(path);
        victim = i % 5 == 0 ? worker() : 0;
        if (victim)
            ck_assert_int_eq(kill(victim, SIGKILL), 0);
        expect(other, XS_READ, 0, "/x", 3, "secret", 6);
    }
    close(other);
    ck_assert_str_eq(ask(guest, XS_READ, 0, "/x", 3)->text, "EACCES");
    while (files() != before) /* it closes the last ones in a moment */
        usleep(1000);
    stop_server();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, test_kills);
    tcase_add_test(tc, test_sockets);
}

int main(void)
{
    return check_main("xenstored", fill);
}

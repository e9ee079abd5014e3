/* SPDX-License-Identifier: MIT */
/* The hub: many clients on one line, whose other end is a process of this test. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/errno.h>
#include "drvdom/ctl/framing.h"
#include "tests/hub/carrier.h"
#include "tests/hub/hubservices.h"
#include "tests/unit/check_main.h"
#include "tools/client.h"
#include "tools/hub.h"

static char dir[] = "/tmp/bulkhead-test-XXXXXX", path[64], host[80], wrong[256];
static pid_t server;

static void start_server(unsigned noise)
{
    int fd = carrier_listen(path);

    server = fork();
    if (!server)
        carrier_run(fd, false, noise, NULL);
    close(fd);
}

static void stop_server(void)
{
    if (server) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    server = 0;
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("XDG_RUNTIME_DIR", dir, 1);
    setenv("BULKHEAD_IDLE", "1", 1);
    setenv("BULKHEAD_TIMEOUT", "60", 1);
    unsetenv("BULKHEAD_HOST");
    snprintf(path, sizeof(path), "%s/line", dir);
    snprintf(host, sizeof(host), "unix:%s", path);
}

/* The hub goes by itself when no client is left. */
static void tear_down(void)
{
    char command[100];

    stop_server();
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static struct client *must_open(void)
{
    struct client *c = client_open(host, wrong);

    if (!c)
        ck_abort_msg("%s", wrong);
    return c;
}

static int must_stream(struct client *c, uint32_t service, uint32_t argument)
{
    int fd = client_stream(c, service, argument, wrong);

    if (fd < 0)
        ck_abort_msg("%s", wrong);
    return fd;
}

static void check_call(struct client *c, uint32_t n, uint32_t seed)
{
    static uint8_t in[BH_REQUEST_BUFFER], out[BH_REQUEST_BUFFER];
    struct bh_control args = {.domid = seed, .a = n, .buffer = 1, .size = n};

    for (uint32_t i = 0; i < n; i++)
        in[i] = (uint8_t)(seed * i + i / 300);
    ck_assert_int_eq(client_call(c, SAY_FINE, &args, in, n, out, n), 0);
    ck_assert_uint_eq(args.domid, seed);
    ck_assert_uint_eq(args.size, n);
    ck_assert_uint_eq(args.b, crc32c(0, in, n));
    for (uint32_t i = 0; i < n; i++)
        if ((out[i] ^ in[i]) != 0xff) /* ck_assert is slow */
            ck_abort_msg("byte %u", i);
}

static uint64_t channels(struct client *c)
{
    struct bh_control args = {0};

    ck_assert_int_eq(client_call(c, COUNT, &args, NULL, 0, NULL, 0), 0);
    return args.a;
}

START_TEST(calls)
{
    struct bh_control args = {.a = (uint64_t)-XEN_ESRCH};
    struct client *c;

    start_server(0);
    c = must_open();
    for (uint32_t i = 0; i < 20; i++)
        check_call(c, i * i * 97 % (BH_REQUEST_BUFFER + 1), i);
    check_call(c, BH_REQUEST_BUFFER, 1);
    ck_assert_int_eq(client_call(c, SAY_ERROR, &args, NULL, 0, NULL, 0), -XEN_ESRCH);
    ck_assert_int_eq(client_call(c, SAY_FINE, &args, dir, BH_REQUEST_BUFFER + 1, NULL, 0),
                     -XEN_EINVAL);
    check_call(c, 5, 5);
    client_close(c);
}
END_TEST

/* Answers that cannot be. */
START_TEST(bad_answers)
{
    struct bh_control args = {.a = 5};
    struct client *c;
    char out[8];

    start_server(0);
    c = must_open();
    ck_assert_int_eq(client_call(c, SAY_OTHER_ID, &args, NULL, 0, NULL, 0), CLIENT_LOST);
    ck_assert_int_eq(client_call(c, SAY_FINE, &args, NULL, 0, NULL, 0), CLIENT_LOST);
    client_close(c);
    c = must_open();
    ck_assert_int_eq(client_call(c, SAY_TOO_MUCH, &args, "123456789", 9, out, 8), CLIENT_LOST);
    client_close(c);
    c = must_open();
    ck_assert_int_eq(client_call(c, SAY_ERROR, &args, NULL, 0, NULL, 0), CLIENT_LOST);
    client_close(c);
}
END_TEST

/* Each byte comes back. */
static void check_echo(struct client *c, uint32_t n)
{
    int fd = must_stream(c, LINK_SERVICE_STORE, 0);
    uint8_t out[512], in[512];

    for (uint32_t at = 0; at < n; at += sizeof(out)) {
        for (uint32_t i = 0; i < sizeof(out); i++)
            out[i] = (uint8_t)(at / 512 + i);
        ck_assert_int_eq(send(fd, out, sizeof(out), MSG_NOSIGNAL), sizeof(out));
        ck_assert_int_eq(recv(fd, in, sizeof(in), MSG_WAITALL), sizeof(in));
        ck_assert(!memcmp(in, out, sizeof(in)));
    }
    close(fd);
}

static void many_clients(unsigned n, unsigned rounds)
{
    for (unsigned i = 0; i < n; i++)
        if (!fork()) {
            struct client *c = must_open();

            for (unsigned round = 0; round < rounds; round++) {
                check_call(c, round * 1999 % 9000, i);
                check_echo(c, 2048);
            }
            client_close(c);
            _exit(0);
        }
    for (int status; wait(&status) > 0 || errno != ECHILD; n--) {
        ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
        if (n == 1)
            break;
    }
}

START_TEST(parallel)
{
    start_server(0);
    many_clients(20, 10);
}
END_TEST

START_TEST(noise)
{
    start_server(100);
    many_clients(5, 5);
}
END_TEST

/* A client that does not read stops nobody, and loses nothing. */
START_TEST(unread)
{
    static uint8_t bytes[FLOOD_BYTES];
    struct client *c;
    int fd;

    start_server(0);
    c = must_open();
    fd = must_stream(c, LINK_SERVICE_CONSOLE, FLOOD);
    for (unsigned i = 0; i < 20; i++)
        check_call(c, BH_REQUEST_BUFFER, i);
    ck_assert_int_eq(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
    for (uint32_t i = 0; i < FLOOD_BYTES; i++)
        if (bytes[i] != (uint8_t)(i * 7 + i / 256))
            ck_abort_msg("byte %u", i);
    close(fd);
    client_close(c);
}
END_TEST

START_TEST(refused_and_ended)
{
    struct client *c;
    char bytes[8];
    int fd;

    start_server(0);
    c = must_open();
    ck_assert_int_eq(client_stream(c, LINK_SERVICE_CONSOLE, NOBODY, wrong), -1);
    ck_assert_str_eq(wrong, "there is no such domain");
    ck_assert_int_eq(client_stream(c, LINK_SERVICE_CONSOLE, CARRIER_RUDE, wrong), -1);
    ck_assert_str_eq(wrong, "go away?[2J");
    fd = must_stream(c, LINK_SERVICE_CONSOLE, FAREWELL);
    ck_assert_int_eq(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), 3);
    ck_assert(!memcmp(bytes, "bye", 3));
    close(fd);
    check_call(c, 100, 3);
    client_close(c);
}
END_TEST

static void wait_for_channels(struct client *c, uint64_t n)
{
    while (channels(c) != n)
        usleep(10000);
}

/* Killed at any moment: their channels are closed. */
START_TEST(killed_clients)
{
    struct client *c;

    start_server(0);
    c = must_open();
    for (unsigned i = 0; i < 25; i++) {
        pid_t pid = fork();

        if (!pid) {
            struct client *own = must_open();

            must_stream(own, LINK_SERVICE_CONSOLE, FLOOD);
            for (unsigned k = 0;; k++)
                check_call(own, BH_REQUEST_BUFFER, k);
        }
        usleep(i * 1500);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    wait_for_channels(c, 1);
    client_close(c);
}
END_TEST

/* What a client has sent before it goes arrives. */
START_TEST(last_words)
{
    struct client *c;
    struct bh_request r = {.size = sizeof(r), .command = SAY_FINE};
    int fd;

    start_server(0);
    c = must_open();
    for (unsigned i = 0; i < 20; i++) {
        fd = must_stream(c, LINK_SERVICE_CONTROL, 0);
        ck_assert_int_eq(send(fd, &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
        if (i % 2)
            shutdown(fd, SHUT_WR);
        if (i % 2)
            ck_assert_int_eq(recv(fd, &r, sizeof(r), MSG_WAITALL), sizeof(struct bh_answer));
        r = (struct bh_request){.size = sizeof(r), .command = SAY_FINE};
        close(fd);
    }
    wait_for_channels(c, 1);
    client_close(c);
}
END_TEST

/* Who has nothing to say any more leaves at once: there is no room for clients that have gone. */
START_TEST(in_a_row)
{
    struct client *c;

    start_server(0);
    c = must_open();
    for (unsigned i = 0; i < 40; i++) {
        close(must_stream(c, LINK_SERVICE_EVENTS, 0));
        ck_assert_uint_le(channels(c), 2);
    }
    client_close(c);
}
END_TEST

/* The emulator goes and comes back. */
START_TEST(killed_server)
{
    struct client *c;
    struct bh_control args = {0};
    char byte;
    int fd;

    start_server(0);
    c = must_open();
    fd = must_stream(c, LINK_SERVICE_EVENTS, 0);
    stop_server();
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    ck_assert_int_eq(client_call(c, SAY_FINE, &args, NULL, 0, NULL, 0), CLIENT_LOST);
    client_close(c);
    close(fd);
    ck_assert_ptr_null(client_open(host, wrong));
    ck_assert_ptr_nonnull(strstr(wrong, "no host listens there"));
    start_server(0);
    c = must_open();
    check_call(c, 1000, 1);
    client_close(c);
}
END_TEST

START_TEST(pty)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    struct client *c;

    ck_assert(master >= 0 && !grantpt(master) && !unlockpt(master));
    snprintf(host, sizeof(host), "serial:%s,57600", ptsname(master));
    server = fork();
    if (!server)
        carrier_run(master, true, 0, NULL);
    c = must_open();
    for (unsigned i = 0; i < 10; i++)
        check_call(c, i * 800, i);
    client_close(c);
}
END_TEST

static void become_other_user(void)
{
    char own[64];

    snprintf(own, sizeof(own), "%s/own", dir);
    mkdir(own, 0700);
    setenv("XDG_RUNTIME_DIR", own, 1);
    if (geteuid())
        return;
    ck_assert(!chmod(dir, 0755) && !chmod(path, 0777) && !chown(own, 65534, 65534));
    ck_assert_int_eq(setuid(65534), 0);
}

/* Who comes second is told who is there. */
START_TEST(second_user)
{
    struct client *c;
    int status;

    start_server(0);
    c = must_open();
    if (!fork()) {
        become_other_user();
        ck_assert_ptr_null(client_open(host, wrong));
        ck_assert_ptr_nonnull(strstr(wrong, " is connected since 20"));
        ck_assert_ptr_nonnull(strstr(wrong, ": user "));
        _exit(0);
    }
    ck_assert(wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status));
    check_call(c, 100, 1);
    client_close(c);
}
END_TEST

static void check_message(const char *name, const char *message)
{
    struct client *c = client_open(name, wrong);

    ck_assert_ptr_null(c);
    if (!strstr(wrong, message))
        ck_abort_msg("%s", wrong);
}

START_TEST(no_host)
{
    int fd;

    check_message(NULL, "set BULKHEAD_HOST");
    check_message(host, "No such file or directory");
    check_message("tcp:1.2.3.4", "a host is unix:PATH or serial:DEVICE[,BAUD]");
    check_message("serial:/dev/null,7", "a rate is 9600, ");
    check_message("serial:/dev/null", "Inappropriate ioctl for device");
    check_message("unix:/dev/null", "this is no socket");
    fd = carrier_listen(path);
    setenv("BULKHEAD_TIMEOUT", "1", 1);
    check_message(host, "the host does not answer");
    close(fd);
    check_message(host, "no host listens there");
}
END_TEST

/* Somebody who does not speak like a client. */
START_TEST(bad_client)
{
    struct hub_open o = {HUB_MAGIC, LINK_SERVICES, 0, 1000};
    struct hub_opened answer;
    struct client *c;
    int fd;

    start_server(0);
    c = must_open();
    fd = hub_connect(host, wrong);
    ck_assert_int_eq(send(fd, "garbage, and a lot of it", 24, 0), 24);
    ck_assert_int_eq(recv(fd, &answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
    ck_assert_int_eq(answer.error, HUB_NO_HOST);
    close(fd);
    fd = hub_connect(host, wrong);
    ck_assert_int_eq(send(fd, &o, sizeof(o), 0), sizeof(o));
    ck_assert_int_eq(recv(fd, &answer, sizeof(answer), MSG_WAITALL), sizeof(answer));
    ck_assert_int_eq(answer.error, HUB_NO_HOST);
    close(fd);
    close(hub_connect(host, wrong));
    check_call(c, 100, 1);
    client_close(c);
}
END_TEST

/* More connections than the line has channels. */
START_TEST(too_many)
{
    struct client *c;
    int fd[LINK_CHANNELS];

    start_server(0);
    c = must_open();
    for (unsigned i = 0; i < LINK_CHANNELS - 1; i++)
        fd[i] = must_stream(c, LINK_SERVICE_EVENTS, 0);
    ck_assert_int_eq(client_stream(c, LINK_SERVICE_EVENTS, 0, wrong), -1);
    ck_assert_ptr_nonnull(strstr(wrong, "no more than 64 connections"));
    for (unsigned i = 0; i < LINK_CHANNELS - 1; i++)
        close(fd[i]);
    wait_for_channels(c, 1);
    close(must_stream(c, LINK_SERVICE_EVENTS, 0));
    client_close(c);
}
END_TEST

/* Nobody needs it any more; the next client gets another. */
START_TEST(hub_ends)
{
    struct hubline line;

    start_server(0);
    client_close(must_open());
    ck_assert(hubline_parse(&line, host, wrong));
    while (!hubline_open(&line, wrong))
        usleep(50000);
    hubline_close(&line);
    client_close(must_open());
}
END_TEST

static bool hub_listens(void)
{
    char pattern[100];
    glob_t found;
    bool any;

    snprintf(pattern, sizeof(pattern), "%s/bulkhead/????????????????", dir);
    any = !glob(pattern, 0, NULL, &found);
    globfree(&found);
    return any;
}

/* One that does not stay when the last client has gone does so until then. */
START_TEST(hub_does_not_stay)
{
    setenv("BULKHEAD_IDLE", "0", 1);
    start_server(0);
    for (uint32_t i = 0; i < 3; i++) {
        struct client *c = must_open();

        check_call(c, 100, i);
        client_close(c);
    }
}
END_TEST

/* By Ctrl-C, with a client: it leaves nothing, and the next client gets another. */
START_TEST(hub_interrupted)
{
    struct bh_control args = {0};
    struct client *c;
    pid_t hub;
    int status;

    start_server(0);
    hub = fork();
    if (!hub)
        _exit(hub_foreground(host, wrong));
    while (!hub_listens())
        usleep(10000);
    c = must_open();
    kill(hub, SIGINT);
    ck_assert_int_eq(waitpid(hub, &status, 0), hub);
    ck_assert(WIFEXITED(status) && !WEXITSTATUS(status));
    ck_assert(!hub_listens());
    ck_assert_int_eq(client_call(c, SAY_FINE, &args, NULL, 0, NULL, 0), CLIENT_LOST);
    client_close(c);
    client_close(must_open());
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, calls);
    tcase_add_test(tc, bad_answers);
    tcase_add_test(tc, parallel);
    tcase_add_test(tc, noise);
    tcase_add_test(tc, unread);
    tcase_add_test(tc, refused_and_ended);
    tcase_add_test(tc, killed_clients);
    tcase_add_test(tc, last_words);
    tcase_add_test(tc, in_a_row);
    tcase_add_test(tc, killed_server);
    tcase_add_test(tc, pty);
    tcase_add_test(tc, second_user);
    tcase_add_test(tc, no_host);
    tcase_add_test(tc, bad_client);
    tcase_add_test(tc, too_many);
    tcase_add_test(tc, hub_ends);
    tcase_add_test(tc, hub_does_not_stay);
    tcase_add_test(tc, hub_interrupted);
}

int main(void)
{
    return check_main("hub", fill);
}

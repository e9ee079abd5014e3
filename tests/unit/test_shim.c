/* SPDX-License-Identifier: MIT */
/* libxenstore's functions: what they send, and what they make of the answers. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_store.h"
#include "xs/shim/shim.h"

#define END                                                                                        \
    {                                                                                              \
    }

static void value_is(struct xs_handle *h, const char *path, const char *want, unsigned len)
{
    unsigned n = 99;
    char *value = xs_read(h, 0, path, &n);

    ck_assert_uint_eq(n, len);
    ck_assert_mem_eq(value, want, len + 1);
    free(value);
}

static void children_are(struct xs_handle *h, const char *path, const char *const *want,
                         unsigned len)
{
    unsigned n = 99;
    char **names = xs_directory(h, 0, path, &n);

    ck_assert_ptr_nonnull(names);
    ck_assert_uint_eq(n, len);
    for (unsigned i = 0; i < n; i++)
        ck_assert_str_eq(names[i], want[i]);
    free(names);
}

START_TEST(nodes)
{
    static struct fake_step steps[] = {
        FAKE_STEP(XS_WRITE, "/a\0b\0c", "OK\0"),
        FAKE_STEP(XS_WRITE, "/a\0", "OK\0"),
        FAKE_STEP(XS_READ, "/a\0", "b\0c"),
        FAKE_STEP(XS_READ, "/a\0", ""),
        FAKE_STEP(XS_MKDIR, "/d\0", "OK\0"),
        FAKE_STEP(XS_RM, "/d\0", "OK\0"),
        FAKE_STEP(XS_DIRECTORY, "/\0", "one\0two\0\0"),
        FAKE_STEP(XS_DIRECTORY, "/a\0", ""),
        FAKE_STEP(XS_DIRECTORY, "/a\0", "cut"),
        END,
    };
    struct xs_handle *h = fake_open(fake_play, steps);
    static const char *const names[] = {"one", "two", ""};
    unsigned n;

    ck_assert(xs_write(h, 0, "/a", "b\0c", 3));
    ck_assert(xs_write(h, 0, "/a", NULL, 0));
    value_is(h, "/a", "b\0c", 3);
    value_is(h, "/a", "", 0);
    ck_assert(xs_mkdir(h, 0, "/d"));
    ck_assert(xs_rm(h, 0, "/d"));
    children_are(h, "/", names, 3);
    children_are(h, "/a", NULL, 0);
    FAILS(xs_directory(h, 0, "/a", &n), EINVAL);
    fake_close(h);
}
END_TEST

/* The node changes behind the second part: from the start again. */
START_TEST(directory_in_parts)
{
    static struct fake_step steps[] = {
        FAKE_REFUSE(XS_DIRECTORY, "/d\0", "E2BIG"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0000\0", "7\0a\0bb\0"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0005\0", "7\0ccc\0"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0009\0", "8\0d\0"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0000\0", "8\0a\0x\0"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0004\0", "8\0d\0\0"),
        FAKE_REFUSE(XS_DIRECTORY, "/e\0", "E2BIG"),
        FAKE_STEP(XS_DIRECTORY_PART, "/e\0000\0", "7\0\0"),
        FAKE_REFUSE(XS_DIRECTORY, "/e\0", "E2BIG"),
        FAKE_REFUSE(XS_DIRECTORY_PART, "/e\0000\0", "ENOENT"),
        END,
    };
    struct xs_handle *h = fake_open(fake_play, steps);
    static const char *const names[] = {"a", "x", "d"};
    unsigned n;

    children_are(h, "/d", names, 3);
    children_are(h, "/e", NULL, 0);
    FAILS(xs_directory(h, 0, "/e", &n), ENOENT);
    fake_close(h);
}
END_TEST

/* No progress, names or generation without end, a generation that is none. */
START_TEST(bad_parts)
{
    static struct fake_step parts[] = {
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0000\0", ""),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0000\0", "7"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0000\0", "7\0"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0000\0", "7\0a\0b"),
        FAKE_STEP(XS_DIRECTORY_PART, "/d\0000\0", "1234567890123456789012345678901234567890\0a\0"),
    };
    struct fake_step steps[] = {FAKE_REFUSE(XS_DIRECTORY, "/d\0", "E2BIG"), parts[_i], END};
    struct xs_handle *h = fake_open(fake_play, steps);
    unsigned n;

    FAILS(xs_directory(h, 0, "/d", &n), EINVAL);
    fake_close(h);
}
END_TEST
#define BAD_PARTS 5

START_TEST(permissions)
{
    static struct fake_step steps[] = {
        FAKE_STEP(XS_SET_PERMS, "/a\0n0\0r1\0w2\0b65535\0", "OK\0"),
        FAKE_STEP(XS_GET_PERMS, "/a\0", "n0\0r1\0w2\0b65535\0"),
        FAKE_STEP(XS_GET_PERMS, "/a\0", ""),
        FAKE_STEP(XS_GET_PERMS, "/a\0", "n0"),
        FAKE_STEP(XS_GET_PERMS, "/a\0", "n0\0x1\0"),
        FAKE_STEP(XS_GET_PERMS, "/a\0", "n0\0r\0"),
        FAKE_STEP(XS_GET_PERMS, "/a\0", "n0\0r1x\0"),
        FAKE_STEP(XS_GET_PERMS, "/a\0", "\0\0"),
        END,
    };
    struct xs_permissions set[4] = {{0, XS_PERM_NONE},
                                    {1, XS_PERM_READ},
                                    {2, XS_PERM_WRITE | XS_PERM_IGNORE},
                                    {65535, XS_PERM_READ | XS_PERM_WRITE}};
    static struct xs_permissions many[XENSTORE_PAYLOAD_MAX / 3 + 1];
    struct xs_handle *h = fake_open(fake_play, steps);
    struct xs_permissions *got;
    unsigned n;

    ck_assert(xs_set_permissions(h, 0, "/a", set, 4));
    got = xs_get_permissions(h, 0, "/a", &n);
    ck_assert_uint_eq(n, 4);
    set[2].perms = XS_PERM_WRITE;
    ck_assert_mem_eq(got, set, sizeof(set));
    free(got);
    for (unsigned i = 0; i < 6; i++) {
        FAILS(xs_get_permissions(h, 0, "/a", &n), EINVAL);
    }
    set[1].perms = XS_PERM_OWNER;
    FAILS(xs_set_permissions(h, 0, "/a", set, 4), EINVAL);
    FAILS(xs_set_permissions(h, 0, "/a", many, sizeof(many) / sizeof(many[0])), E2BIG);
    FAILS(xs_set_permissions(h, 0, "/a", many, XENSTORE_PAYLOAD_MAX / 3), E2BIG);
    fake_close(h);
}
END_TEST

START_TEST(transactions)
{
    static struct fake_step steps[] = {
        FAKE_STEP(XS_TRANSACTION_START, "\0", "4294967295\0"),
        FAKE_STEP(XS_TRANSACTION_END, "T\0", "OK\0"),
        FAKE_REFUSE(XS_TRANSACTION_END, "F\0", "EAGAIN"),
        FAKE_STEP(XS_TRANSACTION_START, "\0", "4294967296\0"),
        FAKE_STEP(XS_TRANSACTION_START, "\0", "0\0"),
        FAKE_STEP(XS_TRANSACTION_START, "\0", "7x\0"),
        FAKE_STEP(XS_TRANSACTION_START, "\0", ""),
        FAKE_REFUSE(XS_TRANSACTION_START, "\0", "ENOSPC"),
        END,
    };
    struct xs_handle *h = fake_open(fake_play, steps);

    ck_assert_uint_eq(xs_transaction_start(h), 4294967295U);
    ck_assert(xs_transaction_end(h, 7, false));
    FAILS(xs_transaction_end(h, 7, true), EAGAIN);
    for (unsigned i = 0; i < 4; i++) {
        FAILS(xs_transaction_start(h), EINVAL);
    }
    FAILS(xs_transaction_start(h), ENOSPC);
    fake_close(h);
}
END_TEST

START_TEST(domains)
{
    static struct fake_step steps[] = {
        FAKE_STEP(XS_INTRODUCE, "7\00018446744073709551615\0003\0", "OK\0"),
        FAKE_STEP(XS_RELEASE, "7\0", "OK\0"),
        FAKE_STEP(XS_RESUME, "7\0", "OK\0"),
        FAKE_STEP(XS_SET_TARGET, "7\0008\0", "OK\0"),
        FAKE_STEP(XS_GET_DOMAIN_PATH, "7\0", "/local/domain/7\0"),
        FAKE_STEP(XS_IS_DOMAIN_INTRODUCED, "7\0", "T\0"),
        FAKE_STEP(XS_IS_DOMAIN_INTRODUCED, "7\0", "F\0"),
        FAKE_REFUSE(XS_IS_DOMAIN_INTRODUCED, "7\0", "EACCES"),
        FAKE_STEP(XS_CONTROL, "log\0on\0", "fine\0"),
        FAKE_STEP(XS_CONTROL, "check\0", "OK\0"),
        END,
    };
    struct xs_handle *h = fake_open(fake_play, steps);
    char on[] = "on", *text;

    ck_assert(xs_introduce_domain(h, 7, ~0UL, 3));
    ck_assert(xs_release_domain(h, 7));
    ck_assert(xs_resume_domain(h, 7));
    ck_assert(xs_set_target(h, 7, 8));
    text = xs_get_domain_path(h, 7);
    ck_assert_str_eq(text, "/local/domain/7");
    free(text);
    ck_assert(xs_is_domain_introduced(h, 7));
    ck_assert(!xs_is_domain_introduced(h, 7));
    FAILS(xs_is_domain_introduced(h, 7), EACCES);
    text = xs_control_command(h, "log", on, sizeof(on));
    ck_assert_str_eq(text, "fine");
    free(text);
    text = xs_debug_command(h, "check", NULL, 0);
    ck_assert_str_eq(text, "OK");
    free(text);
    ck_assert(!xs_restrict(h, 7));
    fake_close(h);
}
END_TEST

START_TEST(suspend_port)
{
    static const struct fake_step values[] = {
        FAKE_STEP(XS_READ, "/local/domain/7/device/suspend/event-channel\0", "42"),
        FAKE_STEP(XS_READ, "/local/domain/7/device/suspend/event-channel\0", "port"),
        FAKE_STEP(XS_READ, "/local/domain/7/device/suspend/event-channel\0", "4294967297"),
        FAKE_REFUSE(XS_READ, "/local/domain/7/device/suspend/event-channel\0", "ENOENT"),
    };
    struct fake_step steps[] = {values[_i], END};

    fake_start(fake_play, steps);
    ck_assert_int_eq(xs_suspend_evtchn_port(7), _i ? -1 : 42);
    fake_stop();
    ck_assert_int_eq(xs_suspend_evtchn_port(7), -1);
}
END_TEST
#define SUSPEND_VALUES 4

START_TEST(error_names)
{
    struct fake_step steps[sizeof(xsd_errors) / sizeof(xsd_errors[0]) + 3] = {};
    unsigned n = sizeof(xsd_errors) / sizeof(xsd_errors[0]);
    struct xs_handle *h;

    for (unsigned i = 0; i < n + 2; i++) {
        const char *name = i < n ? xsd_errors[i].errstring : i == n ? "ENEW" : "EIO?";

        /* The last one without its NUL. */
        steps[i] =
            (struct fake_step){XS_RM, "/a", 3, XS_ERROR, name, i <= n ? strlen(name) + 1 : 3};
    }
    h = fake_open(fake_play, steps);
    for (unsigned i = 0; i < n + 2; i++) {
        FAILS(xs_rm(h, 0, "/a"), i < n ? xsd_errors[i].errnum : i == n ? EINVAL : EIO);
    }
    fake_close(h);
}
END_TEST

/* What is too long is not sent, and does no harm. */
START_TEST(too_long)
{
    static struct fake_step steps[] = {FAKE_STEP(XS_RM, "/a\0", "OK\0"), END};
    static char path[XENSTORE_PAYLOAD_MAX + 1];
    struct xs_handle *h = fake_open(fake_play, steps);
    unsigned n;

    memset(path, 'x', XENSTORE_PAYLOAD_MAX);
    FAILS(xs_read(h, 0, path, &n), E2BIG);
    FAILS(xs_directory(h, 0, path, &n), E2BIG);
    FAILS(xs_write(h, 0, "/a", path, XENSTORE_PAYLOAD_MAX - 2), E2BIG);
    FAILS(xs_write(h, 0, "/a", path, ~0U), E2BIG);
    ck_assert(xs_rm(h, 0, "/a"));
    fake_close(h);
}
END_TEST

static void take_message(int fd, void *arg)
{
    struct fake_request *r = arg;

    ck_assert(fake_receive(fd, r));
    fake_send(fd, r->header.type, r->header.req_id, "OK", 3);
}

START_TEST(transaction_and_largest)
{
    struct fake_request r;
    static char value[XENSTORE_PAYLOAD_MAX - 3];
    struct xs_handle *h;

    h = fake_open(take_message, &r);
    ck_assert(xs_write(h, 77, "/a", value, sizeof(value)));
    ck_assert_uint_eq(r.header.tx_id, 77);
    ck_assert_uint_eq(r.header.len, XENSTORE_PAYLOAD_MAX);
    fake_close(h);
}
END_TEST

START_TEST(subpaths)
{
    static const struct {
        const char *parent, *child;
        bool is;
    } c[] = {{"/a", "/a", 1}, {"/a", "/a/b", 1}, {"/a", "/ab", 0}, {"/a/b", "/a", 0},
             {"a", "a/b", 1}, {"/a", "a", 0},    {"", "", 1},      {"", "a", 0},
             {"@x", "@x", 1}, {"/", "/", 1}};

    for (unsigned i = 0; i < sizeof(c) / sizeof(c[0]); i++)
        ck_assert_int_eq(xs_path_is_subpath(c[i].parent, c[i].child), c[i].is);
}
END_TEST

START_TEST(write_all)
{
    char back[4];
    int ends[2];

    ck_assert(!pipe(ends));
    ck_assert(xs_write_all(ends[1], "abc", 4));
    ck_assert_int_eq(read(ends[0], back, 4), 4);
    ck_assert_str_eq(back, "abc");
    ck_assert(xs_write_all(-1, NULL, 0));
    ck_assert(!xs_write_all(ends[0], "abc", 4));
}
END_TEST

START_TEST(paths)
{
    static char dir[PATH_MAX + 1];

    unsetenv("XENSTORED_PATH");
    unsetenv("XENSTORED_RUNDIR");
    ck_assert_str_eq(xs_daemon_rundir(), "/var/run/xenstored");
    ck_assert_str_eq(xs_daemon_socket(), "/var/run/xenstored/socket");
    setenv("XENSTORED_RUNDIR", "/nowhere", 1);
    ck_assert_str_eq(xs_daemon_socket_ro(), "/nowhere/socket");
    memset(dir, 'x', PATH_MAX);
    setenv("XENSTORED_RUNDIR", dir, 1);
    ck_assert_ptr_null(xs_daemon_socket());
    setenv("XENSTORED_PATH", "/else/where", 1);
    ck_assert_str_eq(xs_daemon_socket(), "/else/where");
    FAILS(xs_open(0), ENOENT);
}
END_TEST

/* A device, as /dev/xen/xenbus is one, is written and read as it is. */
START_TEST(device)
{
    struct xs_handle *h;

    setenv("XENSTORED_PATH", "/dev/zero", 1);
    h = xs_domain_open();
    ck_assert_ptr_nonnull(h);
    FAILS(xs_rm(h, 0, "/a"), EBADF);
    xs_daemon_close(h);
}
END_TEST

/* In the place of libxentoolcore. */
static struct toolcore_handle *registered;
void xentoolcore__register_active_handle(struct toolcore_handle *t);
void xentoolcore__deregister_active_handle(struct toolcore_handle *t);
int xentoolcore__restrict_by_dup2_null(int fd);

void xentoolcore__register_active_handle(struct toolcore_handle *t)
{
    registered = t;
}

void xentoolcore__deregister_active_handle(struct toolcore_handle *t)
{
    ck_assert_ptr_eq(registered, t);
    registered = NULL;
}

int xentoolcore__restrict_by_dup2_null(int fd)
{
    return dup2(open("/dev/null", O_RDWR), fd) == fd ? 0 : -1;
}

START_TEST(restrict_all)
{
    static struct fake_step steps[] = {FAKE_STEP(XS_RM, "/a\0", "OK\0"), END};
    struct xs_handle *h = fake_open(fake_play, steps);

    ck_assert(xs_rm(h, 0, "/a"));
    ck_assert(!registered->restrict_to(registered, 7));
    FAILS(xs_rm(h, 0, "/a"), EBADF);
    fake_close(h);
    ck_assert_ptr_null(registered);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, nodes);
    tcase_add_test(tc, directory_in_parts);
    tcase_add_loop_test(tc, bad_parts, 0, BAD_PARTS);
    tcase_add_test(tc, permissions);
    tcase_add_test(tc, transactions);
    tcase_add_test(tc, domains);
    tcase_add_loop_test(tc, suspend_port, 0, SUSPEND_VALUES);
    tcase_add_test(tc, error_names);
    tcase_add_test(tc, too_long);
    tcase_add_test(tc, transaction_and_largest);
    tcase_add_test(tc, subpaths);
    tcase_add_test(tc, write_all);
    tcase_add_test(tc, paths);
    tcase_add_test(tc, device);
    tcase_add_test(tc, restrict_all);
}

int main(void)
{
    return check_main("shim", fill);
}

/* SPDX-License-Identifier: MIT */
/* libxenstore's way to a Bulkhead host, with a script in the place of bl. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenstore.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_store.h"

#define HOST "serial:/dev/nowhere"

static char folder[64], library[PATH_MAX];

/* The library lies where the test says. */
char *__wrap_realpath(const char *path, char *resolved);
char *__wrap_realpath(const char *path, char *resolved)
{
    (void)path;
    return strcpy(resolved, library);
}

static const char *in_folder(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* Writes down how it was called and what it holds, then does as it is told. */
static void write_bl(const char *name, const char *rest)
{
    const char *path = in_folder(name);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "#!/bin/sh\n"
            "echo \"$0 $* $BULKHEAD_HOST\" >'%s/called'\n"
            "cut -d' ' -f6 /proc/$$/stat >'%s/session'\n"
            "[ ! -e /proc/$$/fd/%d ] || echo >'%s/leak'\n%s\n",
            folder, folder, 99, folder, rest);
    fclose(f);
    chmod(path, 0755);
}

static void check_called(const char *name)
{
    char line[256] = "", expected[256];
    FILE *f = fopen(in_folder("called"), "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
    fclose(f);
    snprintf(expected, sizeof(expected), "%s store-connect %s\n", in_folder(name), HOST);
    ck_assert_str_eq(line, expected);
}

static struct fake_step steps[] = {
    FAKE_STEP(XS_GET_DOMAIN_PATH, "0\0", "/local/domain/0\0"),
    FAKE_STEP(XS_RM, "/a\0", "OK\0"),
    {},
};
static char relay[256];

static void set_up(void)
{
    strcpy(folder, "/tmp/shim-host-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    mkdir(in_folder("lib"), 0700);
    snprintf(library, sizeof(library), "%s/lib/libxenstore.so.4", folder);
    fake_start(fake_play, steps);
    snprintf(relay, sizeof(relay), "exec socat STDIO 'UNIX-CONNECT:%s'", getenv("XENSTORED_PATH"));
    unsetenv("XENSTORED_PATH");
    setenv("BULKHEAD_HOST", HOST, 1);
}

static void tear_down(void)
{
    char command[128];

    snprintf(command, sizeof(command), "/bin/rm -r '%s'", folder);
    ck_assert(!system(command));
}

static void use_host(const char *name)
{
    struct xs_handle *h = xs_open(0);

    ck_assert_ptr_nonnull(h);
    ck_assert(xs_rm(h, 0, "/a"));
    fake_close(h);
    check_called(name);
}

static void put_in_path(void)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s:%s", in_folder("bin"), getenv("PATH"));
    mkdir(in_folder("bin"), 0700);
    setenv("PATH", path, 1);
}

/* Beside the library comes first, then above it, then as the shell finds it. */
START_TEST(places)
{
    static const char *const names[] = {"bin/bl", "lib/../bl", "lib/bl"};

    put_in_path();
    for (int i = 0; i <= _i; i++)
        write_bl(names[i], relay);
    use_host(names[_i]);
}
END_TEST
#define PLACES 3

/* The bridge is no child of the program, not in its session, and holds none of its files. */
START_TEST(apart)
{
    char session[32];
    FILE *f;

    write_bl("lib/bl", relay);
    ck_assert_int_eq(dup2(open("/dev/null", O_RDONLY), 99), 99);
    use_host("lib/bl");
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
    ck_assert_int_eq(errno, ECHILD);
    f = fopen(in_folder("session"), "r");
    ck_assert_ptr_nonnull(fgets(session, sizeof(session), f));
    fclose(f);
    ck_assert_int_ne(atoi(session), getsid(0));
    ck_assert_int_ne(access(in_folder("leak"), F_OK), 0);
}
END_TEST

/* The first descriptors of the program may be any file. */
START_TEST(no_standard_files)
{
    write_bl("lib/bl", relay);
    close(0);
    close(1);
    use_host("lib/bl");
}
END_TEST

START_TEST(no_bl)
{
    setenv("PATH", in_folder("nowhere"), 1);
    FAILS(xs_open(0), ENOENT);
    fake_stop();
}
END_TEST

START_TEST(no_host)
{
    write_bl("lib/bl", "exit 1");
    FAILS(xs_open(0), ECONNREFUSED);
    check_called("lib/bl");
    fake_stop();
}
END_TEST

/* A store refuses the question, but it is there. */
START_TEST(host_refuses)
{
    static struct fake_step refusal[] = {FAKE_REFUSE(XS_GET_DOMAIN_PATH, "0\0", "EACCES"), {}};
    struct xs_handle *h;

    fake_stop();
    fake_start(fake_play, refusal);
    snprintf(relay, sizeof(relay), "exec socat STDIO 'UNIX-CONNECT:%s'", getenv("XENSTORED_PATH"));
    unsetenv("XENSTORED_PATH");
    write_bl("lib/bl", relay);
    h = xs_open(0);
    ck_assert_ptr_nonnull(h);
    fake_close(h);
}
END_TEST

/* Who names a store means it, though a host is named, too; an empty host is none. */
START_TEST(precedence)
{
    write_bl("lib/bl", relay);
    setenv("XENSTORED_PATH", "/nowhere", 1);
    FAILS(xs_open(0), ENOENT);
    unsetenv("XENSTORED_PATH");
    setenv("XENSTORED_RUNDIR", "/nowhere", 1);
    setenv("BULKHEAD_HOST", "", 1);
    ck_assert_ptr_null(xs_open(0));
    ck_assert_int_ne(access(in_folder("called"), F_OK), 0);
    setenv("BULKHEAD_HOST", HOST, 1);
    use_host("lib/bl");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, places, 0, PLACES);
    tcase_add_test(tc, apart);
    tcase_add_test(tc, no_standard_files);
    tcase_add_test(tc, no_bl);
    tcase_add_test(tc, no_host);
    tcase_add_test(tc, host_refuses);
    tcase_add_test(tc, precedence);
}

int main(void)
{
    return check_main("shim_host", fill);
}

/* SPDX-License-Identifier: MIT */
/* The store's rules: watches, permissions, transactions, quotas. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/check_main.h"
#include "tests/unit/storekit.h"

static struct kit_client *root, *other; /* connections of domain 0 */

static void setup(void)
{
    kit_open(4 << 20);
    root = kit_connect(0);
    other = kit_connect(1);
}

/* --- watches --- */

START_TEST(test_watch_events)
{
    setup();
    GOOD(root, XS_WATCH, 0, "/a\0one\0");
    ck_assert_str_eq(kit_events(root), "/a one\n"); /* each fires once when it is made */
    REFUSED(root, XS_WATCH, 0, "/a\0one\0", "EEXIST");
    GOOD(root, XS_WATCH, 0, "/a\0two\0");
    GOOD(root, XS_WATCH, 0, "/\0all\0");
    GOOD(root, XS_WATCH, 0, "rel\0mine\0");
    ck_assert_str_eq(kit_events(root), "/a two\n/ all\nrel mine\n");
    GOOD(other, XS_WRITE, 0, "/a/b\0x");
    ck_assert_str_eq(kit_events(root), "/a/b one\n/a/b two\n/a/b all\n");
    GOOD(other, XS_WRITE, 0, "/ab\0x"); /* not below /a */
    ck_assert_str_eq(kit_events(root), "/ab all\n");
    GOOD(other, XS_MKDIR, 0, "/a/b\0"); /* is there: nothing happens */
    ck_assert_str_eq(kit_events(root), "");
    GOOD(other, XS_WRITE, 0, "rel/x\0y");
    GOOD(other, XS_WRITE, 0, "rel\0y");
    ck_assert_str_eq(kit_events(root), "/local/domain/0/rel/x all\nrel/x mine\n"
                                       "/local/domain/0/rel all\nrel mine\n");
    GOOD(other, XS_SET_PERMS, 0, "/a/b\0n0\0");
    ck_assert_str_eq(kit_events(root), "/a/b one\n/a/b two\n/a/b all\n");
    GOOD(root, XS_UNWATCH, 0, "/a\0one\0");
    GOOD(root, XS_UNWATCH, 0, "rel\0mine\0");
    REFUSED(root, XS_UNWATCH, 0, "rel\0mine\0", "ENOENT");
    GOOD(other, XS_WRITE, 0, "/a\0");
    ck_assert_str_eq(kit_events(root), "/a two\n/a all\n");
    GOOD(root, XS_RESET_WATCHES, 0, "\0");
    GOOD(other, XS_WRITE, 0, "/a\0");
    ck_assert_str_eq(kit_events(root), "");
}
END_TEST

START_TEST(test_watch_rm)
{
    setup();
    GOOD(root, XS_WRITE, 0, "/a/b/c\0x");
    GOOD(root, XS_WRITE, 0, "/a/d\0x");
    GOOD(root, XS_WATCH, 0, "/a/b\0b\0");
    GOOD(root, XS_WATCH, 0, "/a/b/c\0c\0");
    GOOD(root, XS_WATCH, 0, "/a/d\0d\0");
    GOOD(root, XS_WATCH, 0, "/\0all\0");
    kit_events(root);
    /* Those above hear of the node only, those at a node below of that; the lowest first. */
    GOOD(other, XS_RM, 0, "/a\0");
    ck_assert_str_eq(kit_events(root), "/a/b/c c\n/a/b b\n/a/d d\n/a all\n");
    GOOD(other, XS_RM, 0, "/a\0"); /* is not there */
    ck_assert_str_eq(kit_events(root), "");
}
END_TEST

START_TEST(test_watch_order)
{
    struct kit_answer a;

    setup();
    GOOD(root, XS_WATCH, 0, "/x\0t\0");
    kit_events(root);
    /* The event of one's own write comes before the answer, that of WATCH after it. */
    {
        struct {
            struct xsd_sockmsg head;
            char text[4];
        } r = {{XS_WRITE, 1, 0, 4}, "/x\0y"}, w = {{XS_WATCH, 2, 0, 4}, "/\0u"};

        kit_put(root, &r, 20);
        kit_put(root, &w, 20);
    }
    kit_work();
    kit_get(root);
    ck_assert(kit_message(root, &a));
    ck_assert_uint_eq(a.type, XS_WATCH_EVENT);
    ck_assert(kit_message(root, &a));
    ck_assert_uint_eq(a.type, XS_WRITE);
    ck_assert(kit_message(root, &a));
    ck_assert_uint_eq(a.type, XS_WATCH);
    ck_assert(kit_message(root, &a));
    ck_assert_uint_eq(a.type, XS_WATCH_EVENT);
    ck_assert(!kit_message(root, &a));
}
END_TEST

START_TEST(test_watch_special)
{
    struct kit_client *guest;

    setup();
    guest = kit_introduce(2, 5);
    GOOD(root, XS_WATCH, 0, "@introduceDomain\0in\0");
    GOOD(root, XS_WATCH, 0, "@releaseDomain\0out\0");
    GOOD(guest, XS_WATCH, 0, "@releaseDomain\0out\0");
    kit_events(root);
    kit_events(guest);
    kit_introduce(3, 6);
    ck_assert_str_eq(kit_events(root), "@introduceDomain in\n");
    store_domain_shutdown(kit_store, 6);
    store_domain_shutdown(kit_store, 6); /* told once */
    ck_assert_str_eq(kit_events(root), "@releaseDomain out\n");
    store_domain_gone(kit_store, 6);
    ck_assert_str_eq(kit_events(root), "@releaseDomain out\n");
    ck_assert_str_eq(kit_events(guest), ""); /* may not know */
    GOOD(root, XS_SET_PERMS, 0, "@releaseDomain\0n0\0r5\0");
    REFUSED(root, XS_SET_PERMS, 0, "@somethingElse\0n0\0", "EINVAL");
    REFUSED(guest, XS_SET_PERMS, 0, "@releaseDomain\0n5\0", "EACCES");
    kit_introduce(3, 6);
    GOOD(root, XS_RELEASE, 0, "6\0");
    ck_assert_str_eq(kit_events(guest), "@releaseDomain out\n");
}
END_TEST

/* Who does not read his events finds one of each sort, in order, when he does. */
START_TEST(test_watch_duplicates)
{
    char want[4096] = "", path[64];

    setup();
    GOOD(root, XS_WATCH, 0, "/d\0token\0");
    kit_events(root);
    for (unsigned i = 0; i < 300; i++) {
        uint32_t len = (uint32_t)sprintf(path, "/d/%u", i % 60);

        kit_expect(other, XS_WRITE, 0, path, len + 1, "OK", 3, __FILE__, __LINE__);
    }
    for (unsigned i = 0; i < 60; i++)
        sprintf(want + strlen(want), "/d/%u token\n", i);
    /* What was in the ring already is not in the queue, and comes again. */
    ck_assert_int_eq(strncmp(kit_events(root), want, strlen(want)), 0);
    ck_assert_str_eq(kit_events(root), "");
}
END_TEST

/* --- permissions --- */

START_TEST(test_perms)
{
    struct kit_client *a, *b;

    setup();
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d\0n5\0");
    a = kit_introduce(2, 5);
    b = kit_introduce(3, 6);
    EXPECT(a, XS_READ, 0, "d\0", "v");
    EXPECT(a, XS_READ, 0, "/local/domain/5/d\0", "v");
    REFUSED(b, XS_READ, 0, "/local/domain/5/d\0", "EACCES");
    REFUSED(b, XS_READ, 0, "/local/domain/5/d/none\0", "EACCES"); /* says nothing */
    REFUSED(a, XS_READ, 0, "/local/domain/5/d/none\0", "ENOENT");
    REFUSED(a, XS_READ, 0, "/tool\0", "EACCES");
    REFUSED(a, XS_READ, 0, "/none\0", "EACCES");
    REFUSED(a, XS_WRITE, 0, "/tool/x\0", "EACCES");
    GOOD(a, XS_WRITE, 0, "d/e/f\0x"); /* owns what it makes */
    EXPECT(a, XS_GET_PERMS, 0, "d/e\0", "n5\0");
    GOOD(a, XS_SET_PERMS, 0, "d/e\0n5\0r6\0");
    EXPECT(a, XS_GET_PERMS, 0, "d/e\0", "n5\0r6\0");
    EXPECT(b, XS_READ, 0, "/local/domain/5/d/e\0", "");
    EXPECT(b, XS_DIRECTORY, 0, "/local/domain/5/d/e\0", "f\0");
    REFUSED(b, XS_READ, 0, "/local/domain/5/d/e/f\0", "EACCES"); /* made before */
    REFUSED(b, XS_WRITE, 0, "/local/domain/5/d/e\0x", "EACCES");
    REFUSED(b, XS_MKDIR, 0, "/local/domain/5/d/e\0", "EACCES");
    REFUSED(b, XS_RM, 0, "/local/domain/5/d/e\0", "EACCES");
    REFUSED(b, XS_SET_PERMS, 0, "/local/domain/5/d/e\0n6\0", "EACCES");
    REFUSED(a, XS_SET_PERMS, 0, "d/e\0n6\0", "EPERM"); /* does not give it away */
    GOOD(a, XS_SET_PERMS, 0, "d/e\0n5\0w6\0");
    GOOD(b, XS_WRITE, 0, "/local/domain/5/d/e\0x");
    GOOD(b, XS_WRITE, 0, "/local/domain/5/d/e/new\0x");
    EXPECT(root, XS_GET_PERMS, 0, "/local/domain/5/d/e/new\0", "n6\0w6\0");
    REFUSED(b, XS_READ, 0, "/local/domain/5/d/e\0", "EACCES");
    GOOD(a, XS_SET_PERMS, 0, "d/e\0b5\0n6\0"); /* all but one */
    REFUSED(b, XS_READ, 0, "/local/domain/5/d/e\0", "EACCES");
    REFUSED(a, XS_SET_PERMS, 0, "d/e\0x5\0", "EINVAL");
    REFUSED(a, XS_SET_PERMS, 0, "d/e\0n\0", "EINVAL");
    REFUSED(a, XS_SET_PERMS, 0, "d/e\0n5x\0", "EINVAL");
    REFUSED(root, XS_SET_PERMS, 0, "/tool\0n2000\0", "ENOENT"); /* no such domain */
    GOOD(root, XS_SET_PERMS, 0, "/tool\0n0\0r0x10\0r010\0");
    EXPECT(root, XS_GET_PERMS, 0, "/tool\0", "n0\0r16\0r8\0");
}
END_TEST

START_TEST(test_perms_of_watchers)
{
    struct kit_client *a;

    setup();
    a = kit_introduce(2, 5);
    GOOD(a, XS_WATCH, 0, "/p\0t\0");
    kit_events(a);
    GOOD(root, XS_WRITE, 0, "/p/q/r\0x");
    ck_assert_str_eq(kit_events(a), "");
    GOOD(root, XS_SET_PERMS, 0, "/p/q\0n0\0r5\0");
    ck_assert_str_eq(kit_events(a), "/p/q t\n");
    GOOD(root, XS_WRITE, 0, "/p/q/r\0x"); /* can read the parent */
    ck_assert_str_eq(kit_events(a), "/p/q/r t\n");
    GOOD(root, XS_SET_PERMS, 0, "/p/q\0n0\0"); /* could */
    ck_assert_str_eq(kit_events(a), "/p/q t\n");
    GOOD(root, XS_WRITE, 0, "/p/q\0x");
    ck_assert_str_eq(kit_events(a), "");
}
END_TEST

START_TEST(test_target)
{
    struct kit_client *stub;

    setup();
    GOOD(root, XS_WRITE, 0, "/t\0x");
    GOOD(root, XS_SET_PERMS, 0, "/t\0n0\0r6\0");
    GOOD(root, XS_WRITE, 0, "/u\0x");
    GOOD(root, XS_SET_PERMS, 0, "/u\0n6\0");
    stub = kit_introduce(2, 5);
    kit_introduce(3, 6);
    REFUSED(stub, XS_READ, 0, "/t\0", "EACCES");
    REFUSED(root, XS_SET_TARGET, 0,
            "5\0"
            "7\0",
            "ENOENT");
    GOOD(root, XS_SET_TARGET, 0,
         "5\0"
         "6\0");
    EXPECT(stub, XS_READ, 0, "/t\0", "x");
    REFUSED(stub, XS_WRITE, 0, "/t\0y", "EACCES");
    GOOD(stub, XS_WRITE, 0, "/u\0y");
    GOOD(root, XS_RELEASE, 0, "6\0");
    REFUSED(stub, XS_READ, 0, "/t\0", "EACCES");
}
END_TEST

/* --- transactions --- */

START_TEST(test_transaction)
{
    uint32_t t;

    setup();
    GOOD(other, XS_WATCH, 0, "/\0all\0");
    kit_events(other);
    t = kit_start(root);
    ck_assert_uint_eq(t, 1);
    REFUSED(root, XS_TRANSACTION_START, t, "\0", "EBUSY");
    REFUSED(other, XS_READ, t, "/tool\0", "ENOENT"); /* another connection's */
    GOOD(root, XS_WRITE, t,
         "/n/one\0"
         "1");
    GOOD(root, XS_WRITE, t,
         "/n/two\0"
         "2");
    EXPECT(root, XS_READ, t, "/n/one\0", "1");
    EXPECT(root, XS_DIRECTORY, t, "/n\0", "one\0two\0");
    REFUSED(other, XS_READ, 0, "/n\0", "ENOENT");
    REFUSED(root, XS_READ, 0, "/n\0", "ENOENT");
    GOOD(root, XS_RM, t, "/tool\0");
    EXPECT(root, XS_DIRECTORY, t, "/\0", "n\0");
    EXPECT(root, XS_DIRECTORY, 0, "/\0", "tool\0");
    ck_assert_str_eq(kit_events(other), "");
    REFUSED(root, XS_TRANSACTION_END, t, "", "EINVAL");
    GOOD(root, XS_TRANSACTION_END, t, "T\0");
    ck_assert_str_eq(kit_events(other), "/n/one all\n/n/two all\n/tool all\n");
    EXPECT(other, XS_DIRECTORY, 0, "/\0", "n\0");
    EXPECT(other, XS_READ, 0, "/n/two\0", "2");
    REFUSED(root, XS_TRANSACTION_END, t, "T\0", "ENOENT");
    t = kit_start(root);
    GOOD(root, XS_WRITE, t, "/n/one\0x");
    GOOD(root, XS_TRANSACTION_END, t, "F\0");
    EXPECT(other, XS_READ, 0, "/n/one\0", "1");
    ck_assert_str_eq(kit_events(other), "");
    t = kit_start(root); /* made and removed: nobody hears of it */
    GOOD(root, XS_WRITE, t, "/n/three\0");
    GOOD(root, XS_RM, t, "/n/three\0");
    GOOD(root, XS_TRANSACTION_END, t, "T\0");
    ck_assert_str_eq(kit_events(other), "");
    EXPECT(other, XS_DIRECTORY, 0, "/n\0", "one\0two\0");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

static void expect_end(uint32_t t, bool conflict)
{
    if (conflict)
        REFUSED(root, XS_TRANSACTION_END, t, "T\0", "EAGAIN");
    else
        GOOD(root, XS_TRANSACTION_END, t, "T\0");
}

START_TEST(test_conflicts)
{
    uint32_t t, u;

    setup();
    GOOD(root, XS_WRITE, 0, "/a\0x");
    GOOD(root, XS_WRITE, 0, "/b\0x");
    t = kit_start(root); /* read, changed */
    EXPECT(root, XS_READ, t, "/a\0", "x");
    GOOD(other, XS_WRITE, 0, "/a\0y");
    EXPECT(root, XS_READ, t, "/a\0", "x");
    GOOD(root, XS_WRITE, t, "/b\0z");
    expect_end(t, true);
    EXPECT(root, XS_READ, 0, "/b\0", "x");
    t = kit_start(root); /* what it has not read may change, and is seen as it is then */
    GOOD(other, XS_WRITE, 0, "/a\0w");
    EXPECT(root, XS_READ, t, "/a\0", "w");
    GOOD(other, XS_WRITE, 0, "/b\0q");
    expect_end(t, false);
    t = kit_start(root); /* not there, then made */
    REFUSED(root, XS_READ, t, "/c\0", "ENOENT");
    GOOD(other, XS_WRITE, 0, "/c\0");
    expect_end(t, true);
    t = kit_start(root); /* who found nothing has looked at what is above it */
    REFUSED(root, XS_READ, t, "/none\0", "ENOENT");
    GOOD(other, XS_WRITE, 0, "/new\0");
    expect_end(t, true);
    t = kit_start(root); /* removed */
    EXPECT(root, XS_READ, t, "/c\0", "");
    GOOD(other, XS_RM, 0, "/c\0");
    expect_end(t, true);
    t = kit_start(root); /* removed and made again */
    EXPECT(root, XS_READ, t, "/a\0", "w");
    GOOD(other, XS_RM, 0, "/a\0");
    GOOD(other, XS_WRITE, 0, "/a\0w");
    expect_end(t, true);
    t = kit_start(root); /* both add a child */
    u = kit_start(root);
    GOOD(root, XS_WRITE, t, "/b/1\0");
    GOOD(root, XS_WRITE, u, "/b/2\0");
    expect_end(t, false);
    expect_end(u, true);
    t = kit_start(root); /* different nodes */
    u = kit_start(root);
    GOOD(root, XS_WRITE, t,
         "/a\0"
         "1");
    GOOD(root, XS_WRITE, u,
         "/b\0"
         "2");
    expect_end(u, false);
    expect_end(t, false);
    EXPECT(root, XS_READ, 0, "/a\0", "1");
    EXPECT(root, XS_READ, 0, "/b\0", "2");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

/* --- quotas --- */

static struct kit_client *guest_with_home(void)
{
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d\0n5\0");
    return kit_introduce(2, 5);
}

/* The transaction has its own parent, and sees a child that came there since. */
START_TEST(test_child_of_another_time)
{
    uint32_t t;

    setup();
    t = kit_start(root);
    GOOD(root, XS_WRITE, t, "/d/own\0");
    GOOD(other, XS_WRITE, 0, "/d/new\0");
    REFUSED(root, XS_RM, t, "/d/new\0", "EIO");
    expect_end(t, true);
    EXPECT(root, XS_DIRECTORY, 0, "/d\0", "new\0");
    GOOD(root, XS_MKDIR, 0, "/e\0");
    t = kit_start(root);
    EXPECT(root, XS_DIRECTORY, t, "/e\0", "");
    GOOD(other, XS_WRITE, 0, "/e/new\0");
    REFUSED(root, XS_RM, t, "/e/new\0", "EIO");
    expect_end(t, true);
}
END_TEST

/* Only want of memory is its end. */
START_TEST(test_refused_in_transaction)
{
    uint32_t t;

    setup();
    t = kit_start(root);
    kit_introduce_fails = true;
    REFUSED(root, XS_INTRODUCE, t, "9\0001\0001\0", "EINVAL");
    expect_end(t, false);
}
END_TEST

START_TEST(test_quota_nodes)
{
    struct kit_client *guest;
    uint32_t t;

    setup();
    guest = guest_with_home();
    GOOD(root, XS_CONTROL, 0,
         "quota\0set\0nodes\0"
         "5\0");
    GOOD(guest, XS_WRITE, 0, "d/a/b\0");
    REFUSED(guest, XS_WRITE, 0, "d/x/y/z\0", "ENOSPC");
    EXPECT(guest, XS_DIRECTORY, 0, "d\0", "a\0");
    GOOD(guest, XS_WRITE, 0, "d/x/y\0");
    REFUSED(guest, XS_MKDIR, 0, "d/c\0", "ENOSPC");
    GOOD(guest, XS_WRITE, 0, "d/a/b\0other"); /* no new one */
    GOOD(guest, XS_RM, 0, "d/x\0");
    t = kit_start(guest);
    GOOD(guest, XS_WRITE, t, "d/p/q/r/s/t\0");
    REFUSED(guest, XS_TRANSACTION_END, t, "T\0", "ENOSPC");
    EXPECT(guest, XS_DIRECTORY, 0, "d\0", "a\0");
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d/1/2\0"); /* domain 0 may; they are the guest's */
    REFUSED(guest, XS_MKDIR, 0, "d/c\0", "ENOSPC");
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d/1/3\0");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d/1/2\0n0\0");
    REFUSED(guest, XS_MKDIR, 0, "d/c\0", "ENOSPC");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d/1/3\0n0\0r5\0");
    GOOD(guest, XS_MKDIR, 0, "d/c\0");
}
END_TEST

START_TEST(test_quota_size)
{
    struct kit_client *guest;
    char big[2100] = "d/v";

    setup();
    guest = guest_with_home();
    memset(big + 4, 'x', sizeof(big) - 4);
    kit_expect(guest, XS_WRITE, 0, big, 4 + 2015, "OK", 3, __FILE__, __LINE__);
    kit_expect(guest, XS_WRITE, 0, big, 4 + 2016, "ENOSPC", ~0U, __FILE__, __LINE__);
    kit_expect(root, XS_WRITE, 0, big, 4 + 2016, "OK", 3, __FILE__, __LINE__);
    GOOD(guest, XS_WRITE, 0, "d/v\0small");
    REFUSED(guest, XS_SET_PERMS, 0, "d/v\0n5\0r1\0r2\0r3\0r4\0r6\0", "ENOSPC");
    GOOD(guest, XS_SET_PERMS, 0, "d/v\0n5\0r1\0r2\0r3\0r4\0");
}
END_TEST

START_TEST(test_quota_watches_transactions)
{
    struct kit_client *guest;
    char path[32];
    uint32_t t = 0;

    setup();
    guest = guest_with_home();
    for (unsigned i = 0; i < 129; i++) {
        uint32_t len = (uint32_t)sprintf(path, "/w%u%ct%c", i, 0, 0);

        kit_expect(guest, XS_WATCH, 0, path, len, "OK", 3, __FILE__, __LINE__);
    }
    REFUSED(guest, XS_WATCH, 0, "/more\0t\0", "E2BIG");
    GOOD(guest, XS_UNWATCH, 0, "/w64\0t\0");
    GOOD(guest, XS_WATCH, 0, "/more\0t\0");
    for (unsigned i = 0; i < 11; i++)
        t = kit_start(guest);
    REFUSED(guest, XS_TRANSACTION_START, 0, "\0", "ENOSPC");
    GOOD(guest, XS_TRANSACTION_END, t, "F\0");
    t = kit_start(guest);
    GOOD(root, XS_CONTROL, 0,
         "quota\0set\0transaction-nodes\0"
         "2\0");
    EXPECT(guest, XS_READ, t, "d\0", "v");
    REFUSED(guest, XS_READ, t, "d/a\0", "ENOENT");
    REFUSED(guest, XS_READ, t, "d/b\0", "ENOSPC");
    REFUSED(guest, XS_TRANSACTION_END, t, "T\0", "ENOMEM"); /* it failed then */
    GOOD(guest, XS_RESET_WATCHES, 0, "\0");
    ck_assert_uint_eq(kit_start(guest), 13);
}
END_TEST

/* Guests take all that they can get; each gets as much as is left, and domain 0 what it needs. */
START_TEST(test_quota_memory)
{
    char big[1200] = "";
    uint32_t t, written[8] = {0};

    setup();
    for (unsigned g = 0; g < 8; g++) {
        uint32_t len = (uint32_t)sprintf(big, "/local/domain/%u/d", 5 + g);

        kit_ask(root, XS_MKDIR, 0, big, len + 1);
        len += (uint32_t)sprintf(big + len + 1, "n%u", 5 + g) + 1;
        kit_ask(root, XS_SET_PERMS, 0, big, len + 1);
        kit_introduce(2 + g, 5 + g);
    }
    for (unsigned g = 0; g < 8; g++) {
        for (;; written[g]++) {
            uint32_t len = (uint32_t)sprintf(big, "d/%u/%u", written[g] / 100, written[g]) + 1;
            const struct kit_answer *a;

            a = kit_ask(&kit_clients[2 + g], XS_WRITE, 0, big, len + 1000);
            if (a->type == XS_WRITE)
                continue;
            ck_assert(strcmp(a->text, "ENOMEM") == 0 || strcmp(a->text, "ENOSPC") == 0);
            break;
        }
    }
    /* 4 MiB: about 1,000 nodes of the first, 700 of the second, and so on. */
    ck_assert_uint_ge(written[0], 700);
    ck_assert_uint_ge(written[7], 10);
    GOOD(root, XS_WRITE, 0, "/after\0x");
    t = kit_start(root);
    GOOD(root, XS_WRITE, t, "/after/all\0x");
    GOOD(root, XS_TRANSACTION_END, t, "T\0");
    for (unsigned g = 0; g < 8; g++)
        GOOD(&kit_clients[2 + g], XS_RM, 0, "d/0\0");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

/* One does not read: he is not served, the others are. */
START_TEST(test_quota_outstanding)
{
    struct {
        struct xsd_sockmsg head;
        char text[4];
    } r = {{XS_READ, 1, 0, 2}, "d"};
    struct kit_client *guest;
    uint32_t before;

    setup();
    guest = guest_with_home();
    for (unsigned i = 0; i < 1000; i++) {
        kit_put(guest, &r, 18);
        kit_work();
    }
    before = guest->ring->req_cons;
    ck_assert_uint_ge(before / 18, 1024 / 17 + 20); /* a full ring, and 20 more */
    ck_assert_uint_le(before / 18, 1024 / 17 + 22);
    GOOD(root, XS_WRITE, 0, "/x\0y");
    ck_assert_uint_eq(guest->ring->req_cons, before);
    kit_get(guest);
    kit_work();
    ck_assert_uint_ne(guest->ring->req_cons, before);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, test_watch_events);
    tcase_add_test(tc, test_watch_rm);
    tcase_add_test(tc, test_watch_order);
    tcase_add_test(tc, test_watch_special);
    tcase_add_test(tc, test_watch_duplicates);
    tcase_add_test(tc, test_perms);
    tcase_add_test(tc, test_perms_of_watchers);
    tcase_add_test(tc, test_target);
    tcase_add_test(tc, test_transaction);
    tcase_add_test(tc, test_conflicts);
    tcase_add_test(tc, test_child_of_another_time);
    tcase_add_test(tc, test_refused_in_transaction);
    tcase_add_test(tc, test_quota_nodes);
    tcase_add_test(tc, test_quota_size);
    tcase_add_test(tc, test_quota_watches_transactions);
    tcase_add_test(tc, test_quota_memory);
    tcase_add_test(tc, test_quota_outstanding);
}

int main(void)
{
    return check_main("store rules", fill);
}

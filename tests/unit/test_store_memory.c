/* SPDX-License-Identifier: MIT */
/* The store's memory when one takes what he may, or does not read: the others go on. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/check_main.h"
#include "tests/unit/storekit.h"

#define VAULT (4U << 20) /* that of a host's store */
#define SMALL (1U << 18)
#define OWNER 5
#define OTHER 6
#define VALUE 1900U

static struct kit_client *root;

/* Guest domid with a home of its own. */
static struct kit_client *guest(unsigned i, uint32_t domid)
{
    char text[64];
    uint32_t n = (uint32_t)sprintf(text, "/local/domain/%u", domid) + 1;

    kit_ask(root, XS_WRITE, 0, text, n);
    n += (uint32_t)sprintf(text + n, "n%u", domid) + 1;
    kit_expect(root, XS_SET_PERMS, 0, text, n, "OK", 3, __FILE__, __LINE__);
    return kit_introduce(i, domid);
}

static unsigned turns(unsigned most)
{
    unsigned n = 0;

    while (n < most && store_work(kit_store))
        n++;
    return n;
}

/* Events of writes of nodes with names of this length, which nobody reads. */
static void flood(struct kit_client *c, unsigned writes, int length)
{
    char path[2048];

    for (unsigned i = 0; i < writes; i++) {
        uint32_t n = (uint32_t)sprintf(path, "d/%u/%0*u", i % 8, length, 0) + 1;

        kit_expect(c, XS_WRITE, 0, path, n, "OK", 3, __FILE__, __LINE__);
    }
}

/* Its queue is full to the last byte when it wakes up: it gets all that, and an answer. */
START_TEST(flooded_while_asleep)
{
    static const int lengths[] = {1500, 300, 60, 20, 8, 1};
    struct {
        struct xsd_sockmsg head;
        char path[sizeof("n")];
    } __attribute__((packed)) ask = {{XS_READ, 77, 0, sizeof("n")}, "n"};
    struct kit_client *asleep, *neighbour;
    struct kit_answer a = {.req_id = 0};

    kit_open(VAULT);
    root = kit_connect(0);
    asleep = guest(2, OWNER);
    neighbour = guest(3, OTHER);
    GOOD(neighbour, XS_WRITE, 0, "d\0");
    GOOD(neighbour, XS_SET_PERMS, 0, "d\0n6\0r5\0");
    GOOD(asleep, XS_WATCH, 0, "/local/domain/6/d\0t\0");
    kit_events(asleep);
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
        flood(neighbour, i ? 200 : 800, lengths[i]);
    ck_assert_uint_eq(kit_put(asleep, &ask, sizeof(ask)), sizeof(ask));
    for (unsigned i = 0; i < 5000 && a.req_id != 77; i++) {
        turns(1000);
        kit_get(asleep);
        while (a.req_id != 77 && kit_message(asleep, &a))
            ;
    }
    ck_assert_uint_eq(a.req_id, 77);
    store_kick(kit_store, root->conn); /* as any neighbour does */
    ck_assert_uint_lt(turns(1000), 1000);
}
END_TEST

/* As many nodes as the guest may have, of requests that are larger than the ring. */
static unsigned fill_with_nodes(struct kit_client *c)
{
    char request[VALUE + 64] = {0};
    const struct kit_answer *a;
    unsigned n = 0;

    do {
        uint32_t path = (uint32_t)sprintf(request, "%u/%u", n % 30, n) + 1;

        a = kit_ask(c, XS_WRITE, 0, request, path + VALUE);
    } while (a->type != XS_ERROR && ++n < 1000);
    return n;
}

/* And still there is a block for the queue of one that reads a little later. */
START_TEST(in_one_piece)
{
    struct kit_client *reader;
    const char *at;
    unsigned events = 0;

    kit_open(VAULT);
    root = kit_connect(0);
    reader = guest(1, OWNER);
    GOOD(reader, XS_WATCH, 0, "device\0t\0");
    kit_events(reader);
    ck_assert_uint_gt(fill_with_nodes(guest(2, OTHER)), 900);
    ck_assert_uint_gt(fill_with_nodes(guest(3, OTHER + 1)), 50);
    for (unsigned i = 0; i < 100; i++) {
        char path[64];
        uint32_t n = (uint32_t)sprintf(path, "/local/domain/5/device/vbd/%u/state", 51712 + i) + 1;

        kit_expect(root, XS_WRITE, 0, path, n, "OK", 3, __FILE__, __LINE__);
    }
    for (at = kit_events(reader); (at = strchr(at, '\n')); at++)
        events++;
    ck_assert_uint_eq(events, 100);
}
END_TEST

/* Of one who reads nothing from now on; each of his events takes 3,000 bytes. */
static void watch_slowly(struct kit_client *slow)
{
    char token[3000];

    memset(token, 't', sizeof(token));
    token[sizeof(token) - 1] = '\0';
    memcpy(token, "/local", 7);
    kit_expect(slow, XS_WATCH, 0, token, sizeof(token), "OK", 3, __FILE__, __LINE__);
    memcpy(token, "@releaseDomain", 15);
    kit_expect(slow, XS_WATCH, 0, token, sizeof(token), "OK", 3, __FILE__, __LINE__);
}

/* As many events wait for one of domain 0 as there is memory for. */
static void fill_queue(void)
{
    const struct kit_answer *a;

    watch_slowly(kit_connect(1));
    for (unsigned i = 0;; i++) {
        char path[16];

        a = kit_ask(root, XS_WRITE, 0, path, (uint32_t)sprintf(path, "/local/%u", i) + 1);
        if (a->type == XS_ERROR)
            break;
    }
    ck_assert_str_eq(a->text, "ENOMEM");
}

/* What is told of a domain's end may have no room: the domain goes nevertheless. */
START_TEST(test_release_untold)
{
    kit_open(SMALL);
    root = kit_connect(0);
    GOOD(root, XS_WRITE, 0, "/local/domain/6/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/6/d\0n6\0");
    kit_introduce(2, 6);
    fill_queue();
    if (_i)
        store_domain_gone(kit_store, 6);
    else
        GOOD(root, XS_RELEASE, 0, "6\0");
    REFUSED(root, XS_CONTROL, 0, "quota\0006\0", "ENOENT");
    EXPECT(root, XS_DIRECTORY, 0, "/local/domain/6\0", "");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

/* A transaction that writes so many nodes. */
static const struct kit_answer *commit(struct kit_client *c, unsigned nodes)
{
    uint32_t tx = kit_start(c);
    char path[16];

    for (unsigned i = 0; i < nodes; i++) {
        uint32_t len = (uint32_t)sprintf(path, "d/%u", i) + 1;

        kit_expect(c, XS_WRITE, tx, path, len, "OK", 3, __FILE__, __LINE__);
    }
    return ASK(c, XS_TRANSACTION_END, tx, "T\0");
}

/* No request of a guest has so many events that others find no room for theirs. */
START_TEST(test_flood)
{
    struct kit_client *one, *other;

    kit_open(SMALL);
    root = kit_connect(0);
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d\0n5\0");
    GOOD(root, XS_WRITE, 0, "/local/domain/6/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/6/d\0n6\0");
    one = kit_introduce(2, 5);
    other = kit_introduce(3, 6);
    watch_slowly(kit_connect(1));
    ck_assert_str_eq(commit(one, 10)->text, "OK");
    ck_assert_str_eq(commit(one, 40)->text, "ENOSPC");
    REFUSED(one, XS_READ, 0, "d/39\0", "ENOENT");
    GOOD(other, XS_WRITE, 0, "d/a\0v");
    GOOD(one, XS_WRITE, 0, "d/a\0v");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, flooded_while_asleep);
    tcase_add_test(tc, in_one_piece);
    tcase_add_test(tc, test_flood);
    tcase_add_loop_test(tc, test_release_untold, 0, 2);
}

int main(void)
{
    return check_main("store memory", fill);
}

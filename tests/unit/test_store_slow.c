/* SPDX-License-Identifier: MIT */
/* The store when memory is too little for what somebody does not read. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/check_main.h"
#include "tests/unit/storekit.h"

static struct kit_client *root; /* a connection of domain 0 */

static void setup(void)
{
    kit_open(1 << 18);
    root = kit_connect(0);
}

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
    setup();
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
    struct kit_client *guest, *other;

    setup();
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d\0n5\0");
    GOOD(root, XS_WRITE, 0, "/local/domain/6/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/6/d\0n6\0");
    guest = kit_introduce(2, 5);
    other = kit_introduce(3, 6);
    watch_slowly(kit_connect(1));
    ck_assert_str_eq(commit(guest, 10)->text, "OK");
    ck_assert_str_eq(commit(guest, 40)->text, "ENOSPC");
    REFUSED(guest, XS_READ, 0, "d/39\0", "ENOENT");
    GOOD(other, XS_WRITE, 0, "d/a\0v");
    GOOD(guest, XS_WRITE, 0, "d/a\0v");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, test_flood);
    tcase_add_loop_test(tc, test_release_untold, 0, 2);
}

int main(void)
{
    return check_main("slow store clients", fill);
}

/* SPDX-License-Identifier: MIT */
/* The store when memory is short, or too little for what somebody does not read. */
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

/* One of domain 0, who reads nothing, watches all: as many events wait for it as there is memory
 * for. */
static void fill_queue(void)
{
    char token[3000];
    const struct kit_answer *a;
    struct kit_client *slow = kit_connect(1);

    memset(token, 't', sizeof(token));
    token[sizeof(token) - 1] = '\0';
    memcpy(token, "/local", 7);
    kit_expect(slow, XS_WATCH, 0, token, sizeof(token), "OK", 3, __FILE__, __LINE__);
    memcpy(token, "@releaseDomain", 15);
    kit_expect(slow, XS_WATCH, 0, token, sizeof(token), "OK", 3, __FILE__, __LINE__);
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

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, test_release_untold, 0, 2);
}

int main(void)
{
    return check_main("store memory", fill);
}

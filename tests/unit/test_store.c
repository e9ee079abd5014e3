/* SPDX-License-Identifier: MIT */
/* Each request of the store: what it answers when all is well, when not, and at its limits. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/check_main.h"
#include "tests/unit/storekit.h"

static struct kit_client *root; /* a connection of domain 0 */

static void setup(void)
{
    kit_open(1 << 20);
    root = kit_connect(0);
}

START_TEST(test_initial)
{
    setup();
    EXPECT(root, XS_DIRECTORY, 0, "/\0", "tool\0");
    EXPECT(root, XS_DIRECTORY, 0, "/tool\0", "xenstored\0");
    EXPECT(root, XS_DIRECTORY, 0, "/tool/xenstored\0", "");
    EXPECT(root, XS_READ, 0, "/tool/xenstored\0", "");
    EXPECT(root, XS_GET_PERMS, 0, "/tool\0", "n0\0");
    EXPECT(root, XS_IS_DOMAIN_INTRODUCED, 0, "0\0", "T\0");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

START_TEST(test_write_read)
{
    setup();
    GOOD(root, XS_WRITE, 0, "/a/b/c\0hello");
    EXPECT(root, XS_READ, 0, "/a/b/c\0", "hello");
    EXPECT(root, XS_READ, 0, "/a/b\0", "");
    EXPECT(root, XS_DIRECTORY, 0, "/\0", "tool\0a\0");
    GOOD(root, XS_WRITE, 0, "/a/b/c\0bin\0ary\0");
    EXPECT(root, XS_READ, 0, "/a/b/c\0", "bin\0ary\0");
    GOOD(root, XS_WRITE, 0, "/a/b/c\0");
    EXPECT(root, XS_READ, 0, "/a/b/c\0", "");
    GOOD(root, XS_WRITE, 0,
         "rel/x\0"
         "1");
    EXPECT(root, XS_READ, 0, "/local/domain/0/rel/x\0", "1");
    GOOD(root, XS_WRITE, 0, "/\0root");
    EXPECT(root, XS_READ, 0, "/\0", "root");
    REFUSED(root, XS_READ, 0, "/none\0", "ENOENT");
    REFUSED(root, XS_READ, 0, "/none/deeper\0", "ENOENT");
}
END_TEST

START_TEST(test_order_of_children)
{
    setup();
    GOOD(root, XS_WRITE, 0, "/d/z\0");
    GOOD(root, XS_WRITE, 0, "/d/a\0");
    GOOD(root, XS_MKDIR, 0, "/d/m\0");
    GOOD(root, XS_MKDIR, 0, "/d/zz\0");
    EXPECT(root, XS_DIRECTORY, 0, "/d\0", "z\0a\0m\0zz\0");
    GOOD(root, XS_RM, 0, "/d/a\0");
    GOOD(root, XS_WRITE, 0, "/d/z\0x");
    EXPECT(root, XS_DIRECTORY, 0, "/d\0", "z\0m\0zz\0");
    GOOD(root, XS_RM, 0, "/d/zz\0");
    GOOD(root, XS_RM, 0, "/d/z\0");
    GOOD(root, XS_RM, 0, "/d/m\0");
    EXPECT(root, XS_DIRECTORY, 0, "/d\0", "");
}
END_TEST

START_TEST(test_bad_payloads)
{
    static const uint32_t one_path[] = {XS_DIRECTORY, XS_READ, XS_MKDIR, XS_RM, XS_GET_PERMS};

    setup();
    for (unsigned i = 0; i < sizeof(one_path) / sizeof(one_path[0]); i++) {
        REFUSED(root, one_path[i], 0, "", "EINVAL");
        REFUSED(root, one_path[i], 0, "\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "/tool", "EINVAL"); /* no NUL */
        REFUSED(root, one_path[i], 0, "/tool\0x", "EINVAL");
        REFUSED(root, one_path[i], 0, "/tool\0\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "/tool/\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "/tool//x\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "//\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "/to ol\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "/t.ool\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "/t\x80\0", "EINVAL");
        REFUSED(root, one_path[i], 0, "@releaseDomain\0", "EINVAL");
    }
    REFUSED(root, XS_WRITE, 0, "", "EINVAL");
    REFUSED(root, XS_WRITE, 0, "/a", "EINVAL");
    REFUSED(root, XS_WRITE, 0, "/a/\0x", "EINVAL");
    REFUSED(root, XS_WATCH, 0, "/a\0", "EINVAL");
    REFUSED(root, XS_WATCH, 0, "/a\0t\0u\0", "EINVAL");
    REFUSED(root, XS_WATCH, 0, "/a b\0t\0", "EINVAL");
    REFUSED(root, XS_WATCH, 0, "\0t\0", "EINVAL");
    REFUSED(root, XS_UNWATCH, 0, "/a\0", "EINVAL");
    REFUSED(root, XS_UNWATCH, 0, "/a\0t\0", "ENOENT");
    REFUSED(root, XS_DIRECTORY_PART, 0, "/\0", "EINVAL");
    REFUSED(root, XS_SET_PERMS, 0, "/tool\0", "EINVAL");
    REFUSED(root, XS_SET_PERMS, 0, "/tool\0n0", "EINVAL");
    REFUSED(root, XS_TRANSACTION_END, 0, "T\0", "ENOENT");
    REFUSED(root, XS_TRANSACTION_END, 0, "X\0", "EINVAL");
    REFUSED(root, XS_INTRODUCE, 0,
            "5\0"
            "1\0",
            "EINVAL");
    REFUSED(root, XS_INTRODUCE, 0,
            "5\0"
            "1\0"
            "0\0",
            "EINVAL");
    REFUSED(root, XS_RELEASE, 0, "0\0", "EINVAL");
    REFUSED(root, XS_RELEASE, 0, "5\0", "ENOENT");
    REFUSED(root, XS_SET_TARGET, 0, "5\0", "EINVAL");
    REFUSED(root, XS_READ, 77, "/tool\0", "ENOENT"); /* no such transaction */
    REFUSED(root, XS_WATCH_EVENT, 0, "/tool\0", "ENOSYS");
    REFUSED(root, XS_SET_TARGET + 1, 0, "/tool\0", "ENOSYS");
    REFUSED(root, XS_TYPE_COUNT, 0, "/tool\0", "ENOSYS");
    REFUSED(root, XS_INVALID, 0, "/tool\0", "ENOSYS");
}
END_TEST

/* A path of so many bytes, behind a prefix. */
static uint32_t long_path(char *to, const char *prefix, uint32_t len)
{
    uint32_t n = (uint32_t)sprintf(to, "%s", prefix);

    while (n < len)
        to[n++] = 'x';
    to[n] = '\0';
    return n + 1;
}

static void write_path(const char *prefix, uint32_t len, const char *want)
{
    char path[4096];
    uint32_t n = long_path(path, prefix, len);

    kit_expect(root, XS_WRITE, 0, path, n, want, want[0] == 'O' ? 3 : ~0U, __FILE__, __LINE__);
}

START_TEST(test_lengths)
{
    char big[4200] = "/v";
    const struct kit_answer *a;

    setup();
    write_path("/", XENSTORE_REL_PATH_MAX, "OK");
    write_path("/", XENSTORE_REL_PATH_MAX + 1, "EINVAL");
    write_path("/local/domain/5/", 16 + XENSTORE_REL_PATH_MAX, "OK");
    write_path("/local/domain/5/", 17 + XENSTORE_REL_PATH_MAX, "EINVAL");
    write_path("/local/domain/12345/", 20 + XENSTORE_REL_PATH_MAX, "OK");
    write_path("/local/domain/123456/", 21 + XENSTORE_REL_PATH_MAX, "EINVAL");
    write_path("/local/domain/x/", 16 + XENSTORE_REL_PATH_MAX, "EINVAL");
    write_path("", XENSTORE_REL_PATH_MAX, "OK"); /* a relative one */

    memset(big + 3, 'd', 4093);
    kit_expect(root, XS_WRITE, 0, big, 4096, "OK", 3, __FILE__, __LINE__);
    a = ASK(root, XS_READ, 0, "/v\0");
    ck_assert_uint_eq(a->len, 4093);
    ck_assert_mem_eq(a->text, big + 3, 4093);
}
END_TEST

START_TEST(test_rm)
{
    setup();
    GOOD(root, XS_WRITE, 0,
         "/r/a/b/c\0"
         "1");
    GOOD(root, XS_WRITE, 0,
         "/r/a/d\0"
         "2");
    REFUSED(root, XS_RM, 0, "/\0", "EINVAL");
    REFUSED(root, XS_RM, 0, "/x/y\0", "ENOENT"); /* nor is the parent there */
    GOOD(root, XS_RM, 0, "/x\0");
    GOOD(root, XS_RM, 0, "/r/a\0");
    EXPECT(root, XS_DIRECTORY, 0, "/r\0", "");
    REFUSED(root, XS_READ, 0, "/r/a/b/c\0", "ENOENT");
    REFUSED(root, XS_READ, 0, "/r/a/d\0", "ENOENT");
    GOOD(root, XS_WRITE, 0,
         "/r/a/d\0"
         "3");
    EXPECT(root, XS_DIRECTORY, 0, "/r/a\0", "d\0");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

START_TEST(test_directory_part)
{
    char path[32], first[32];
    const struct kit_answer *a;
    uint32_t at = 0, n = 0, gen_len;

    setup();
    for (unsigned i = 0; i < 600; i++) {
        uint32_t len = (uint32_t)sprintf(path, "/dir/child%05u", i);

        kit_ask(root, XS_MKDIR, 0, path, len + 1);
    }
    REFUSED(root, XS_DIRECTORY, 0, "/dir\0", "E2BIG"); /* 600 * 11 bytes */
    for (bool last = false; !last;) {
        uint32_t len = (uint32_t)sprintf(path, "/dir%c%u", 0, at);

        a = kit_ask(root, XS_DIRECTORY_PART, 0, path, len + 1);
        ck_assert_uint_eq(a->type, XS_DIRECTORY_PART);
        gen_len = (uint32_t)strlen(a->text) + 1;
        if (!n)
            strcpy(first, a->text);
        ck_assert_str_eq(a->text, first);
        for (uint32_t i = gen_len; i < a->len; i += 11, n++) {
            last = !a->text[i];
            if (last)
                break;
            sprintf(path, "child%05u", n);
            ck_assert_str_eq(a->text + i, path);
            at += 11;
        }
    }
    ck_assert_uint_eq(n, 600);
    GOOD(root, XS_WRITE, 0, "/dir\0x");
    a = ASK(root, XS_DIRECTORY_PART, 0,
            "/dir\0"
            "100000\0");
    ck_assert_str_ne(a->text, first); /* another generation */
    ck_assert_uint_eq(a->len, strlen(a->text) + 2);
    a = ASK(root, XS_DIRECTORY_PART, 0, "/dir\0-1\0");
    ck_assert_uint_eq(a->len, strlen(a->text) + 2);
}
END_TEST

START_TEST(test_domains)
{
    struct kit_client *guest;

    setup();
    EXPECT(root, XS_GET_DOMAIN_PATH, 0, "7\0", "/local/domain/7\0");
    EXPECT(root, XS_GET_DOMAIN_PATH, 0, "abc\0", "/local/domain/0\0");
    EXPECT(root, XS_IS_DOMAIN_INTRODUCED, 0, "7\0", "F\0");
    EXPECT(root, XS_IS_DOMAIN_INTRODUCED, 0, "32752\0", "T\0"); /* oneself */
    guest = kit_introduce(1, 7);
    ck_assert_uint_eq(kit_port, 7);
    EXPECT(root, XS_IS_DOMAIN_INTRODUCED, 0, "7\0", "T\0");
    REFUSED(guest, XS_IS_DOMAIN_INTRODUCED, 0, "7\0", "EACCES");
    REFUSED(guest, XS_INTRODUCE, 0,
            "8\0"
            "1\0"
            "1\0",
            "EACCES");
    REFUSED(guest, XS_RELEASE, 0, "7\0", "EACCES");
    REFUSED(guest, XS_RESUME, 0, "7\0", "EACCES");
    REFUSED(guest, XS_SET_TARGET, 0,
            "7\0"
            "0\0",
            "EACCES");
    REFUSED(guest, XS_CONTROL, 0, "help\0", "EACCES");
    GOOD(root, XS_RESUME, 0, "7\0");
    GOOD(root, XS_INTRODUCE, 0,
         "7\0"
         "1\0"
         "9\0"); /* another port, and the ring anew */
    ck_assert_uint_eq(kit_port, 9);
    ck_assert_uint_eq(guest->ring->req_prod, 0);
    EXPECT(guest, XS_GET_DOMAIN_PATH, 0, "7\0", "/local/domain/7\0");
    GOOD(root, XS_RELEASE, 0, "7\0");
    ck_assert_uint_eq(kit_released, 7);
    EXPECT(root, XS_IS_DOMAIN_INTRODUCED, 0, "7\0", "F\0");
    kit_introduce_fails = true;
    REFUSED(root, XS_INTRODUCE, 0,
            "7\0"
            "1\0"
            "9\0",
            "EINVAL");
    EXPECT(root, XS_IS_DOMAIN_INTRODUCED, 0, "7\0", "F\0");
}
END_TEST

START_TEST(test_release_removes_nodes)
{
    struct kit_client *guest;

    setup();
    GOOD(root, XS_WRITE, 0, "/local/domain/7/data\0");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/7/data\0n7\0");
    GOOD(root, XS_WRITE, 0, "/shared\0x");
    GOOD(root, XS_SET_PERMS, 0, "/shared\0n0\0b7\0");
    guest = kit_introduce(1, 7);
    GOOD(guest, XS_WRITE, 0,
         "data/a/b\0"
         "1");
    GOOD(guest, XS_WRITE, 0,
         "data/c\0"
         "1");
    EXPECT(guest, XS_READ, 0, "/shared\0", "x");
    GOOD(root, XS_WATCH, 0, "@releaseDomain\0gone\0");
    GOOD(root, XS_WATCH, 0, "/local\0tree\0");
    kit_events(root);
    GOOD(root, XS_RELEASE, 0, "7\0");
    ck_assert_str_eq(kit_events(root), "/local/domain/7/data tree\n@releaseDomain gone\n");
    EXPECT(root, XS_DIRECTORY, 0, "/local/domain/7\0", "");
    EXPECT(root, XS_GET_PERMS, 0, "/shared\0", "n0\0b7\0");
    guest = kit_introduce(1, 7); /* another domain of that number inherits nothing */
    REFUSED(guest, XS_READ, 0, "/shared\0", "EACCES");
    GOOD(root, XS_WRITE, 0, "/shared\0y");
    REFUSED(guest, XS_READ, 0, "/shared\0", "EACCES");
    GOOD(root, XS_SET_PERMS, 0, "/shared\0n0\0b7\0");
    EXPECT(guest, XS_READ, 0, "/shared\0", "y");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

START_TEST(test_control)
{
    const struct kit_answer *a;

    setup();
    REFUSED(root, XS_CONTROL, 0, "", "EINVAL");
    REFUSED(root, XS_CONTROL, 0, "nonsense\0", "EINVAL");
    GOOD(root, XS_CONTROL, 0, "print\0hello\0");
    ck_assert_str_eq(kit_printed, "hello");
    REFUSED(root, XS_CONTROL, 0, "print\0", "EINVAL");
    a = ASK(root, XS_CONTROL, 0, "help\0");
    ck_assert_ptr_nonnull(strstr(a->text, "quota\t[set <name> <val>|<domid>]\n"));
    a = ASK(root, XS_CONTROL, 0, "quota\0");
    ck_assert_ptr_nonnull(strstr(a->text, "nodes            :     1000 Nodes per domain\n"));
    ck_assert_uint_eq(a->len, strlen(a->text) + 1);
    GOOD(root, XS_CONTROL, 0,
         "quota\0set\0nodes\0"
         "12\0");
    a = ASK(root, XS_CONTROL, 0, "quota\0");
    ck_assert_ptr_nonnull(strstr(a->text, "nodes            :       12 "));
    REFUSED(root, XS_CONTROL, 0,
            "quota\0set\0nodes\0"
            "0\0",
            "EINVAL");
    REFUSED(root, XS_CONTROL, 0,
            "quota\0set\0apples\0"
            "1\0",
            "EINVAL");
    REFUSED(root, XS_CONTROL, 0,
            "quota\0"
            "99\0",
            "ENOENT");
    kit_introduce(1, 7);
    GOOD(&kit_clients[1], XS_WATCH, 0, "/x\0t\0");
    a = ASK(root, XS_CONTROL, 0,
            "quota\0"
            "7\0");
    ck_assert_ptr_nonnull(strstr(a->text, "watches         :        1\n"));
    a = ASK(root, XS_CONTROL, 0, "memreport\0");
    ck_assert_ptr_nonnull(strstr(a->text, " free\n"));
}
END_TEST

#define RING(command) GOOD(root, XS_CONTROL, 0, command "\0 3\0 9\0")

/* More rings of who may do everything. */
START_TEST(test_rings)
{
    struct kit_client *c = &kit_clients[3];
    uint32_t told;

    setup();
    REFUSED(root, XS_CONTROL, 0, "connect\0 3\0", "EINVAL");
    REFUSED(root, XS_CONTROL, 0, "connect\0 99\0 9\0", "EBUSY"); /* cannot be mapped */
    REFUSED(root, XS_CONTROL, 0, "disconnect\0 3\0 9\0", "EBUSY");
    RING("connect");
    RING("connect");
    ck_assert_int_eq(kit_reopen(), VAULT_FOUND);
    GOOD(c, XS_WRITE, 0, "/a\0value");
    GOOD(c, XS_WATCH, 0, "/a\0t\0");
    REFUSED(c, XS_CONTROL, 0, "disconnect\0 3\0 9\0", "EINVAL"); /* who would be answered? */
    RING("connect");                                             /* stays as it is */
    kit_events(c);
    GOOD(root, XS_WRITE, 0, "/a\0other");
    ck_assert_str_eq(kit_events(c), "/a t\n");
    told = root->ring->rsp_prod;
    RING("disconnect");
    ck_assert_ptr_null(c->ring);
    ck_assert_uint_eq(kit_told, told);
    REFUSED(root, XS_CONTROL, 0, "disconnect\0 3\0 9\0", "EBUSY");
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

/* What breaks the protocol: the connection is ignored, and others are served. */
static void expect_broken(struct kit_client *c, uint32_t error)
{
    store_kick(kit_store, c->conn);
    kit_work();
    ck_assert(c->broken);
    ck_assert_uint_eq(c->ring->error, error);
    GOOD(root, XS_WRITE, 0, "/after\0");
}

START_TEST(test_broken_protocol)
{
    struct kit_client *guest;

    setup();
    guest = kit_introduce(1, 7);
    GOOD(guest, XS_WATCH, 0, "/x\0t\0");
    guest->ring->req_prod += XENSTORE_RING_SIZE + 1;
    expect_broken(guest, XENSTORE_ERROR_RINGIDX);
    guest = kit_introduce(1, 7); /* INTRODUCE makes it good again */
    GOOD(guest, XS_WATCH, 0, "/x\0t\0");
}
END_TEST

START_TEST(test_broken_length)
{
    struct xsd_sockmsg head = {XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1};
    struct kit_client *guest;

    setup();
    guest = kit_introduce(1, 7);
    kit_put(guest, &head, sizeof(head));
    expect_broken(guest, XENSTORE_ERROR_PROTO);
    head.len = ~0U;
    guest = kit_introduce(2, 8);
    kit_put(guest, &head, sizeof(head));
    expect_broken(guest, XENSTORE_ERROR_PROTO);
    guest = kit_introduce(3, 9); /* whose rsp_cons is impossible: he gets no answers */
    guest->ring->rsp_cons = 5000;
    head = (struct xsd_sockmsg){XS_READ, 1, 0, 6};
    kit_put(guest, &head, sizeof(head));
    kit_put(guest, "/tool", 6);
    kit_work();
    ck_assert_uint_eq(guest->ring->rsp_prod, 0);
    GOOD(root, XS_WRITE, 0, "/after\0");
}
END_TEST

/* Requests byte by byte, and several at once. */
START_TEST(test_pieces)
{
    struct {
        struct xsd_sockmsg head;
        char text[6];
    } r = {{XS_READ, 1, 0, 6}, "/tool"};
    struct kit_answer a;

    setup();
    for (unsigned i = 0; i < sizeof(r.head) + 6; i++) {
        kit_get(root);
        ck_assert(!kit_message(root, &a));
        kit_put(root, (char *)&r + i, 1);
        kit_work();
        ck_assert_uint_eq(root->ring->req_cons, root->ring->req_prod);
    }
    kit_get(root);
    ck_assert(kit_message(root, &a));
    ck_assert_uint_eq(a.type, XS_READ);
    for (unsigned i = 0; i < 40; i++)
        kit_put(root, &r, 22);
    kit_work();
    kit_get(root);
    for (unsigned i = 0; i < 40; i++)
        ck_assert(kit_message(root, &a));
    ck_assert(!kit_message(root, &a));
}
END_TEST

/* A guest that reads none of its events takes all the memory that it may have: who causes them does
 * not notice. */
START_TEST(test_watch_unread)
{
    char watch[1000] = "d", path[64];
    struct kit_client *guest;
    struct kit_answer a;

    setup();
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d\0v");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d\0n5\0");
    guest = kit_introduce(2, 5);
    memset(watch + 2, 't', sizeof(watch) - 3);
    kit_expect(guest, XS_WATCH, 0, watch, sizeof(watch), "OK", 3, __FILE__, __LINE__);
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t len = (uint32_t)sprintf(path, "/local/domain/5/d/%u", i % 100);

        kit_expect(root, XS_WRITE, 0, path, len + 1, "OK", 3, __FILE__, __LINE__);
    }
    kit_get(guest);
    ck_assert(kit_message(guest, &a));
    ck_assert_uint_eq(a.type, XS_WATCH_EVENT);
    kit_work();
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

/* A client reads while the store fills its ring, never sees it full, and so says nothing more. */
START_TEST(test_read_meanwhile)
{
    struct kit_client *reader;
    const struct xenstore_domain_interface *ring;

    setup();
    reader = kit_connect(1);
    ring = reader->ring;
    GOOD(reader, XS_WATCH, 0, "/\0token\0");
    for (unsigned i = 0; i < 100; i++) {
        char text[32];

        kit_ask(root, XS_WRITE, 0, text, (uint32_t)sprintf(text, "/node-%u", i) + 1);
    }
    ck_assert_uint_eq(ring->rsp_prod - ring->rsp_cons, XENSTORE_RING_SIZE);
    reader->ring->rsp_cons += 16;
    reader->takes = 50;
    store_kick(kit_store, reader->conn);
    kit_work();
    ck_assert_uint_eq(reader->takes, 0);
    ck_assert_uint_eq(ring->rsp_prod - ring->rsp_cons, XENSTORE_RING_SIZE);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, test_initial);
    tcase_add_test(tc, test_write_read);
    tcase_add_test(tc, test_order_of_children);
    tcase_add_test(tc, test_bad_payloads);
    tcase_add_test(tc, test_lengths);
    tcase_add_test(tc, test_rm);
    tcase_add_test(tc, test_directory_part);
    tcase_add_test(tc, test_domains);
    tcase_add_test(tc, test_release_removes_nodes);
    tcase_add_test(tc, test_control);
    tcase_add_test(tc, test_rings);
    tcase_add_test(tc, test_broken_protocol);
    tcase_add_test(tc, test_broken_length);
    tcase_add_test(tc, test_pieces);
    tcase_add_test(tc, test_watch_unread);
    tcase_add_test(tc, test_read_meanwhile);
}

int main(void)
{
    return check_main("store", fill);
}

/* SPDX-License-Identifier: MIT */
/*
 * The store dies anywhere in a request, or of its own recovery, and whoever opens the
 * vault again goes on: the answer and the events come once, and what is there then, to the byte of
 * free memory, is what is there without the crash. The same with an allocation that fails: all of a
 * request happens, or nothing and XEN_ENOMEM.
 *
 * A crash is a basic block, the nth from the start, that control never reaches.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/check_main.h"
#include "tests/unit/storekit.h"
#include "xs/heap.h"

#define VAULT  (1U << 18)
#define GUEST  5U
#define POINTS 100L /* of a request in which it dies, and each of the last ones */
#define LAST   60L

static struct kit_client *root, *watcher, *guest;

/* --- crashes --- */

static sigjmp_buf crashed;
static volatile long steps; /* to go */
static volatile bool stepping;

/* The compiler calls this at the start of each basic block (-fsanitize-coverage=trace-pc). */
__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void);

__attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc(void)
{
    if (stepping && --steps == 0) {
        stepping = false;
        siglongjmp(crashed, 1);
    }
}

/* Runs fn, which dies when there are no more steps. False: it came to its end before. */
static bool dies(void (*fn)(void))
{
    if (sigsetjmp(crashed, 0))
        return true;
    stepping = true;
    fn();
    stepping = false;
    return false;
}

static void reopen(void)
{
    ck_assert_int_eq(kit_reopen(), VAULT_FOUND);
}

/* --- allocations that fail --- */

static long failing = -1; /* the number of the one, from 0 */
static long allocations;

uint32_t __real_heap_alloc(struct heap *h, uint32_t bytes, uint8_t kind);
uint32_t __wrap_heap_alloc(struct heap *h, uint32_t bytes, uint8_t kind);

uint32_t __wrap_heap_alloc(struct heap *h, uint32_t bytes, uint8_t kind)
{
    return allocations++ == failing ? 0 : __real_heap_alloc(h, bytes, kind);
}

/* --- what is there --- */

/* The tree below a path, with values and permissions. */
static void dump_tree(char *to, const char *path)
{
    char names[4096], below[512];
    const struct kit_answer *a;
    uint32_t len = (uint32_t)strlen(path) + 1, names_len;

    a = kit_ask(root, XS_READ, 0, path, len);
    sprintf(to + strlen(to), "%s %u:%.8s ", path, a->len, a->text);
    a = kit_ask(root, XS_GET_PERMS, 0, path, len);
    for (uint32_t i = 0; i < a->len; i += (uint32_t)strlen(a->text + i) + 1)
        sprintf(to + strlen(to), "%s,", a->text + i);
    strcat(to, "\n");
    a = kit_ask(root, XS_DIRECTORY, 0, path, len);
    memcpy(names, a->text, a->len);
    names_len = a->len;
    for (uint32_t i = 0; i < names_len; i += (uint32_t)strlen(names + i) + 1) {
        sprintf(below, "%s/%s", path[1] ? path : "", names + i);
        dump_tree(to, below);
    }
}

static const char *dump(void)
{
    static char text[65536];

    text[0] = '\0';
    for (struct conn *c = store_next(kit_store, NULL); c; c = store_next(kit_store, c))
        sprintf(text + strlen(text), "connection %u\n", store_about(kit_store, c).id);
    dump_tree(text, "/");
    strcat(text, ASK(root, XS_CONTROL, 0, "check\0")->text);
    strcat(text, ASK(root, XS_CONTROL, 0,
                     "quota\0"
                     "5\0")
                     ->text);
    strcat(text, ASK(root, XS_CONTROL, 0,
                     "quota\0"
                     "0\0")
                     ->text);
    strcat(text, ASK(root, XS_CONTROL, 0, "memreport\0")->text);
    return text;
}

/* --- requests --- */

static char big[4000] = "/local/domain/5/d/big";

static void prepare(void)
{
    kit_open(VAULT);
    root = kit_connect(0);
    watcher = kit_connect(1);
    memset(big + strlen(big) + 1, 'b', 3000);
    GOOD(root, XS_WRITE, 0, "/local/domain/5/d/a/b\0x");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d\0n5\0r6\0");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d/a\0n5\0r6\0");
    GOOD(root, XS_SET_PERMS, 0, "/local/domain/5/d/a/b\0n5\0r6\0");
    kit_expect(root, XS_WRITE, 0, big, 3022, "OK", 3, __FILE__, __LINE__);
    guest = kit_introduce(2, GUEST);
    GOOD(root, XS_CONTROL, 0, "connect\0 3\0 9\0");
    GOOD(watcher, XS_WATCH, 0, "/\0all\0");
    GOOD(watcher, XS_WATCH, 0, "/local/domain/5/d/a/b\0low\0");
    GOOD(watcher, XS_WATCH, 0, "@releaseDomain\0gone\0");
    GOOD(watcher, XS_WATCH, 0, "@introduceDomain\0come\0");
    GOOD(guest, XS_WATCH, 0, "d\0own\0");
    GOOD(guest, XS_WATCH, 0, "e\0own\0");
    ck_assert_uint_eq(kit_start(guest), 1);
    GOOD(guest, XS_WRITE, 1, "d/t/new\0value");
    GOOD(guest, XS_WRITE, 1, "d/a\0other");
    GOOD(guest, XS_RM, 1, "d/a/b\0");
    kit_events(watcher);
    kit_events(guest);
}

static const struct request {
    const char *name;
    bool by_root;
    uint32_t type, tx, len;
    const char *payload;
} requests[] = {
#define REQUEST(by_root, type, tx, literal)                                                        \
    {                                                                                              \
#type, by_root, type, tx, sizeof(literal) - 1, literal                                     \
    }
    REQUEST(false, XS_READ, 0, "d/a/b\0"),
    REQUEST(false, XS_READ, 0, "d/big\0"), /* more than the ring holds */
    REQUEST(false, XS_READ, 1, "d/big\0"),
    REQUEST(false, XS_WRITE, 0, "d/a/b\0new"),
    REQUEST(false, XS_WRITE, 0, "d/new/and/deep\0new"),
    REQUEST(false, XS_WRITE, 1, "d/new/and/deep\0new"),
    {"XS_WRITE, more than the ring holds", true, XS_WRITE, 0, 3022, big},
    REQUEST(false, XS_MKDIR, 0, "d/dir\0"),
    REQUEST(false, XS_RM, 0, "d/a\0"),
    REQUEST(true, XS_RM, 0, "/local\0"),
    REQUEST(false, XS_SET_PERMS, 0, "d/a\0n5\0r6\0b7\0"),
    REQUEST(true, XS_SET_PERMS, 0, "/local/domain/5/d/a\0n9\0"), /* a domain not known before */
    REQUEST(true, XS_SET_PERMS, 0, "@releaseDomain\0n0\0r5\0"),
    REQUEST(false, XS_WATCH, 0, "d/a\0more\0"),
    REQUEST(false, XS_UNWATCH, 0, "d\0own\0"),
    REQUEST(false, XS_RESET_WATCHES, 0, "\0"),
    REQUEST(false, XS_TRANSACTION_START, 0, "\0"),
    REQUEST(false, XS_TRANSACTION_END, 1, "T\0"),
    REQUEST(false, XS_TRANSACTION_END, 1, "F\0"),
    REQUEST(true, XS_RELEASE, 0, "5\0"),
    REQUEST(true, XS_INTRODUCE, 0,
            "7\0"
            "1\0"
            "1\0"),
    REQUEST(true, XS_SET_TARGET, 0,
            "5\0"
            "0\0"),
    REQUEST(true, XS_CONTROL, 0,
            "quota\0set\0nodes\0"
            "7\0"),
    REQUEST(true, XS_CONTROL, 0, "connect\0 4\0 9\0"),
    REQUEST(true, XS_CONTROL, 0, "disconnect\0 3\0 9\0"),
    REQUEST(false, XS_DIRECTORY, 0, "none\0"),
};
#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

static void put(const struct request *q, uint32_t *sent)
{
    struct kit_client *c = q->by_root ? root : guest;
    struct xsd_sockmsg head = {q->type, 99, q->tx, q->len};
    char whole[sizeof(head) + XENSTORE_PAYLOAD_MAX];

    memcpy(whole, &head, sizeof(head));
    memcpy(whole + sizeof(head), q->payload, q->len);
    *sent += kit_put(c, whole + *sent, (uint32_t)sizeof(head) + q->len - *sent);
}

/* What the client of a request gets for it, events left out. */
static void collect(const struct request *q, char *to)
{
    struct kit_client *c = q->by_root ? root : guest;
    struct kit_answer a;

    kit_get(c);
    while (kit_message(c, &a)) {
        if (a.type == XS_WATCH_EVENT)
            sprintf(to + strlen(to), "event %s\n", a.text);
        else
            sprintf(to + strlen(to), "type %u id %u len %u %.10s\n", a.type, a.req_id, a.len,
                    a.text);
    }
}

/* The whole story of a request: answer, events, and all that is there then. crash: after so many
 * instructions, once; recrash: so many later, in the recovery. 0: never. False: it came to its end
 * before. */
static bool story(const struct request *q, long crash, long recrash, char *to)
{
    bool happened = false;
    uint32_t sent = 0;

    prepare();
    to[0] = '\0';
    steps = crash;
    for (unsigned i = 0; i < 12; i++) {
        put(q, &sent);
        if (crash && !happened && dies(kit_work)) {
            happened = true;
            collect(q, to); /* what was published must have been committed */
            steps = recrash;
            if (recrash)
                dies(reopen);
            reopen();
        }
        kit_work();
        collect(q, to);
    }
    strcat(to, kit_events(watcher));
    strcat(to, dump());
    return happened;
}

static char want[131072], got[131072];

/* How many steps the request takes. */
static long length_of(const struct request *q)
{
    ck_assert(!story(q, LONG_MAX, 0, want));
    ck_assert_ptr_nonnull(strstr(want, "id 99"));
    return LONG_MAX - steps;
}

static void expect_same(const struct request *q, long crash, long recrash)
{
    ck_assert(story(q, crash, recrash, got));
    if (strcmp(got, want) != 0)
        ck_abort_msg("%s: crash after %ld steps:\n%.2000s\ninstead of\n%.2000s", q->name, crash,
                     got, want);
}

START_TEST(test_crash)
{
    const struct request *q = &requests[_i];
    long total = length_of(q);

    ck_assert_int_gt(total, 100);
    for (long n = 1; n <= total; n += MAX(total / POINTS, 1))
        expect_same(q, n, 0);
    for (long n = 1; n < LAST; n++)
        expect_same(q, total - n, 0);
}
END_TEST

START_TEST(test_crash_in_recovery)
{
    const struct request *q = &requests[_i];
    long total = length_of(q);

    for (long i = 0; i < 40; i++)
        expect_same(q, total - total * i / 80, 1 + i * 73);
}
END_TEST

START_TEST(test_no_memory)
{
    static char before[131072];
    const struct request *q = &requests[_i];
    long failed;

    prepare();
    strcpy(before, dump());
    story(q, 0, 0, want);
    for (failed = 0;; failed++) {
        uint32_t sent = 0;

        prepare();
        allocations = 0;
        failing = failed;
        got[0] = '\0';
        for (unsigned i = 0; i < 12; i++) {
            put(q, &sent);
            kit_work();
            collect(q, got);
        }
        failing = -1;
        strcat(got, kit_events(watcher));
        if (!strstr(got, "ENOMEM")) {
            strcat(got, dump());
            ck_assert_str_eq(got, want);
            if (allocations <= failed)
                break;
            continue;
        }
        ck_assert_str_eq(got, "type 16 id 99 len 7 ENOMEM\n");
        if (q->tx)
            continue; /* the transaction has failed, or is gone */
        ck_assert_str_eq(dump(), before);
    }
}
END_TEST

/* A request that there is no memory to gather is answered when it has come whole, and once: Linux
 * takes no answer for what it has not yet written. */
START_TEST(test_no_memory_in_parts)
{
    struct {
        struct xsd_sockmsg head;
        char payload[XENSTORE_PAYLOAD_MAX];
    } q = {{XS_WRITE, 99, 0, 3000}, "d/large"};
    const uint32_t total = sizeof(q.head) + q.head.len;
    struct kit_answer a;

    prepare();
    for (uint32_t sent = 0; sent < total;) {
        kit_get(guest);
        ck_assert(!kit_message(guest, &a));
        allocations = failing = 0;
        sent += kit_put(guest, (char *)&q + sent, sent ? MIN(total - sent, 500) : sizeof(q.head));
        kit_work();
        failing = -1;
    }
    kit_get(guest);
    ck_assert(kit_message(guest, &a));
    ck_assert_uint_eq(a.req_id, 99);
    ck_assert_str_eq(a.text, "ENOMEM");
    ck_assert(!kit_message(guest, &a));
    GOOD(guest, XS_WRITE, 0, "d/small\0v");
}
END_TEST

/* A client and the store die together: the client's next life has a new ring, and may have asked
 * already, where the store's next life finds the old connection in its vault. */
START_TEST(test_both_die)
{
    struct {
        struct xsd_sockmsg head;
        char path[18];
    } q = {{XS_READ, 1, 0, 18}, "/local/domain/5/d"};
    struct kit_answer a;

    prepare();
    memset(root->ring, 0, sizeof(*root->ring));
    if (_i)
        kit_put(root, &q, sizeof(q.head) + q.head.len);
    reopen();
    if (!_i)
        kit_put(root, &q, sizeof(q.head) + q.head.len);
    kit_work();
    ck_assert(!root->broken);
    kit_get(root);
    ck_assert(kit_message(root, &a));
    ck_assert_uint_eq(a.type, XS_READ);
    ck_assert(!kit_message(root, &a));
    GOOD(root, XS_CONTROL, 0, "check\0");
}
END_TEST

START_TEST(test_damaged)
{
    uint32_t *word = NULL;
    unsigned found = 0;

    prepare();
    word = kit_vault();
    for (unsigned i = 0; i < VAULT / 4; i += 3) {
        uint32_t was = word[i];
        enum vault_state state;

        word[i] ^= 0x00100400;
        state = kit_reopen();
        ck_assert_int_ne(state, VAULT_TOO_SMALL);
        found += state == VAULT_FOUND;
        if (state != VAULT_FOUND) {
            ck_assert_str_eq(kit_clients[0].conn ? "" : "gone", "gone");
            prepare();
            word = kit_vault();
        } else {
            word[i] = was;
            ck_assert_int_ne(kit_reopen(), VAULT_TOO_SMALL);
        }
    }
    ck_assert_uint_gt(found, 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, test_crash, 0, REQUESTS);
    tcase_add_loop_test(tc, test_crash_in_recovery, 0, REQUESTS);
    tcase_add_loop_test(tc, test_no_memory, 0, REQUESTS);
    tcase_add_test(tc, test_no_memory_in_parts);
    tcase_add_loop_test(tc, test_both_die, 0, 2);
    tcase_add_test(tc, test_damaged);
}

int main(void)
{
    return check_main("store crash", fill);
}

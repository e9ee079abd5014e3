/* SPDX-License-Identifier: MIT */
/*
 * The domains' entries in the store: what is there when a guest is started (the fake hypervisor
 * looks itself), and what is left when domains, the store and the control domain itself die at any
 * moment.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/check_main.h"
#include "tests/unit/ctlhost.h"
#include "tests/unit/ctlxs.h"

#define VM7       "/vm/17171717-1717-1717-1717-171717171717"
#define IMPORTANT "/tool/important/and-as-long-as-a-vm-path" /* but it is none */
#define MOMENTS   60 /* more than the requests for one domain */

static void begin(void)
{
    xs_start(0);
    host_start(true);
}

static struct bh_domain_info *settled(uint32_t domid, const char *name)
{
    host_birth(domid, name, BH_DOMAIN_READY);
    host_run();
    ck_assert_int_eq(host_domains[domid].state, BH_DOMAIN_RUNNING);
    return &host_domains[domid];
}

/* The indices of the ring may be anywhere. */
START_TEST(entries)
{
    struct bh_domain_info *d;

    xs_start(_i ? (uint32_t)-300 : 0);
    host_start(true);
    d = settled(5, "guest");
    ck_assert_str_eq(xs_read(5, "domid"), "5");
    ck_assert_str_eq(xs_read(5, "vm"), "/vm/15151515-1515-1515-1515-151515151515");
    ck_assert_str_eq(xs_get("/vm/15151515-1515-1515-1515-151515151515/name"), "guest");
    ck_assert_str_eq(xs_read(5, "memory/target"), "65536");
    ck_assert_str_eq(xs_read(5, "memory/static-max"), "131072");
    ck_assert_str_eq(xs_read(5, "store/port"), "105");
    ck_assert_str_eq(xs_names("/local/domain/5/cpu"), "0 1 ");
    ck_assert_str_eq(xs_rights("/local/domain/5/name"), "n0 r5 ");
    ck_assert_str_eq(xs_rights("/local/domain/5/data"), "n5 ");
    ck_assert_int_eq(xs_open, 0);
    strcpy(d->name, "other");
    host_changed();
    host_run();
    ck_assert_str_eq(xs_read(5, "name"), "other");
    ck_assert_str_eq(xs_get("/vm/15151515-1515-1515-1515-151515151515/name"), "other");
    host_death(5);
    host_run();
    ck_assert(!xs_is_introduced(5));
    ck_assert_str_eq(xs_names("/local/domain"), "");
    ck_assert_str_eq(xs_names("/vm"), "");
}
END_TEST

START_TEST(no_store)
{
    host_start(false);
    settled(5, "guest");
}
END_TEST

/* Who has no page for the store has no entries; ctl itself is the store's domain 0. */
START_TEST(not_introduced)
{
    begin();
    host_birth(4, "bare", BH_DOMAIN_RUNNING)->store_port = 0;
    host_birth(HOST_CTL, "ctl", BH_DOMAIN_RUNNING);
    host_run();
    ck_assert_str_eq(xs_names("/local/domain"), "1 ");
    ck_assert(!xs_is_introduced(HOST_CTL));
}
END_TEST

/* The store dies after so many requests, and comes back. */
START_TEST(store_dies)
{
    begin();
    xs_lives = (unsigned)_i;
    host_birth(5, "one", BH_DOMAIN_READY);
    host_birth(6, "two", BH_DOMAIN_READY);
    host_run();
    ck_assert(xs_dead);
    ck_assert_int_ne(host_domains[6].state, BH_DOMAIN_RUNNING);
    xs_revive();
    host_run();
    ck_assert_int_eq(host_domains[5].state, BH_DOMAIN_RUNNING);
    ck_assert_int_eq(host_domains[6].state, BH_DOMAIN_RUNNING);
    ck_assert_int_eq(xs_open, 0);
}
END_TEST

/* The domain dies after so many requests; in every second case another has its number and its UUID
 * at once. */
START_TEST(domain_dies)
{
    bool again = _i % 2;

    begin();
    xs_lives = (unsigned)_i / 2;
    host_birth(5, "dying", BH_DOMAIN_READY);
    host_run();
    host_death(5);
    host_run();
    if (again) {
        host_birth(5, "next", BH_DOMAIN_READY);
        host_run();
    }
    xs_revive();
    host_run();
    ck_assert_int_eq(xs_open, 0);
    ck_assert_str_eq(xs_names("/local/domain"), again ? "5 " : "");
    ck_assert_str_eq(xs_read(5, "name"), again ? "next" : "");
    ck_assert_str_eq(xs_names("/vm"), again ? "15151515-1515-1515-1515-151515151515 " : "");
    ck_assert(xs_is_introduced(5) == again);
    ck_assert(!again || host_domains[5].state == BH_DOMAIN_RUNNING);
}
END_TEST

/* What is answered belongs to what was under way then, not to what follows. */
START_TEST(dies_while_renamed)
{
    begin();
    settled(5, "guest");
    xs_lives = (unsigned)_i;
    strcpy(host_domains[5].name, "other");
    host_changed();
    host_run();
    host_death(5);
    host_run();
    xs_revive();
    host_run();
    ck_assert(!xs_is_introduced(5));
    ck_assert_str_eq(xs_names("/local/domain"), "");
    ck_assert_str_eq(xs_names("/vm"), "");
}
END_TEST

/* A reboot: another number, but the same UUID, whichever of the two is served first. */
START_TEST(reboot)
{
    begin();
    settled(4, "first");
    settled(5, "rebooting");
    if (_i)
        host_death(4); /* leaves a place before the one that dies */
    host_run();
    host_death(5);
    memset(host_birth(6, "rebooting", BH_DOMAIN_READY)->uuid, 0x15, 16);
    host_run();
    ck_assert_int_eq(host_domains[6].state, BH_DOMAIN_RUNNING);
    ck_assert_str_eq(xs_names("/local/domain"), _i ? "6 " : "4 6 ");
    ck_assert_str_eq(xs_get("/vm/15151515-1515-1515-1515-151515151515/name"), "rebooting");
}
END_TEST

/* --- answers that the real store does not give --- */

static uint32_t wrong_type;
static unsigned wrong_times;
static const char *wrong_text;

static bool answer_wrong(const struct xs_request *q, struct kit_answer *a)
{
    if (q->head.type != wrong_type || !wrong_times)
        return false;
    wrong_times--;
    if (wrong_type == XS_TRANSACTION_END && q->body[0] == 'T')
        kit_ask(&kit_clients[0], XS_TRANSACTION_END, q->head.tx_id, "F", 2);
    a->type = XS_ERROR;
    a->len = (uint32_t)strlen(wrong_text) + 1;
    strcpy(a->text, wrong_text);
    return true;
}

static void refuse(uint32_t type, unsigned times, const char *text)
{
    wrong_type = type;
    wrong_times = times;
    wrong_text = text;
    xs_rule = answer_wrong;
}

/* Somebody else had written meanwhile. */
START_TEST(again)
{
    begin();
    refuse(XS_TRANSACTION_END, 3, "EAGAIN");
    settled(5, "guest");
    ck_assert_uint_eq(wrong_times, 0);
}
END_TEST

/* A domain that the store has no memory to release is released when something has changed. */
START_TEST(release_again)
{
    begin();
    settled(5, "guest");
    refuse(XS_RELEASE, 1, "ENOMEM");
    host_death(5);
    host_run();
    ck_assert_uint_eq(wrong_times, 0);
    ck_assert(xs_is_introduced(5));
    host_changed();
    host_run();
    ck_assert(!xs_is_introduced(5));
    ck_assert_str_eq(xs_names("/local/domain"), "");
}
END_TEST

static const uint32_t refused[] = {XS_TRANSACTION_START, XS_WRITE,     XS_SET_PERMS,
                                   XS_TRANSACTION_END,   XS_INTRODUCE, XS_IS_DOMAIN_INTRODUCED};

/* Without its entries no domain starts; it is tried again when something has changed. */
START_TEST(errors)
{
    begin();
    refuse(refused[_i], 1, "ENOSPC");
    host_birth(5, "guest", BH_DOMAIN_READY);
    host_run();
    ck_assert_uint_eq(wrong_times, 0);
    ck_assert_int_eq(host_domains[5].state, BH_DOMAIN_READY);
    ck_assert_int_le(xs_open, 0);
    host_changed();
    host_run();
    ck_assert_int_eq(host_domains[5].state, BH_DOMAIN_RUNNING);
}
END_TEST

/* Messages that are no answers: of a watch, to another request, and then the answer. */
static bool answer_more(const struct xs_request *q, struct kit_answer *a)
{
    static unsigned n;
    static const struct xsd_sockmsg noise[] = {{XS_WATCH_EVENT, 0, 0, 4}, {XS_ERROR, 77, 0, 4}};
    struct xenstore_domain_interface *p = xs_main_page();
    struct xsd_sockmsg m = noise[n++ % 2];
    char bytes[sizeof(m) + 4];

    (void)a;
    if (n % 2)
        m.req_id = q->head.req_id;
    memcpy(bytes, &m, sizeof(m));
    memcpy(bytes + sizeof(m), "abc", 4);
    for (size_t i = 0; i < sizeof(bytes); i++)
        p->rsp[MASK_XENSTORE_IDX(p->rsp_prod++)] = bytes[i];
    return false;
}

START_TEST(noise)
{
    begin();
    xs_rule = answer_more;
    settled(5, "guest");
}
END_TEST

/* An answer of any bytes to everything. What was done wrong in good faith is over with the domain.
 */
static bool answer_garbage(const struct xs_request *q, struct kit_answer *a)
{
    a->type = q->head.type;
    a->len = q->head.req_id * 37 % XENSTORE_PAYLOAD_MAX;
    memset(a->text, 0x80 + (int)q->head.req_id, a->len);
    return true;
}

START_TEST(garbage)
{
    begin();
    xs_rule = answer_garbage;
    host_birth(5, "guest", BH_DOMAIN_RUNNING);
    host_run();
    xs_rule = NULL;
    host_death(5);
    host_run();
    ck_assert_str_eq(xs_names("/local/domain"), "");
}
END_TEST

static uint32_t seed;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* The truth, too. */
static bool answer_anything(const struct xs_request *q, struct kit_answer *a)
{
    static const char *const texts[] = {"T", "F", "OK", "0", "7", "4294967295", VM7, IMPORTANT};
    const char *text = texts[below(sizeof(texts) / sizeof(texts[0]))];

    switch (below(6)) {
    case 0:
        a->type = below(2) ? XS_ERROR : q->head.type;
        a->len = (uint32_t)strlen(text) + (q->head.type == XS_DIRECTORY_PART);
        strcpy(a->text, text);
        return true;
    case 1:
        a->type = below(2) ? below(XS_TYPE_COUNT) : q->head.type;
        a->len = below(below(2) ? 2 * XENSTORE_PAYLOAD_MAX : 40);
        for (uint32_t i = 0; i < a->len && i < XENSTORE_PAYLOAD_MAX; i++)
            a->text[i] = (char)below(256);
        return a->type != XS_WATCH_EVENT; /* which is no answer: ctl would wait */
    case 2:
        return answer_more(q, a);
    default:
        return false;
    }
}

/* While the store says anything, domains come and go, and consoles go on; then it is honest. */
START_TEST(anything)
{
    begin();
    seed = (uint32_t)_i;
    xs_lies = true;
    xs_rule = answer_anything;
    host_birth(4, "loud", BH_DOMAIN_RUNNING)->console_port = 9;
    for (unsigned n = 0; n < 20; n++) {
        uint32_t domid = 5 + below(5);

        if (!*host_domains[domid].name)
            host_birth(domid, "guest", BH_DOMAIN_READY);
        else if (below(2))
            host_death(domid);
        else
            host_changed();
        host_run();
        host_say(4, "words\n");
        host_run();
        ck_assert(host_is_heard(4));
    }
    xs_rule = NULL;
    settled(10, "late");
    ck_assert_str_eq(xs_read(10, "name"), "late");
}
END_TEST

static bool answer_beyond(const struct xs_request *q, struct kit_answer *a)
{
    struct xenstore_domain_interface *p = xs_main_page();

    if (q->head.type == XS_WRITE) {
        p->rsp_prod += XENSTORE_RING_SIZE + 1;
        p->req_cons = p->req_prod + 1;
        xs_dead = true;
    }
    (void)a;
    return false;
}

/* Indices that cannot be: ctl waits for answers that never come, and all else goes on. */
START_TEST(impossible_indices)
{
    begin();
    xs_rule = answer_beyond;
    host_birth(5, "guest", BH_DOMAIN_READY);
    host_run();
    ck_assert(xs_dead);
    host_death(5);
    host_birth(6, "loud", BH_DOMAIN_RUNNING)->console_port = 9;
    host_run();
    host_say(6, "words\n");
    host_run();
    ck_assert(host_is_heard(6));
}
END_TEST

static bool answer_huge(const struct xs_request *q, struct kit_answer *a)
{
    if (q->head.type != wrong_type || !wrong_times)
        return false;
    wrong_times--;
    a->type = q->head.type;
    a->len = 2 * XENSTORE_PAYLOAD_MAX;
    return true;
}

/* An answer that is too long fails, and the next one is found behind it. */
START_TEST(huge)
{
    begin();
    refuse(refused[_i], 1, "");
    xs_rule = answer_huge;
    host_birth(5, "guest", BH_DOMAIN_READY);
    host_run();
    ck_assert_uint_eq(wrong_times, 0);
    ck_assert_int_eq(host_domains[5].state, BH_DOMAIN_READY);
    host_changed();
    host_run();
    ck_assert_int_eq(host_domains[5].state, BH_DOMAIN_RUNNING);
}
END_TEST

/* A guest of the bundle waits for the control domain, one that a client made for the client. */
START_TEST(starts_guests)
{
    struct bh_domain_info *bundle, *client, *slow;

    host_start(false);
    bundle = host_birth(5, "bundle", BH_DOMAIN_READY);
    slow = host_birth(6, "slow", BH_DOMAIN_BUILDING);
    host_domains[7] = (struct bh_domain_info){
        .domid = 7, .name = "client", .state = BH_DOMAIN_READY, .flags = BH_DOMAIN_CREATED};
    client = &host_domains[7];
    host_changed();
    host_run();
    ck_assert_int_eq(bundle->state, BH_DOMAIN_RUNNING);
    ck_assert_int_eq(slow->state, BH_DOMAIN_BUILDING);
    ck_assert_int_eq(client->state, BH_DOMAIN_READY);
    slow->state = BH_DOMAIN_READY;
    host_changed();
    host_run();
    ck_assert_int_eq(slow->state, BH_DOMAIN_RUNNING);
    ck_assert_int_eq(client->state, BH_DOMAIN_READY);
}
END_TEST

/* Whose client lost its connection with ctl's life before; not the one that is complete. */
START_TEST(half_made)
{
    const enum bh_domain_state states[] = {BH_DOMAIN_BUILDING, BH_DOMAIN_LOADING, BH_DOMAIN_READY};

    for (uint32_t i = 0; i < 3; i++)
        host_domains[5 + i] = (struct bh_domain_info){
            .domid = 5 + i, .name = "made", .state = states[i], .flags = BH_DOMAIN_CREATED};
    host_start(false);
    ck_assert_uint_eq(host_destroyed, 2);
    ck_assert(!host_domains[5].name[0] && !host_domains[6].name[0]);
    ck_assert_int_eq(host_domains[7].state, BH_DOMAIN_READY);
}
END_TEST

/* --- lives of ctl --- */

static void life(void (*fn)(void))
{
    pid_t child = fork();
    int status;

    if (!child) {
        fn();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(kit_reopen(), VAULT_FOUND);
}

static unsigned requests; /* of the first life; then it dies */

static void first_life(void)
{
    host_start(true);
    host_birth(1, "ctl", BH_DOMAIN_RUNNING);
    host_birth(5, "stays", BH_DOMAIN_READY);
    host_birth(6, "dies", BH_DOMAIN_READY);
    host_birth(7, "reboots", BH_DOMAIN_READY);
    host_birth(8, "number", BH_DOMAIN_READY);
    xs_lives = requests;
    host_run();
}

/* Domains die while ctl is dead, and their entries go; those of others stay, and are not written
 * again. */
START_TEST(ctl_dies)
{
    struct bh_domain_info *d;

    xs_start(0);
    requests = _i ? (unsigned)_i * 50 : ~0U;
    life(first_life);
    if (!_i)
        xs_set("/local/domain/5/data/own", "mine");
    xs_set("/local/domain/0/backend/vif", "a tool's");
    xs_set("/local/domain/none", "");
    memset(xs_main_page(), 0, 4096);
    host_start(true);
    host_birth(1, "ctl", BH_DOMAIN_RUNNING);
    host_birth(5, "stays", BH_DOMAIN_RUNNING);
    memset(host_birth(9, "reboots", BH_DOMAIN_READY)->uuid, 0x17, 16);
    d = host_birth(8, "anew", BH_DOMAIN_READY);
    memset(d->uuid, 0x33, 16);
    host_run();
    ck_assert_str_eq(xs_read(5, "data/own"), _i ? "" : "mine");
    ck_assert_str_eq(xs_get("/local/domain/0/backend/vif"), "a tool's");
    ck_assert_str_eq(xs_read(6, "name"), "");
    ck_assert_str_eq(xs_names("/local/domain/7"), "");
    ck_assert_str_eq(xs_get(VM7 "/name"), "reboots");
    ck_assert_str_eq(xs_read(8, "name"), "anew");
    ck_assert_str_eq(xs_names("/vm/18181818-1818-1818-1818-181818181818"), "");
    ck_assert_int_eq(host_domains[8].state, BH_DOMAIN_RUNNING);
    ck_assert_int_eq(host_domains[9].state, BH_DOMAIN_RUNNING);
    ck_assert(!xs_is_introduced(6) && !xs_is_introduced(7));
}
END_TEST

/* What others have put there, whatever it looks like. */
START_TEST(strange_names)
{
    begin();
    xs_set("/local/domain/5/vm", "/local");
    xs_set("/local/domain/12/vm", VM7);
    xs_set("/local/domain/13/vm", IMPORTANT);
    xs_set("/local/domain/4294967303/name", "seven, modulo 2^32");
    xs_set(IMPORTANT, "x");
    settled(5, "five");
    settled(7, "seven");
    ck_assert_str_eq(xs_names("/local/domain"), "4294967303 5 7 ");
    ck_assert_str_eq(xs_get(IMPORTANT), "x");
    ck_assert_str_eq(xs_get(VM7 "/name"), "seven");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, entries, 0, 2);
    tcase_add_test(tc, no_store);
    tcase_add_test(tc, not_introduced);
    tcase_add_loop_test(tc, store_dies, 0, MOMENTS);
    tcase_add_loop_test(tc, domain_dies, 0, 2 * MOMENTS);
    tcase_add_loop_test(tc, dies_while_renamed, 0, 3);
    tcase_add_loop_test(tc, reboot, 0, 2);
    tcase_add_test(tc, again);
    tcase_add_loop_test(tc, errors, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, release_again);
    tcase_add_test(tc, noise);
    tcase_add_test(tc, garbage);
    tcase_add_loop_test(tc, anything, 0, 30);
    tcase_add_test(tc, impossible_indices);
    tcase_add_loop_test(tc, huge, 0, sizeof(refused) / sizeof(refused[0]));
    tcase_add_test(tc, starts_guests);
    tcase_add_test(tc, half_made);
    tcase_add_loop_test(tc, ctl_dies, 0, 5);
    tcase_add_test(tc, strange_names);
}

int main(void)
{
    return check_main("domstore", fill);
}

/* SPDX-License-Identifier: MIT */
/*
 * Random requests of three clients, two of whom have a transaction most of the time, against a
 * model that is an array: each answer, each event and its order, and now and then the whole tree,
 * with the vault opened again in between.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/check_main.h"
#include "tests/unit/storekit.h"
#include "xs/state.h"
#include "xs/tenant.h"

#define WIDTH   3U
#define NODES   41U /* "/", "/m", 3 below it, 9, 27 */
#define CLIENTS 3U
#define STEPS   20000U

struct model_node {
    bool there;
    unsigned generation; /* 0: not there */
    char value[12];
    unsigned children, child[64]; /* a transaction that is to fail may see one twice */
};

static struct model_node store[NODES];
static unsigned generation;

/* What a transaction has seen, in that order, and done. */
static struct transaction_model {
    uint32_t id; /* 0: none */
    unsigned seen, order[NODES];
    struct {
        bool seen, modified, fire, exact;
        struct model_node first, now;
    } nodes[NODES];
} transactions[CLIENTS];

static char events[4096]; /* that the watcher has to get */
static struct kit_client *clients[CLIENTS], *watcher;

/* --- the model --- */

static unsigned parent_of(unsigned i)
{
    return i < 2 ? 0 : (i - 2) / WIDTH + 1;
}

/* Children of node i (1 and up) are i * 3 - 1 and the two behind it. */
static const char *path_of(unsigned i)
{
    static char path[16];
    char names[4];
    unsigned n = 0, len = 2;

    if (!i)
        return "/";
    for (; i > 1; i = parent_of(i))
        names[n++] = (char)('a' + (i - 2) % WIDTH);
    strcpy(path, "/m");
    while (n--)
        len += (unsigned)sprintf(path + len, "/%c", names[n]);
    return path;
}

static struct model_node *get(struct transaction_model *t, unsigned i)
{
    if (!t)
        return &store[i];
    if (!t->nodes[i].seen) {
        t->nodes[i].seen = true;
        t->nodes[i].first = t->nodes[i].now = store[i];
        t->order[t->seen++] = i;
    }
    return &t->nodes[i].now;
}

static void changed(struct transaction_model *t, unsigned i)
{
    get(t, i)->generation = get(t, i)->there ? ++generation : 0;
    if (t)
        t->nodes[i].modified = true;
}

/* Who did not find a node has looked at those above it, up to one that is there. */
static void look_up(struct transaction_model *t, unsigned i)
{
    do
        i = parent_of(i);
    while (!get(t, i)->there);
}

static void fire(struct transaction_model *t, unsigned i, bool exact)
{
    if (!t) {
        if (!exact)
            sprintf(events + strlen(events), "%s t\n", path_of(i));
        return;
    }
    t->nodes[i].exact = exact && (!t->nodes[i].fire || t->nodes[i].exact);
    t->nodes[i].fire = true;
}

static void create(struct transaction_model *t, unsigned i, const char *value)
{
    look_up(t, i);
    strcpy(get(t, i)->value, value);
    for (;;) {
        unsigned up = parent_of(i);
        struct model_node *parent = get(t, up);

        get(t, i)->there = true;
        changed(t, i);
        parent->child[parent->children++] = i;
        i = up;
        if (parent->there)
            break;
    }
    changed(t, i);
}

static bool forget_child(struct transaction_model *t, unsigned i)
{
    struct model_node *parent = get(t, parent_of(i));
    unsigned at = 0;

    while (at < parent->children && parent->child[at] != i)
        at++;
    if (at == parent->children)
        return false;
    for (parent->children--; at < parent->children; at++)
        parent->child[at] = parent->child[at + 1];
    return true;
}

/* False: what a transaction has seen does not fit together, and it will fail. */
static bool remove_tree(struct transaction_model *t, unsigned i, bool top)
{
    struct model_node *n = get(t, i);

    if (!n->there)
        return false;
    for (unsigned k = 0; k < n->children; k++)
        if (!remove_tree(t, n->child[k], false))
            return false;
    memset(n, 0, sizeof(*n));
    changed(t, i);
    fire(t, i, !top);
    if (!top)
        return true;
    if (!forget_child(t, i))
        return false;
    changed(t, parent_of(i));
    return true;
}

static bool end(struct transaction_model *t)
{
    for (unsigned i = 0; i < NODES; i++)
        if (t->nodes[i].seen && t->nodes[i].first.generation != store[i].generation)
            return false;
    for (unsigned k = 0; k < t->seen; k++) {
        unsigned i = t->order[k];

        if (!t->nodes[i].modified)
            continue;
        store[i] = t->nodes[i].now;
        changed(NULL, i);
    }
    for (unsigned k = 0; k < t->seen; k++) {
        unsigned i = t->order[k];

        if (t->nodes[i].fire && !t->nodes[i].exact && (store[i].there || t->nodes[i].first.there))
            sprintf(events + strlen(events), "%s t\n", path_of(i));
    }
    return true;
}

/* --- requests, and what the model says of them --- */

static void ask(unsigned c, uint32_t type, const struct transaction_model *t, const char *data,
                uint32_t len, const char *want, uint32_t want_len)
{
    kit_expect(clients[c], type, t ? t->id : 0, data, len, want, want_len, __FILE__, __LINE__);
}

static void do_read(unsigned c, struct transaction_model *t, unsigned i)
{
    const char *path = path_of(i);
    uint32_t len = (uint32_t)strlen(path) + 1;
    const struct model_node *n = get(t, i);
    char names[2 * 64];

    if (!n->there) {
        look_up(t, i);
        ask(c, random() % 2 ? XS_READ : XS_DIRECTORY, t, path, len, "ENOENT", ~0U);
        return;
    }
    if (random() % 2 || !i) {
        ask(c, XS_READ, t, path, len, n->value, (uint32_t)strlen(n->value));
        return;
    }
    for (unsigned k = 0; k < n->children; k++) {
        names[2 * k] = i ? (char)('a' + (n->child[k] - 2) % WIDTH) : 'm';
        names[2 * k + 1] = '\0';
    }
    ask(c, XS_DIRECTORY, t, path, len, names, 2 * n->children);
}

static void do_write(unsigned c, struct transaction_model *t, unsigned i)
{
    const char *path = path_of(i);
    char request[40];
    uint32_t len = (uint32_t)sprintf(request, "%s%c%ld", path, 0, random() % 100000);
    const char *value = request + strlen(path) + 1;

    if (get(t, i)->there) {
        strcpy(get(t, i)->value, value);
        changed(t, i);
    } else {
        create(t, i, value);
    }
    ask(c, XS_WRITE, t, request, len, "OK", 3);
    fire(t, i, false);
}

static void do_mkdir(unsigned c, struct transaction_model *t, unsigned i)
{
    const char *path = path_of(i);

    ask(c, XS_MKDIR, t, path, (uint32_t)strlen(path) + 1, "OK", 3);
    if (get(t, i)->there)
        return;
    create(t, i, "");
    fire(t, i, false);
}

static void do_rm(unsigned c, struct transaction_model *t, unsigned i)
{
    const char *path = path_of(i);
    uint32_t len = (uint32_t)strlen(path) + 1;
    bool there = get(t, i)->there;

    if (!there)
        look_up(t, i);
    if (!get(t, parent_of(i))->there)
        ask(c, XS_RM, t, path, len, there ? "EINVAL" : "ENOENT", ~0U);
    else if (!there || remove_tree(t, i, true))
        ask(c, XS_RM, t, path, len, "OK", 3);
    else
        ask(c, XS_RM, t, path, len, "EIO", ~0U);
}

static void do_end(unsigned c, struct transaction_model *t)
{
    if (random() % 4 == 0)
        ask(c, XS_TRANSACTION_END, t, "F", 2, "OK", 3);
    else if (end(t))
        ask(c, XS_TRANSACTION_END, t, "T", 2, "OK", 3);
    else
        ask(c, XS_TRANSACTION_END, t, "T", 2, "EAGAIN", ~0U);
    memset(t, 0, sizeof(*t));
}

static void step(void)
{
    unsigned c = (unsigned)random() % CLIENTS, i = 1 + (unsigned)random() % (NODES - 1);
    struct transaction_model *t = c && transactions[c].id ? &transactions[c] : NULL;

    if (c && !t) {
        transactions[c].id = kit_start(clients[c]);
        return;
    }
    switch (random() % 12) {
    case 0:
        do_rm(c, t, i);
        break;
    case 1:
    case 2:
        do_mkdir(c, t, i);
        break;
    case 3:
    case 4:
    case 5:
        do_write(c, t, i);
        break;
    case 6:
        if (t)
            do_end(c, t);
        break;
    default:
        do_read(c, t, i);
    }
}

static int32_t cost_of(const char *text, int32_t *nodes)
{
    struct path p = path_make(&kit_store->vault, text, (uint32_t)strlen(text));
    const struct node *n = tree_find(&kit_store->vault, kit_store->state->live.tree, &p);

    *nodes += n != NULL;
    return n ? node_cost(&kit_store->vault, n) : 0;
}

/* What domain 0 is said to hold is what is there. */
static void check_accounts(void)
{
    const struct tenant *t = tenant_find(kit_store, 0);
    int32_t nodes = 0, bytes = cost_of("/tool", &nodes) + cost_of("/tool/xenstored", &nodes);

    for (unsigned i = 0; i < NODES; i++)
        bytes += cost_of(path_of(i), &nodes);
    for (const struct conn *c = store_next(kit_store, NULL); c; c = store_next(kit_store, c))
        bytes += c->live.charged;
    ck_assert_int_eq(t->live.nodes, nodes);
    ck_assert_int_eq(t->live.memory, bytes);
}

static void check_all(void)
{
    uint32_t left = kit_store->vault.heap.free;

    ck_assert_int_eq(kit_reopen(), VAULT_FOUND);
    ck_assert_uint_eq(kit_store->vault.heap.free, left);
    for (unsigned i = 1; i < NODES; i++)
        do_read(0, NULL, i);
    ask(0, XS_CONTROL, NULL, "check", 6, "OK", 3);
    check_accounts();
}

START_TEST(test_model)
{
    srandom((unsigned)_i);
    kit_open(1 << 18);
    for (unsigned c = 0; c < CLIENTS; c++)
        clients[c] = kit_connect(c);
    watcher = kit_connect(CLIENTS);
    GOOD(watcher, XS_WATCH, 0, "/m\0t\0");
    kit_events(watcher);
    store[0].there = true;
    store[0].generation = ++generation;
    for (unsigned n = 0; n < STEPS; n++) {
        step();
        ck_assert_str_eq(kit_events(watcher), events);
        events[0] = '\0';
        if (n % 500 == 0)
            check_all();
    }
    check_all();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, test_model, 1, 5);
}

int main(void)
{
    return check_main("store model", fill);
}

// SPDX-License-Identifier: MIT
/* Histories: mostly sensible requests on few paths, so that clients meet, and some that are wrong
 * in each way a request can be. What makes Debian's daemon fail is left out, see each "never". */
#include "tests/xs/storeop.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#define PATHS   12
#define WATCHES 4

struct gen {
    uint64_t state;
    char text[8192]; /* the payload that is being made */
    size_t len;
    bool open[CLIENTS][TX_SLOTS]; /* a transaction may be open there */
    char paths[PATHS][64];        /* used of late */
    char watches[CLIENTS][WATCHES][64];
    size_t watch_len[CLIENTS][WATCHES];
    struct {
        unsigned left, client, tx, kind, number;
    } burst;
};

static unsigned below(struct gen *g, unsigned limit)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 7;
    g->state ^= g->state << 17;
    return (unsigned)((g->state >> 11) % limit);
}

static bool percent(struct gen *g, unsigned chance)
{
    return below(g, 100) < chance;
}

static void add(struct gen *g, const char *text)
{
    size_t len = strlen(text);
    if (g->len + len < sizeof(g->text)) {
        memcpy(g->text + g->len, text, len);
        g->len += len;
    }
}

static void addf(struct gen *g, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add(g, text);
}

static void add_run(struct gen *g, char c, size_t count)
{
    while (count-- && g->len + 1 < sizeof(g->text))
        g->text[g->len++] = c;
}

static void end(struct gen *g)
{
    add_run(g, 0, 1);
}

static void name(struct gen *g)
{
    static const char *const names[] = {"a", "b", "c", "data", "device", "0", "1", "x-_@", "vif"};
    add(g, names[below(g, sizeof(names) / sizeof(names[0]))]);
}

static void names(struct gen *g, unsigned count)
{
    while (count--) {
        name(g);
        if (count)
            add(g, "/");
    }
}

static unsigned depth(struct gen *g)
{
    return percent(g, 2) ? 1 + below(g, 60) : 1 + below(g, 3);
}

/* About the longest that a path may be: from the root, below a domain's, as a whole. */
static void long_path(struct gen *g)
{
    static const char *const begins[] = {"/", "/local/domain/1/", "x"};
    const char *begin = begins[below(g, 3)];
    size_t limit = percent(g, 80) ? 2048 : 3072;
    if (begin[1] && percent(g, 80))
        limit += strlen(begin);
    limit += below(g, 4);
    limit -= 2;
    add(g, begin);
    if (percent(g, 40))
        add_run(g, 'l', limit - g->len);
    while (g->len + 10 < limit)
        add(g, "long-name/");
    if (g->len < limit)
        add_run(g, 'z', limit - g->len);
}

static void wrong_path(struct gen *g)
{
    static const char *const paths[] = {
        "",
        "/",
        "//",
        "/a/",
        "/a//b",
        "a/",
        "//a",
        "/a b",
        "/a.b",
        "/a\x80",
        "/a%b",
        "/a\tb",
        "@",
        "@foo",
        "/@a",
        "/local/",
        "/a:b",
        "a//b",
        ".",
        "../a",
        "/local/domain/",
        "~",
        "/a/b/c/d/e",
        "/local/domain",
        "@releaseDomain/1",
    };
    if (percent(g, 20))
        long_path(g);
    else
        add(g, paths[below(g, sizeof(paths) / sizeof(paths[0]))]);
}

/* Often one that somebody has used before, or what lies below it. */
static void path(struct gen *g)
{
    unsigned kind = below(g, 100);
    char *memory = g->paths[below(g, PATHS)];
    size_t begin = g->len;
    if (*memory && percent(g, 40)) {
        add(g, memory);
        if (percent(g, 20)) {
            add(g, "/");
            name(g);
        }
        return;
    }
    if (kind < 35) {
        addf(g, "/local/domain/%u", below(g, 4));
        if (percent(g, 90)) {
            add(g, "/");
            names(g, depth(g));
        }
    } else if (kind < 60) {
        add(g, "/");
        names(g, depth(g));
    } else if (kind < 85) {
        names(g, depth(g));
    } else if (kind < 90) {
        add(g, percent(g, 50) ? "/tool/xenstored" : "/");
    } else {
        wrong_path(g);
        return;
    }
    if (g->len - begin < sizeof(g->paths[0])) {
        memcpy(memory, g->text + begin, g->len - begin);
        memory[g->len - begin] = 0;
    }
}

static void value(struct gen *g)
{
    unsigned kind = below(g, 100);
    if (kind < 80)
        addf(g, "value-%u", below(g, 1000));
    else if (kind < 90)
        for (unsigned i = below(g, 30); i; i--)
            add_run(g, (char)below(g, 256), 1);
    else if (kind < 95)
        add_run(g, 'v', 2014 - 8 * below(g, 3) + below(g, 4)); /* about a node's limit */
    else if (kind < 97)
        add_run(g, 'v', XENSTORE_PAYLOAD_MAX - g->len - below(g, 3));
}

static void permissions(struct gen *g)
{
    unsigned count = percent(g, 90) ? 1 + below(g, 3) : below(g, 8);
    while (count--) {
        if (percent(g, 95))
            addf(g, "%c%u", "nrwb"[below(g, 4)], percent(g, 95) ? below(g, 4) : below(g, 9));
        else
            add(g, percent(g, 50) ? "x1" : percent(g, 50) ? "r" : "r1x");
        end(g);
    }
}

static void token(struct gen *g)
{
    if (percent(g, 94))
        addf(g, "token-%u", below(g, 6));
    else if (percent(g, 50))
        add_run(g, 't', below(g, 1200));
}

static void number(struct gen *g)
{
    static const char *const odd[] = {"", "-1", "32752", "65535", "4294967296", "x", "1x", " 2"};
    if (percent(g, 80))
        addf(g, "%u", below(g, 5));
    else
        add(g, odd[below(g, sizeof(odd) / sizeof(odd[0]))]);
}

/* Only domain 3 comes and goes, and only 1 and 2 are each other's targets: never is a target
 * released, of which Debian's daemon keeps a pointer. */
static void domains(struct gen *g, uint32_t type)
{
    if (type == XS_SET_TARGET) {
        unsigned domid = 1 + below(g, 2);
        addf(g, "%u", percent(g, 90) ? domid : 5);
        end(g);
        addf(g, "%u", percent(g, 90) ? 3 - domid : 6);
    } else if (type == XS_RELEASE) {
        add(g, percent(g, 80) ? "3" : percent(g, 50) ? "0" : "7");
    } else {
        add(g, percent(g, 85) ? "3" : "5");
        end(g);
        addf(g, "%u", below(g, 1000));
        end(g);
        addf(g, "%u", percent(g, 90) ? 1 + below(g, 9) : 0);
    }
    end(g);
}

static void watch(struct gen *g, unsigned client, bool known)
{
    unsigned slot = below(g, WATCHES);
    char *memory = g->watches[client][slot];
    if (known && g->watch_len[client][slot] && percent(g, 70)) {
        memcpy(g->text, memory, g->watch_len[client][slot]);
        g->len = g->watch_len[client][slot];
        return;
    }
    if (percent(g, 10))
        add(g, percent(g, 50) ? "@releaseDomain" : "@introduceDomain");
    else
        path(g);
    end(g);
    token(g);
    end(g);
    if (g->len < sizeof(g->watches[0][0])) {
        memcpy(memory, g->text, g->len);
        g->watch_len[client][slot] = g->len;
    }
}

static void payload(struct gen *g, uint32_t type, unsigned client)
{
    g->len = 0;
    switch (type) {
    case XS_DIRECTORY:
    case XS_READ:
    case XS_GET_PERMS:
    case XS_MKDIR:
    case XS_RM:
        path(g);
        end(g);
        break;
    case XS_WRITE:
        path(g);
        end(g);
        value(g);
        break;
    case XS_DIRECTORY_PART:
        path(g);
        end(g);
        addf(g, "%u", percent(g, 70) ? 0 : below(g, 40));
        end(g);
        break;
    case XS_SET_PERMS:
        if (percent(g, 5))
            add(g, percent(g, 50) ? "@releaseDomain" : "@introduceDomain");
        else
            path(g);
        end(g);
        permissions(g);
        break;
    case XS_WATCH:
    case XS_UNWATCH:
        watch(g, client, type == XS_UNWATCH || percent(g, 10));
        break;
    case XS_TRANSACTION_END:
        add(g, percent(g, 97) ? percent(g, 80) ? "T" : "F" : "X");
        end(g);
        break;
    case XS_INTRODUCE:
    case XS_RELEASE:
    case XS_SET_TARGET:
        domains(g, type);
        break;
    case XS_GET_DOMAIN_PATH:
    case XS_IS_DOMAIN_INTRODUCED:
    case XS_RESUME:
        number(g);
        end(g);
        break;
    default:
        end(g);
    }
}

/* A NUL too few or too many, cut off, with more at its end, with a NUL in its midst, or nothing. */
static void spoil(struct gen *g)
{
    switch (below(g, 6)) {
    case 0:
        g->len -= g->len != 0;
        break;
    case 1:
        end(g);
        break;
    case 2:
        g->len = below(g, (unsigned)g->len + 1);
        break;
    case 3:
        add(g, "more");
        if (percent(g, 70))
            end(g);
        break;
    case 4:
        if (g->len)
            g->text[below(g, (unsigned)g->len)] = 0;
        break;
    case 5:
        g->len = 0;
        break;
    }
}

static uint32_t pick_type(struct gen *g)
{
    static const struct {
        uint32_t type;
        unsigned weight;
    } table[] = {
        {XS_WRITE, 220},
        {XS_READ, 130},
        {XS_DIRECTORY, 80},
        {XS_MKDIR, 60},
        {XS_RM, 60},
        {XS_GET_PERMS, 60},
        {XS_SET_PERMS, 80},
        {XS_WATCH, 60},
        {XS_UNWATCH, 40},
        {XS_TRANSACTION_START, 60},
        {XS_TRANSACTION_END, 55},
        {XS_DIRECTORY_PART, 40},
        {XS_GET_DOMAIN_PATH, 8},
        {XS_IS_DOMAIN_INTRODUCED, 8},
        {XS_RESUME, 4},
        {XS_RESET_WATCHES, 3},
        {XS_INTRODUCE, 8},
        {XS_RELEASE, 4},
        {XS_SET_TARGET, 4},
        {XS_WATCH_EVENT, 2},
        {XS_ERROR, 2},
        {XS_CONTROL, 2},
        {XS_INVALID, 2},
        {20, 2},
        {XS_TYPE_COUNT, 2},
    };
    unsigned total = 0, at;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        total += table[i].weight;
    at = below(g, total);
    for (size_t i = 0;; i++) {
        if (at < table[i].weight)
            return table[i].type;
        at -= table[i].weight;
    }
}

/* Mostly one that is open. */
static unsigned pick_tx(struct gen *g, const struct op *op)
{
    unsigned slot = below(g, TX_SLOTS);
    if (op->type == XS_TRANSACTION_START)
        return percent(g, 95) ? TX_NONE : 1 + slot;
    if (percent(g, 1))
        return TX_WRONG;
    if (!g->open[op->client][slot] && !percent(g, 2))
        return TX_NONE;
    return op->type == XS_TRANSACTION_END || percent(g, 60) ? 1 + slot : TX_NONE;
}

static void finish(struct gen *g, struct op *op)
{
    if (g->len > XENSTORE_PAYLOAD_MAX)
        g->len = XENSTORE_PAYLOAD_MAX;
    char *copy = malloc(g->len + 1);
    if (!copy)
        abort();
    op->times = 1;
    memcpy(copy, g->text, g->len);
    copy[g->len] = 0; /* for those who look at it as text */
    op->payload = copy;
    op->len = g->len;
}

/* What a toolstack does for a domain, in three steps. */
static void home_op(struct gen *g, struct op *op, unsigned domid, unsigned number)
{
    static const uint32_t types[] = {XS_INTRODUCE, XS_MKDIR, XS_SET_PERMS};
    op->type = types[number];
    op->client = CLIENT_SOCKET;
    op->tx = TX_NONE;
    g->len = 0;
    if (op->type == XS_INTRODUCE)
        addf(g, "%u", domid);
    else
        addf(g, "/local/domain/%u", domid);
    end(g);
    if (op->type == XS_INTRODUCE) {
        add(g, "1");
        end(g);
        add(g, "1");
        end(g);
    } else if (op->type == XS_SET_PERMS) {
        addf(g, "n%u", domid);
        end(g);
    }
    finish(g, op);
}

/* Up to what a domain may have, and more than one answer can hold: many children of a node, long
 * chains of nodes, many watches. First the domain gets its home back, if somebody has taken it. */
static void burst_op(struct gen *g, struct op *op)
{
    unsigned number = g->burst.number++;
    g->burst.left--;
    if (number < 2 && g->burst.client > CLIENT_DOM0) {
        home_op(g, op, (unsigned)client_domid(g->burst.client), 1 + number);
        return;
    }
    g->len = 0;
    op->client = g->burst.client;
    op->tx = g->burst.tx;
    op->type = g->burst.kind == 2 ? XS_WATCH : XS_WRITE;
    switch (g->burst.kind) {
    case 0:
        addf(g, "burst/child-number-%u", number);
        break;
    case 1:
    case 3:
        addf(g, "chain-%u/", number);
        names(g, 60);
        break;
    case 2:
        add(g, "burst");
        end(g);
        addf(g, "%u", number);
        break;
    }
    end(g);
    finish(g, op);
}

static void burst_begin(struct gen *g)
{
    static const unsigned lengths[] = {300, 25, 140, 3};
    g->burst.kind = percent(g, 50) ? 3 : percent(g, 50) ? 1 : below(g, 3);
    g->burst.left = lengths[g->burst.kind];
    g->burst.client = percent(g, 70) ? CLIENT_DOM1 + below(g, 2) : below(g, CLIENTS);
    g->burst.tx = TX_NONE;
    for (unsigned slot = 0; slot < TX_SLOTS && percent(g, 70); slot++) {
        if (g->open[g->burst.client][slot])
            g->burst.tx = 1 + slot;
    }
    g->burst.number = 0;
}

static void break_connection(struct gen *g, struct op *op)
{
    bool socket = client_domid(op->client) < 0;
    if (!socket && op->client != CLIENT_DOM3)
        return;
    op->kind = socket && percent(g, 50) ? OP_RECONNECT : OP_OVERLONG;
    op->times = 1;
    if (op->kind == OP_OVERLONG)
        op->len = XENSTORE_PAYLOAD_MAX + 1 + below(g, 5000);
    memset(g->open[op->client], 0, sizeof(g->open[op->client]));
}

static void random_op(struct gen *g, struct op *op)
{
    static const char clients[] = {0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5};
    op->client = (unsigned)clients[below(g, sizeof(clients))];
    op->type = pick_type(g);
    if (op->type == XS_CONTROL) /* what it does is each daemon's own matter */
        op->client = CLIENT_DOM1 + below(g, 3);
    bool managing = op->type == XS_INTRODUCE || op->type == XS_RELEASE;
    if (managing && percent(g, 80))
        op->client = CLIENT_SOCKET;
    op->tx = pick_tx(g, op);
    payload(g, op->type, op->client);
    if (!managing && op->type != XS_SET_TARGET && percent(g, 4))
        spoil(g);
    finish(g, op);
    if (op->type == XS_TRANSACTION_START) {
        op->slot = below(g, TX_SLOTS);
        g->open[op->client][op->slot] = true;
    } else if (op->type == XS_TRANSACTION_END && op->tx && op->tx <= TX_SLOTS) {
        g->open[op->client][op->tx - 1] = false;
    }
    if ((op->type == XS_READ || op->type == XS_DIRECTORY) && percent(g, 2))
        op->times = 2 + below(g, 30);
    if (below(g, 400) == 0)
        break_connection(g, op);
}

struct op *gen_history(size_t count, uint64_t seed)
{
    struct gen g = {.state = seed * 2654435761u + 88172645463325252u};
    struct op *ops = calloc(count, sizeof(*ops));
    if (!ops)
        abort();
    for (size_t i = 0; i < count; i++) {
        if (i >= 9 && !g.burst.left && !below(&g, 350))
            burst_begin(&g);
        if (i < 9)
            home_op(&g, &ops[i], 1 + (unsigned)(i / 3), (unsigned)(i % 3));
        else if (g.burst.left)
            burst_op(&g, &ops[i]);
        else
            random_op(&g, &ops[i]);
    }
    return ops;
}

void gen_free(struct op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(ops[i].payload);
    free(ops);
}

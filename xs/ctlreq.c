/* SPDX-License-Identifier: MIT */
/* CONTROL: what an administrator asks of the store itself. */
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"
#include "xs/conn.h"
#include "xs/request.h"
#include "xs/tenant.h"
#include "xs/view.h"
#include "xs/wire.h"

#define ARGS 4U

static const struct {
    const char *name, *about;
} quotas[QUOTAS] = {
    [QUOTA_NODES] = {"nodes", "Nodes per domain"},
    [QUOTA_WATCHES] = {"watches", "Watches per domain"},
    [QUOTA_TRANSACTIONS] = {"transactions", "Transactions per domain"},
    [QUOTA_OUTSTANDING] = {"outstanding", "Outstanding requests per domain"},
    [QUOTA_TRANSACTION_NODES] = {"transaction-nodes",
                                 "Max. number of accessed nodes per transaction"},
    [QUOTA_MEMORY] = {"memory", "Total Xenstore memory per domain (error level)"},
    [QUOTA_NODE_SIZE] = {"node-size", "Max. size of a node"},
    [QUOTA_PATH_MAX] = {"path-max", "Max. length of a node path"},
    [QUOTA_PERMISSIONS] = {"permissions", "Max. number of permissions per node"},
    [QUOTA_MEMORY_SOFT] = {"memory", "Total Xenstore memory per domain (warning level)"},
};

/* Appends to the reply that is being made; what does not fit makes it too long to be sent. */
static __printf(3, 4) void say(struct request *r, uint32_t *len, const char *fmt, ...)
{
    uint32_t room = (uint32_t)sizeof(r->s->reply) - MIN(*len, (uint32_t)sizeof(r->s->reply));
    va_list args;

    va_start(args, fmt);
    *len += (uint32_t)format_v(r->s->reply + sizeof(r->s->reply) - room, room, fmt, args);
    va_end(args);
}

static int said(struct request *r, uint32_t len)
{
    return request_reply(r, XS_CONTROL, r->s->reply, len + 1);
}

static int show_quotas(struct request *r, unsigned first, unsigned end)
{
    uint32_t len = 0;

    say(r, &len, "Quota settings:\n");
    for (unsigned i = first; i < end; i++)
        say(r, &len, "%-17s: %8d %s\n", quotas[i].name, (int)r->s->state->live.quota[i],
            quotas[i].about);
    return said(r, len);
}

static int set_quota(struct request *r, const char *const *args, unsigned first, unsigned end)
{
    int value = (int)wire_number(args[1], 10, NULL);

    if (value < 1)
        return XEN_EINVAL;
    for (unsigned i = first; i < end; i++) {
        if (strcmp(args[0], quotas[i].name) != 0)
            continue;
        vault_touch(&r->s->vault, r->s->state);
        r->s->state->live.quota[i] = (uint32_t)value;
        return request_ack(r, XS_CONTROL);
    }
    return XEN_EINVAL;
}

static int show_domain(struct request *r, uint32_t domid)
{
    const struct tenant *t = tenant_find(r->s, domid);
    const struct conn *c = t ? vault_at(&r->s->vault, t->live.conn_ref) : NULL;
    uint32_t len = 0;

    if (!t)
        return XEN_ENOENT;
    say(r, &len, "Domain %u:\n", domid);
    say(r, &len, "%-16s: %8d\n", "nodes", t->live.nodes);
    say(r, &len, "%-16s: %8d\n", "watches", t->live.watches);
    say(r, &len, "%-16s: %8d\n", "transactions", c ? (int)c->live.transactions_open : 0);
    say(r, &len, "%-16s: %8d\n", "outstanding", t->live.outstanding);
    say(r, &len, "%-16s: %8d\n", "memory", t->live.memory);
    return said(r, len);
}

static int quota(struct request *r, const char *const *args, unsigned n)
{
    if (!n)
        return show_quotas(r, 0, QUOTA_MEMORY_SOFT);
    if (strcmp(args[0], "set") == 0)
        return n == 3 ? set_quota(r, args + 1, 0, QUOTA_MEMORY_SOFT) : XEN_EINVAL;
    return n == 1 ? show_domain(r, wire_domid(args[0])) : XEN_EINVAL;
}

static int quota_soft(struct request *r, const char *const *args, unsigned n)
{
    if (!n)
        return show_quotas(r, QUOTA_MEMORY_SOFT, QUOTAS);
    return strcmp(args[0], "set") == 0 && n == 3 ? set_quota(r, args + 1, QUOTA_MEMORY_SOFT, QUOTAS)
                                                 : XEN_EINVAL;
}

static int print(struct request *r, const char *const *args, unsigned n)
{
    if (n != 1)
        return XEN_EINVAL;
    r->s->ops->print(r->s->context, args[0]);
    return request_ack(r, XS_CONTROL);
}

static int check(struct request *r, const char *const *args, unsigned n)
{
    int error;

    (void)args;
    error = n ? XEN_EINVAL : view_check(r);
    return error ? error : request_ack(r, XS_CONTROL);
}

static int memreport(struct request *r, const char *const *args, unsigned n)
{
    const struct heap *h = &r->s->vault.heap;
    uint32_t len = 0;

    (void)args;
    if (n)
        return XEN_EINVAL;
    say(r, &len, "vault %u bytes, %u free\n", h->end - h->start, h->free);
    return said(r, len);
}

/* A ring of the control domain's (see struct store_ops), and its connection; NULL: none yet. */
static int find_ring(struct request *r, const char *const *args, unsigned n, bool on, uint32_t *id,
                     struct xenstore_domain_interface **ring, struct conn **c)
{
    uint32_t ref, port;

    if (n != 2 || !r->s->ops->connect)
        return XEN_EINVAL;
    ref = (uint32_t)wire_number(args[0], 10, NULL);
    port = (uint32_t)wire_number(args[1], 10, NULL);
    if (!r->s->ops->connect(r->s->context, on, ref, port, id, ring))
        return XEN_EBUSY;
    *c = store_next(r->s, NULL);
    while (*c && (*c)->id != *id)
        *c = store_next(r->s, *c);
    return 0;
}

static int attach(struct request *r, uint32_t id, struct xenstore_domain_interface *ring)
{
    struct conn *c = conn_new(r->s, id, 0, true);

    if (!c)
        return XEN_ENOMEM;
    conn_take_ring(r->s, c, ring);
    return request_ack(r, XS_CONTROL);
}

/* One that is connected stays so: who asks again cannot know it. */
static int connect_ring(struct request *r, const char *const *args, unsigned n)
{
    struct xenstore_domain_interface *ring;
    struct conn *c;
    uint32_t id;
    int error = find_ring(r, args, n, true, &id, &ring, &c);

    if (error)
        return error;
    if (c)
        return request_ack(r, XS_CONTROL);
    error = attach(r, id, ring);
    if (error)
        r->s->ops->release(r->s->context, id, 0);
    return error;
}

static int disconnect_ring(struct request *r, const char *const *args, unsigned n)
{
    struct xenstore_domain_interface *ring;
    struct conn *c;
    uint32_t id;
    int error = find_ring(r, args, n, false, &id, &ring, &c);

    if (error)
        return error;
    if (!c || c == r->conn)
        return XEN_EINVAL;
    request_let_go(r->s, c);
    return request_ack(r, XS_CONTROL);
}

static int help(struct request *r, const char *const *args, unsigned n);

static const struct {
    const char *name, *args;
    int (*run)(struct request *r, const char *const *args, unsigned n);
} commands[] = {
    {"check", "", check},
    {"connect", "<grant> <port>", connect_ring},
    {"disconnect", "<grant> <port>", disconnect_ring},
    {"memreport", "", memreport},
    {"print", "<string>", print},
    {"quota", "[set <name> <val>|<domid>]", quota},
    {"quota-soft", "[set <name> <val>]", quota_soft},
    {"help", "", help},
};

static int help(struct request *r, const char *const *args, unsigned n)
{
    uint32_t len = 0;

    (void)args;
    if (n)
        return XEN_EINVAL;
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
        say(r, &len, "%s\t%s\n", commands[i].name, commands[i].args);
    return said(r, len);
}

int request_control(struct request *r)
{
    unsigned n = wire_strings(r->payload, r->len);
    const char *args[ARGS] = {NULL}, *at = r->payload;

    if (!n)
        return XEN_EINVAL;
    at += strlen(at) + 1;
    for (unsigned i = 0; i < ARGS && i + 1 < n; i++, at += strlen(at) + 1)
        args[i] = at;
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(r->payload, commands[i].name) == 0)
            return commands[i].run(r, args, n - 1);
    return XEN_EINVAL;
}

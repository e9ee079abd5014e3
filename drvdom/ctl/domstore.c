/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/domstore.h"

#include <xen/io/xs_wire.h>
#include "drvdom/ctl/ctl.h"
#include "drvdom/ctl/entries.h"
#include "drvdom/ctl/xsring.h"
#include "guestdrv/rt/rt.h"
#include "hyp/abi/bundle.h"
#include "hyp/lib/format.h"
#include "hyp/lib/string.h"

#define DOMAINS 512U
#define ERRANDS 32U

enum stage {
    LOOK,  /* are its entries there? */
    BEGIN, /* of the transaction that writes them */
    WRITE, /* one after the other */
    COMMIT,
    ASK, /* is it introduced? */
    INTRODUCE,
    READY,
    RENAME,
    RELEASE,
    REMOVE,
};

static struct keeper {
    struct bh_domain_info info; /* vcpus 0: free */
    enum stage stage;
    unsigned step; /* of WRITE, RENAME and REMOVE */
    uint32_t tx;   /* the transaction that is open; 0: none */
    bool seen, renamed, wanted;
} keepers[DOMAINS];

/* Rings to be connected or disconnected, the oldest first. */
static struct errand {
    bool connect;
    uint32_t ref, port;
    void (*done)(void *arg, bool ok);
    void *arg;
} errands[ERRANDS];
static unsigned nerrands;

static struct xsring ring; /* page NULL: this host has no store */
static uint32_t store_port, last_id;

/* The request under way, and its answer as far as it has come. */
static struct call {
    bool busy;
    struct keeper *of; /* NULL: it is the first errand's */
    enum stage stage;  /* its own, then */
    uint32_t sent, got;
    struct {
        struct xsd_sockmsg head;
        char payload[ENTRIES_PAYLOAD];
    } out;
    struct xsd_sockmsg answer;
    char text[32]; /* as much of the answer as anybody needs */
} call;

void domstore_init(struct xenstore_domain_interface *page, uint32_t port)
{
    store_port = port;
    xsring_init(&ring, page);
}

int domstore_peer(void)
{
    bool bound;

    return ring.page ? rt_peer(store_port, &bound) : -1;
}

static struct keeper *find(uint32_t domid)
{
    for (struct keeper *k = keepers; k < keepers + DOMAINS; k++)
        if (k->info.vcpus && k->info.domid == domid)
            return k;
    return NULL;
}

static struct keeper *unused(void)
{
    for (struct keeper *k = keepers; k < keepers + DOMAINS; k++)
        if (!k->info.vcpus)
            return k;
    return NULL;
}

void domstore_scan_begin(void)
{
    for (struct keeper *k = keepers; k < keepers + DOMAINS; k++)
        k->seen = false;
}

/* A number that is used again is another domain's when its UUID or its time is another. */
static bool same(const struct bh_domain_info *a, const struct bh_domain_info *b)
{
    return a->created == b->created && !memcmp(a->uuid, b->uuid, sizeof(a->uuid));
}

void domstore_scan(const struct bh_domain_info *d)
{
    struct keeper *k = find(d->domid);

    if (!ring.page || d->state == BH_DOMAIN_BUILDING || d->state == BH_DOMAIN_LOADING ||
        d->state == BH_DOMAIN_ZOMBIE || !d->store_port)
        return;
    if (k && !same(&k->info, d))
        return; /* the one before goes first */
    if (!k) {
        k = unused();
        if (!k) {
            rt_print("ctl: too many domains for the store: %s has no entries\n", d->name);
            return;
        }
        *k = (struct keeper){.info = *d};
    }
    if (strncmp(k->info.name, d->name, sizeof(d->name))) {
        memcpy(k->info.name, d->name, sizeof(d->name));
        k->renamed = true;
    }
    k->seen = true;
}

/* Who is not in the list any more leaves, once what is under way for it has been answered. */
void domstore_scan_end(void)
{
    for (struct keeper *k = keepers; k < keepers + DOMAINS; k++) {
        if (!k->info.vcpus || k->seen || k->stage >= RELEASE)
            continue;
        k->stage = RELEASE;
        k->step = 0;
    }
}

bool domstore_ready(uint32_t domid)
{
    const struct keeper *k = find(domid);

    return !ring.page || (k && (k->stage == READY || k->stage == RENAME));
}

bool domstore_want(uint32_t domid)
{
    struct keeper *k = find(domid);

    if (!k || k->stage >= READY)
        return false;
    k->wanted = true;
    return true;
}

bool domstore_wanted(uint32_t domid)
{
    const struct keeper *k = find(domid);

    return k && k->wanted;
}

static void put(struct request *r, uint32_t type, const char *payload)
{
    r->type = type;
    r->len = (uint32_t)strlen(payload) + 1;
    memcpy(r->payload, payload, r->len);
}

static void put_number(struct request *r, uint32_t n)
{
    r->len += (uint32_t)format(r->payload + r->len, sizeof(r->payload) - r->len, "%u", n) + 1;
}

/* What k's stage asks for; false: that is over, and k may have another stage now. */
static bool compose(struct keeper *k, struct request *r)
{
    r->len = 0;
    switch (k->stage) {
    case LOOK:
        entries_look(&k->info, r);
        return true;
    case BEGIN:
        put(r, XS_TRANSACTION_START, "");
        return true;
    case WRITE:
        if (entries_add(&k->info, k->step, r))
            return true;
        k->stage = COMMIT;
        return false;
    case COMMIT:
        put(r, XS_TRANSACTION_END, "T");
        return true;
    case ASK:
        r->type = XS_IS_DOMAIN_INTRODUCED;
        put_number(r, k->info.domid);
        return true;
    case INTRODUCE:
        r->type = XS_INTRODUCE;
        put_number(r, k->info.domid);
        put_number(r, BUNDLE_STORE_GFN);
        put_number(r, k->info.store_port);
        return true;
    case READY:
        return false;
    case RENAME:
        if (entries_rename(&k->info, k->step, r))
            return true;
        k->stage = READY;
        return false;
    case RELEASE:
        r->type = XS_RELEASE;
        put_number(r, k->info.domid);
        if (k->tx) /* it went in the middle of being written */
            put(r, XS_TRANSACTION_END, "F");
        return true;
    case REMOVE:
        if (entries_remove(&k->info, k->step, r))
            return true;
        memset(k, 0, sizeof(*k));
        return false;
    }
    return false;
}

static bool keepers_request(struct request *r)
{
    for (struct keeper *k = keepers; k < keepers + DOMAINS; k++) {
        if (!k->info.vcpus)
            continue;
        if (k->stage == READY && k->renamed) {
            k->stage = RENAME;
            k->step = 0;
            k->renamed = false;
        }
        do
            call.stage = k->stage;
        while (!compose(k, r) && k->info.vcpus && k->stage != call.stage);
        if (call.stage != READY && k->info.vcpus) {
            call.of = k;
            return true;
        }
    }
    return false;
}

static void errand_request(struct request *r)
{
    put(r, XS_CONTROL, errands[0].connect ? "connect" : "disconnect");
    put_number(r, errands[0].ref);
    put_number(r, errands[0].port);
    call.of = NULL;
}

static bool in_transaction(uint32_t type)
{
    return type != XS_RELEASE && type != XS_INTRODUCE && type != XS_IS_DOMAIN_INTRODUCED;
}

static void send_next(void)
{
    struct request r;
    uint32_t tx = 0;

    if (call.busy)
        return;
    if (nerrands)
        errand_request(&r);
    else if (!keepers_request(&r))
        return;
    call.busy = true;
    call.sent = call.got = 0;
    if (call.of && in_transaction(r.type))
        tx = call.of->tx;
    call.out.head = (struct xsd_sockmsg){r.type, ++last_id, tx, r.len};
    memcpy(call.out.payload, r.payload, r.len);
}

static bool push(void)
{
    uint32_t size = (uint32_t)sizeof(call.out.head) + call.out.head.len;
    size_t n;

    if (!call.busy || call.sent == size)
        return false;
    n = lane_write(&ring.requests, (const char *)&call.out + call.sent, size - call.sent);
    call.sent += (uint32_t)n;
    return n;
}

/* True: a whole answer to our request is there. */
static bool pull(bool *moved)
{
    const uint32_t head = sizeof(call.answer);
    char byte;

    while (call.got < head || call.got < head + call.answer.len) {
        if (!lane_read(&ring.answers, &byte, 1))
            return false;
        *moved = true;
        if (call.got < head)
            ((char *)&call.answer)[call.got] = byte;
        else if (call.got - head < sizeof(call.text) - 1)
            call.text[call.got - head] = byte;
        call.got++;
        if (call.got == head && call.answer.len > XENSTORE_PAYLOAD_MAX)
            rt_panic("ctl: the store answers with %u bytes", call.answer.len);
    }
    call.text[MIN(call.answer.len, sizeof(call.text) - 1)] = '\0';
    call.got = 0;
    return call.busy && call.answer.req_id == last_id && call.answer.type != XS_WATCH_EVENT;
}

static uint32_t number(const char *text)
{
    uint32_t n = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (uint32_t)(*text - '0');
    return n;
}

/* The request of k's stage was answered, with an error or NULL; true: k has become ready. */
static bool advance(struct keeper *k, const char *error)
{
    static const enum stage next[] = {[LOOK] = ASK,      [BEGIN] = WRITE,    [WRITE] = WRITE,
                                      [COMMIT] = ASK,    [ASK] = INTRODUCE,  [INTRODUCE] = READY,
                                      [RENAME] = RENAME, [RELEASE] = REMOVE, [REMOVE] = REMOVE};
    enum stage was = k->stage;

    k->stage = next[was];
    k->step = was == k->stage ? k->step + 1 : 0;
    if (k->stage == ASK && k->info.domid == rt_domid()) /* we are its domain 0 */
        k->stage = READY;
    if (was == ASK && !strcmp(call.text, "T"))
        k->stage = READY;
    if (error && (was == LOOK || (was == COMMIT && !strcmp(error, "EAGAIN"))))
        k->stage = BEGIN;
    else if (error && was < RELEASE) /* nothing to release or remove is no error */
        rt_print("ctl: store: entries of %s: request %u: %s\n", k->info.name, call.out.head.type,
                 error);
    return k->stage == READY;
}

static void errand_done(bool ok)
{
    struct errand e = errands[0];

    memmove(errands, errands + 1, --nerrands * sizeof(e));
    e.done(e.arg, ok);
}

static bool answered(void)
{
    struct keeper *k = call.of;
    const char *error = call.answer.type == XS_ERROR ? call.text : NULL;

    call.busy = false;
    if (!k) {
        errand_done(!error);
        return false;
    }
    if (call.out.head.type == XS_TRANSACTION_START && !error)
        k->tx = number(call.text);
    if (call.out.head.type == XS_TRANSACTION_END)
        k->tx = 0;
    if (k->stage != call.stage || (k->stage == RELEASE && call.out.head.type == XS_TRANSACTION_END))
        return false;
    return advance(k, error);
}

bool domstore_connect(bool connect, uint32_t ref, uint32_t port, void (*done)(void *arg, bool ok),
                      void *arg)
{
    if (nerrands == ERRANDS)
        return false;
    errands[nerrands++] = (struct errand){connect, ref, port, done, arg};
    return true;
}

bool domstore_serve(void)
{
    bool scan = false, moved, any = false;

    if (!ring.page)
        return false;
    do {
        moved = false;
        if (pull(&moved))
            scan |= answered();
        send_next();
        moved |= push();
        any |= moved;
    } while (moved);
    if (any)
        rt_notify(store_port);
    if (scan)
        ctl_scan();
    return any;
}

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
    LOOK,  /* are its entries there, or another's? */
    BEGIN, /* of the transaction that writes them */
    WRITE, /* one after the other */
    COMMIT,
    ASK, /* is it introduced? */
    INTRODUCE,
    FAILED, /* waits for the next look at the hypervisor's list */
    READY,
    RENAME,
    RELEASE,
    FIND, /* whose entries are they? */
    REMOVE,
};

static struct keeper {
    struct bh_domain_info info; /* vcpus 0: free */
    enum stage stage;
    unsigned step; /* of WRITE, RENAME and REMOVE */
    uint32_t tx;   /* the transaction that is open; 0: none */
    bool seen, renamed, wanted;
    char vm[ENTRIES_VM]; /* of REMOVE: what was found */
} keepers[DOMAINS];
static unsigned nkeepers; /* those behind have never been used */

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
static bool swept; /* what was left behind while we were dead has been looked for */
/* Somebody has become ready, or has gone: the hypervisor's list tells who waits. */
static bool scan;

/* The request under way, and its answer as far as it has come. */
static struct call {
    bool busy;
    void (*answered)(const char *error); /* error NULL: it went well */
    struct keeper *of;                   /* NULL: no keeper's */
    enum stage stage;                    /* its own, then */
    uint32_t sent, got;
    struct {
        struct xsd_sockmsg head;
        char payload[ENTRIES_PAYLOAD];
    } out;
    struct xsd_sockmsg answer;
    char text[XENSTORE_PAYLOAD_MAX + 1];
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
    for (struct keeper *k = keepers; k < keepers + nkeepers; k++)
        if (k->info.vcpus && k->info.domid == domid)
            return k;
    return NULL;
}

static struct keeper *unused(void)
{
    struct keeper *k = keepers;

    while (k < keepers + nkeepers && k->info.vcpus)
        k++;
    if (k == keepers + DOMAINS)
        return NULL;
    nkeepers = MAX(nkeepers, (unsigned)(k - keepers) + 1);
    return k;
}

void domstore_scan_begin(void)
{
    for (struct keeper *k = keepers; k < keepers + nkeepers; k++)
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
    if (k->stage == FAILED)
        k->stage = LOOK;
}

/* Who is not in the list any more leaves, once what is under way for it has been answered. */
void domstore_scan_end(void)
{
    for (struct keeper *k = keepers; k < keepers + nkeepers; k++) {
        if (!k->info.vcpus || k->seen || k->stage >= RELEASE)
            continue;
        k->stage = RELEASE;
        k->step = 0;
    }
}

static bool is_ready(const struct keeper *k)
{
    return k->stage == READY || k->stage == RENAME;
}

bool domstore_ready(uint32_t domid)
{
    const struct keeper *k = find(domid);

    return !ring.page || (k && is_ready(k));
}

bool domstore_want(uint32_t domid)
{
    struct keeper *k = find(domid);

    if (!k || !k->seen || is_ready(k))
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

/* k is somebody's whose entries stay, and they have this vm. */
static bool keeps(const struct keeper *k, const char *vm)
{
    return k->info.vcpus && k->stage < RELEASE && entries_are_of(&k->info, vm);
}

/* Another life of the same domain has the same. */
static bool is_kept(const char *vm)
{
    for (const struct keeper *k = keepers; k < keepers + nkeepers; k++)
        if (keeps(k, vm))
            return true;
    return false;
}

/* What had k's number has gone; k itself may be yet to come. */
static void removed(struct keeper *k)
{
    if (k->seen) {
        k->stage = BEGIN;
        return;
    }
    memset(k, 0, sizeof(*k));
    scan = true;
}

/* What k's stage asks for; false: that is over, and k may have another stage now. */
static bool compose(struct keeper *k, struct request *r)
{
    r->len = 0;
    if (k->tx && k->stage != WRITE && k->stage != COMMIT) {
        put(r, XS_TRANSACTION_END, "F");
        return true;
    }
    switch (k->stage) {
    case LOOK:
    case FIND:
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
    case FAILED:
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
        return true;
    case REMOVE:
        if (!k->step && (!*k->vm || is_kept(k->vm)))
            k->step++;
        if (entries_remove(&k->info, k->vm, k->step, r))
            return true;
        removed(k);
        return false;
    }
    return false;
}

static void keeper_answered(const char *error);

static bool keepers_request(struct request *r)
{
    for (struct keeper *k = keepers; k < keepers + nkeepers; k++) {
        bool asks;

        if (k->stage == READY && k->renamed) {
            k->stage = RENAME;
            k->step = 0;
            k->renamed = false;
        }
        do {
            call.stage = k->stage;
            asks = k->info.vcpus && compose(k, r);
        } while (!asks && k->stage != call.stage);
        if (asks) {
            call.of = k;
            call.answered = keeper_answered;
            return true;
        }
    }
    return false;
}

static void errand_answered(const char *error)
{
    struct errand e = errands[0];

    memmove(errands, errands + 1, --nerrands * sizeof(e));
    e.done(e.arg, !error);
}

static bool errand_request(struct request *r)
{
    if (!nerrands)
        return false;
    put(r, XS_CONTROL, errands[0].connect ? "connect" : "disconnect");
    put_number(r, errands[0].ref);
    put_number(r, errands[0].port);
    call.answered = errand_answered;
    return true;
}

static uint32_t number(const char *text)
{
    uint32_t n = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (uint32_t)(*text - '0');
    return n;
}

/* Domain 0 is nobody's number, but everybody's on our line. */
static void sweep_number(uint32_t domid)
{
    struct keeper *k = domid && !find(domid) ? unused() : NULL;

    if (k)
        *k = (struct keeper){.info = {.domid = domid, .vcpus = 1}, .stage = RELEASE};
}

/* A generation, then names. */
static void sweep_answered(const char *error)
{
    const char *end = call.text + call.answer.len, *name = call.text;

    swept = true;
    if (!error)
        while ((name += strlen(name) + 1) < end)
            sweep_number(number(name));
}

/* All that is alive has at most 512 names there, and a part of the directory has room for more. */
static bool sweep_request(struct request *r)
{
    if (swept)
        return false;
    put(r, XS_DIRECTORY_PART, "/local/domain");
    put_number(r, 0);
    call.answered = sweep_answered;
    return true;
}

static void send_next(void)
{
    struct request r;

    if (call.busy)
        return;
    call.of = NULL;
    if (!errand_request(&r) && !keepers_request(&r) && !sweep_request(&r))
        return;
    call.busy = true;
    call.sent = call.got = 0;
    call.out.head = (struct xsd_sockmsg){r.type, ++last_id, call.of ? call.of->tx : 0, r.len};
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

/* True: a whole answer to our request is there. At most a ring's worth is read at a time; of an
 * answer that is too long, the end is skipped. */
static bool pull(bool *moved)
{
    const uint32_t head = sizeof(call.answer);
    char byte;

    for (unsigned n = 0; call.got < head || call.got - head < call.answer.len; n++) {
        if (n == XENSTORE_RING_SIZE || !lane_read(&ring.answers, &byte, 1))
            return false;
        *moved = true;
        if (call.got < head)
            ((char *)&call.answer)[call.got] = byte;
        else if (call.got - head < sizeof(call.text) - 1)
            call.text[call.got - head] = byte;
        call.got++;
    }
    call.text[MIN(call.answer.len, sizeof(call.text) - 1)] = '\0';
    call.got = 0;
    return call.busy && call.answer.req_id == last_id && call.answer.type != XS_WATCH_EVENT;
}

static const char *error_of_answer(void)
{
    if (call.answer.len > XENSTORE_PAYLOAD_MAX)
        return "too long an answer";
    return call.answer.type == XS_ERROR ? call.text : NULL;
}

static void complain(const struct keeper *k, const char *error)
{
    rt_print("ctl: store: entries of %s: request %u: %s\n", k->info.name, call.out.head.type,
             error);
}

static enum stage failed(const struct keeper *k, const char *error)
{
    if (k->stage == COMMIT && !strcmp(error, "EAGAIN"))
        return BEGIN;
    complain(k, error);
    return FAILED;
}

/* We are the store's domain 0. */
static enum stage written(const struct keeper *k)
{
    return k->info.domid == rt_domid() ? READY : ASK;
}

static enum stage looked(const struct keeper *k, const char *error)
{
    if (error)
        return BEGIN;
    return entries_are_of(&k->info, call.text) ? written(k) : FIND;
}

static void found(struct keeper *k, const char *error)
{
    bool is_vm = !error && strlen(call.text) == ENTRIES_VM - 1 && !strncmp(call.text, "/vm/", 4);

    memcpy(k->vm, is_vm ? call.text : "", is_vm ? ENTRIES_VM : 1);
}

/* After the request of k's stage was answered, with an error or NULL. What cannot be released or
 * removed is not there; only a release may want memory, and waits for the next look. */
static enum stage next(struct keeper *k, const char *error)
{
    if (error && k->stage >= BEGIN && k->stage <= INTRODUCE)
        return failed(k, error);
    switch (k->stage) {
    case LOOK:
        return looked(k, error);
    case BEGIN:
        return WRITE;
    case COMMIT:
        return written(k);
    case ASK:
        return strcmp(call.text, "T") ? INTRODUCE : READY;
    case INTRODUCE:
        return READY;
    case RENAME:
        if (error)
            complain(k, error);
        return RENAME;
    case RELEASE:
        return error && !strcmp(error, "ENOMEM") ? failed(k, error) : FIND;
    case FIND:
        found(k, error);
        return REMOVE;
    default:
        return k->stage;
    }
}

static void keeper_answered(const char *error)
{
    struct keeper *k = call.of;
    enum stage was = k->stage;
    bool ended = call.out.head.type == XS_TRANSACTION_END;

    if (call.out.head.type == XS_TRANSACTION_START && !error)
        k->tx = number(call.text);
    if (ended)
        k->tx = 0;
    if (was != call.stage || (ended && was != COMMIT))
        return;
    k->stage = next(k, error);
    k->step = k->stage == was ? k->step + 1 : 0;
    scan |= k->stage == READY;
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
    bool moved = false;

    if (!ring.page)
        return false;
    if (pull(&moved)) {
        call.busy = false;
        call.answered(error_of_answer());
    }
    send_next();
    moved |= push();
    if (moved)
        rt_notify(store_port);
    if (scan) {
        scan = false;
        ctl_scan();
    }
    return moved;
}

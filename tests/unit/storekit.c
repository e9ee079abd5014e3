/* SPDX-License-Identifier: MIT */
#include "tests/unit/storekit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING XENSTORE_RING_SIZE

/* Check's own would need a test to be running. */
#define die(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), abort())
#define MUST(c)                                                                                    \
    do {                                                                                           \
        if (!(c))                                                                                  \
            die("%s:%d: must hold: %s", __FILE__, __LINE__, #c);                                   \
    } while (0)

struct store *kit_store;
struct kit_client kit_clients[KIT_CLIENTS];
char kit_printed[256];
uint32_t kit_port, kit_released, kit_told;
bool kit_introduce_fails;

static struct page {
    struct xenstore_domain_interface ring;
    char unused[4096 - sizeof(struct xenstore_domain_interface)];
} * pages;
static char *vault;
static uint32_t size;
static unsigned introducing;

static void notify(void *context, uint32_t id)
{
    (void)context;
    if (kit_clients[id].ring)
        kit_clients[id].ring->rsp_cons += kit_clients[id].takes;
    kit_clients[id].takes = 0;
}

static void broken(void *context, uint32_t id)
{
    (void)context;
    kit_clients[id].broken = true;
}

static bool introduce(void *context, uint32_t domid, uint32_t port, uint32_t *id,
                      struct xenstore_domain_interface **ring)
{
    (void)context;
    if (kit_introduce_fails)
        return false;
    kit_port = port;
    if (*ring)
        return true;
    *id = introducing;
    if (kit_clients[*id].domid && kit_clients[*id].domid != domid)
        *id = KIT_CLIENTS - 1; /* not by kit_introduce() */
    kit_clients[*id].domid = domid;
    *ring = &pages[*id].ring;
    return true;
}

/* The ring of the client whose number the grant has. */
static bool connect_ring(void *context, bool on, uint32_t ref, uint32_t port, uint32_t *id,
                         struct xenstore_domain_interface **ring)
{
    (void)context, (void)port;
    if (ref >= KIT_CLIENTS)
        return false;
    if (on)
        kit_clients[ref].ring = &pages[ref].ring;
    *id = ref;
    *ring = kit_clients[ref].ring;
    return *ring;
}

static void release(void *context, uint32_t id, uint32_t domid)
{
    (void)context;
    kit_clients[id].conn = NULL;
    kit_clients[id].ring = NULL;
    kit_released = domid;
    kit_told = pages[0].ring.rsp_prod;
}

static bool exists(void *context, uint32_t domid)
{
    (void)context;
    return domid < 1000;
}

static void print(void *context, const char *text)
{
    (void)context;
    strncpy(kit_printed, text, sizeof(kit_printed) - 1);
}

static const struct store_ops ops = {
    .notify = notify,
    .broken = broken,
    .introduce = introduce,
    .release = release,
    .exists = exists,
    .connect = connect_ring,
    .print = print,
};
static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

void kit_open(uint32_t vault_size)
{
    if (pages)
        munmap(pages, KIT_CLIENTS * sizeof(*pages) + size);
    size = vault_size;
    pages = mmap(NULL, KIT_CLIENTS * sizeof(*pages) + size, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(pages != MAP_FAILED);
    vault = (char *)(pages + KIT_CLIENTS);
    if (!kit_store)
        kit_store = malloc(store_size());
    memset(kit_clients, 0, sizeof(kit_clients));
    MUST(store_open(kit_store, vault, size, key, &ops, NULL) == VAULT_NEW);
}

void *kit_vault(void)
{
    return vault;
}

/* A privileged client may have a new ring, as after a death of its own. */
static void map_again(struct conn *c)
{
    struct store_conn about = store_about(kit_store, c);
    struct kit_client *client = &kit_clients[about.id];

    client->ring = &pages[about.id].ring;
    if (about.introduced || store_fits(c, client->ring)) {
        client->conn = c;
        store_map(kit_store, c, client->ring);
        return;
    }
    store_detach(kit_store, c);
    client->conn = store_attach(kit_store, about.id, 0, true, client->ring);
    MUST(client->conn);
}

enum vault_state kit_reopen(void)
{
    struct conn *next;
    enum vault_state state;

    memset(kit_store, 0xaa, store_size());
    state = store_open(kit_store, vault, size, key, &ops, NULL);
    for (unsigned i = 0; i < KIT_CLIENTS; i++)
        kit_clients[i].conn = NULL;
    for (struct conn *c = store_next(kit_store, NULL); c; c = next) {
        next = store_next(kit_store, c);
        if (store_about(kit_store, c).id < KIT_CLIENTS)
            map_again(c);
    }
    return state;
}

struct kit_client *kit_connect(unsigned i)
{
    struct kit_client *c = &kit_clients[i];

    memset(c, 0, sizeof(*c));
    memset(&pages[i], 0, sizeof(pages[i]));
    c->ring = &pages[i].ring;
    c->conn = store_attach(kit_store, i, 0, true, c->ring);
    MUST(c->conn);
    return c;
}

struct kit_client *kit_introduce(unsigned i, uint32_t domid)
{
    struct kit_client *c = &kit_clients[i];
    char text[32];
    uint32_t n = (uint32_t)snprintf(text, sizeof(text), "%u%c1%c7%c", domid, 0, 0, 0);

    memset(c, 0, sizeof(*c));
    introducing = i;
    c->ring = &pages[i].ring;
    kit_ask(&kit_clients[0], XS_INTRODUCE, 0, text, n);
    for (c->conn = store_next(kit_store, NULL); c->conn; c->conn = store_next(kit_store, c->conn))
        if (store_about(kit_store, c->conn).id == i)
            break;
    MUST(c->conn);
    return c;
}

uint32_t kit_put(struct kit_client *c, const void *data, uint32_t len)
{
    uint32_t n = 0;

    while (n < len && c->ring->req_prod - c->ring->req_cons < RING)
        c->ring->req[c->ring->req_prod++ % RING] = ((const char *)data)[n++];
    if (n)
        store_kick(kit_store, c->conn);
    return n;
}

void kit_get(struct kit_client *c)
{
    while (c->ring->rsp_cons != c->ring->rsp_prod && c->input_len < sizeof(c->input))
        c->input[c->input_len++] = c->ring->rsp[c->ring->rsp_cons++ % RING];
    if (c->conn)
        store_kick(kit_store, c->conn);
}

void kit_work(void)
{
    while (store_work(kit_store))
        ;
}

bool kit_message(struct kit_client *c, struct kit_answer *a)
{
    struct xsd_sockmsg head;

    memcpy(&head, c->input, sizeof(head));
    if (c->input_len < sizeof(head) || c->input_len - sizeof(head) < head.len)
        return false;
    MUST(head.len <= XENSTORE_PAYLOAD_MAX);
    a->type = head.type;
    a->req_id = head.req_id;
    a->tx_id = head.tx_id;
    a->len = head.len;
    memcpy(a->text, c->input + sizeof(head), head.len);
    a->text[head.len] = '\0';
    c->input_len -= (uint32_t)sizeof(head) + head.len;
    memmove(c->input, c->input + sizeof(head) + head.len, c->input_len);
    return true;
}

/* An event is noted; false: it is none. */
static bool note(struct kit_client *c, const struct kit_answer *a)
{
    if (a->type != XS_WATCH_EVENT)
        return false;
    MUST(a->req_id == 0);
    MUST(a->tx_id == 0);
    MUST(a->len == strlen(a->text) + strlen(a->text + strlen(a->text) + 1) + 2);
    c->events_len +=
        (uint32_t)snprintf(c->events + c->events_len, sizeof(c->events) - c->events_len, "%s %s\n",
                           a->text, a->text + strlen(a->text) + 1);
    MUST(c->events_len < sizeof(c->events));
    return true;
}

const struct kit_answer *kit_ask(struct kit_client *c, uint32_t type, uint32_t tx, const void *data,
                                 uint32_t len)
{
    static struct kit_answer a;
    struct xsd_sockmsg head = {type, ++c->next_id, tx, len};
    char request[sizeof(head) + XENSTORE_PAYLOAD_MAX];
    uint32_t sent = 0;

    memcpy(request, &head, sizeof(head));
    memcpy(request + sizeof(head), data, len);
    for (unsigned tries = 0; tries < 100000; tries++) {
        sent += kit_put(c, request + sent, (uint32_t)sizeof(head) + len - sent);
        kit_work();
        kit_get(c);
        while (kit_message(c, &a)) {
            if (note(c, &a))
                continue;
            MUST(a.req_id == head.req_id);
            MUST(a.tx_id == tx);
            return &a;
        }
    }
    die("no answer to a request of type %u", type);
}

const char *kit_events(struct kit_client *c)
{
    static char events[KIT_EVENTS];
    struct kit_answer a;
    uint32_t before;

    do {
        before = c->events_len;
        kit_get(c);
        kit_work();
        kit_get(c);
        while (kit_message(c, &a))
            MUST(note(c, &a));
    } while (before != c->events_len);
    memcpy(events, c->events, c->events_len);
    events[c->events_len] = '\0';
    c->events_len = 0;
    return events;
}

void kit_expect(struct kit_client *c, uint32_t type, uint32_t tx, const void *data, uint32_t len,
                const void *want, uint32_t want_len, const char *file, int line)
{
    const struct kit_answer *a = kit_ask(c, type, tx, data, len);
    bool refused = want_len == ~0U;

    if (refused)
        want_len = (uint32_t)strlen(want) + 1;
    if (a->type != (refused ? (uint32_t)XS_ERROR : type) || a->len != want_len ||
        memcmp(a->text, want, want_len) != 0)
        die("%s:%d: type %u, \"%s\" (%u bytes), not \"%s\" (%u bytes)", file, line, a->type,
            a->text, a->len, (const char *)want, want_len);
}

uint32_t kit_start(struct kit_client *c)
{
    const struct kit_answer *a = kit_ask(c, XS_TRANSACTION_START, 0, "", 1);

    MUST(a->type == XS_TRANSACTION_START);
    return (uint32_t)atoi(a->text);
}

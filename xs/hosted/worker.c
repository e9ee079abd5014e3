/* SPDX-License-Identifier: MIT */
/* The process that is the store: what the xs domain is on a host. It may be killed at any time. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "xs/hosted/shared.h"
#include "xs/store.h"

#define BATCH 64U /* requests before the parent is told */

static struct worker_args args;
static struct shared *shared;
static struct store *store;
static struct conn *conns[SLOTS];
static bool told;

static void tell(uint32_t slot)
{
    slots_mark(&shared->notified, slot);
    told = true;
}

static void flush(void)
{
    const uint64_t one = 1;

    if (!told)
        return;
    told = false;
    atomic_fetch_add(&shared->progress, 1);
    if (args.tell >= 0 && shared->parent_sleeps && write(args.tell, &one, sizeof(one)) < 0)
        exit(EXIT_FAILURE);
}

/* --- what the store asks for --- */

static void notify(void *context, uint32_t id)
{
    (void)context;
    tell(id);
    if (id >= CLIENTS && id < SLOTS)
        atomic_store(&shared->slots[id].state, SLOT_INTRODUCED);
}

static void broken(void *context, uint32_t id)
{
    uint32_t served = id < CLIENTS ? SLOT_OPEN : SLOT_INTRODUCED;

    (void)context;
    atomic_compare_exchange_strong(&shared->slots[id].state, &served, SLOT_BROKEN);
    tell(id);
}

/* The slot of a domain; SLOTS: there is no such domain, because it has no socket. */
static uint32_t slot_of(uint32_t domid)
{
    for (uint32_t i = CLIENTS; i < SLOTS && shared->slots[i].state != SLOT_FREE; i++)
        if (shared->slots[i].domid == domid)
            return i;
    return SLOTS;
}

static bool introduce(void *context, uint32_t domid, uint32_t port, uint32_t *id,
                      struct xenstore_domain_interface **ring)
{
    uint32_t i = slot_of(domid);

    (void)context, (void)port;
    if (i == SLOTS)
        return false;
    *id = i;
    *ring = &shared->pages[i].ring;
    return true;
}

static void release(void *context, uint32_t id, uint32_t domid)
{
    (void)context, (void)domid;
    conns[id] = NULL;
    atomic_store(&shared->slots[id].state, SLOT_RESERVED);
    tell(id);
}

static bool exists(void *context, uint32_t domid)
{
    (void)context;
    return !domid || slot_of(domid) != SLOTS;
}

static void print(void *context, const char *text)
{
    (void)context;
    printf("control: %s\n", text);
    fflush(stdout);
}

static const struct store_ops ops = {
    .notify = notify,
    .broken = broken,
    .introduce = introduce,
    .release = release,
    .exists = exists,
    .print = print,
};

/* --- what the parent asks for --- */

/* Connections of domains are made by the store. */
static struct conn *conn_of(uint32_t slot)
{
    if (conns[slot] || slot < CLIENTS)
        return conns[slot];
    for (struct conn *c = store_next(store, NULL); c; c = store_next(store, c))
        if (store_about(store, c).id == slot)
            conns[slot] = c;
    return conns[slot];
}

static void look_at(uint32_t slot)
{
    struct slot *s = &shared->slots[slot];
    uint32_t state = atomic_load(&s->state);

    if (state == SLOT_OPEN && !conns[slot]) {
        conns[slot] = store_attach(store, slot, 0, true, &shared->pages[slot].ring);
        if (!conns[slot])
            broken(NULL, slot);
    }
    if (state == SLOT_CLOSING) {
        if (conns[slot])
            store_detach(store, conns[slot]);
        conns[slot] = NULL;
        atomic_store(&s->state, SLOT_FREE);
    } else if (conn_of(slot)) {
        store_kick(store, conns[slot]);
    }
}

static void open_store(void)
{
    enum vault_state found;

    store = malloc(store_size());
    if (!store)
        exit(EXIT_FAILURE);
    found = store_open(store, shared->vault, args.vault_size, args.key, &ops, NULL);
    if (found == VAULT_TOO_SMALL) {
        fprintf(stderr, "bl-xenstored: a vault of %" PRIu32 " bytes is too small\n",
                args.vault_size);
        exit(WORKER_HOPELESS);
    }
    if (found == VAULT_DAMAGED)
        fprintf(stderr, "bl-xenstored: the vault is damaged; the store begins anew, empty\n");
    for (struct conn *c = store_next(store, NULL); c; c = store_next(store, c)) {
        struct store_conn about = store_about(store, c);

        if (about.id >= SLOTS)
            continue;
        conns[about.id] = c;
        store_map(store, c, &shared->pages[about.id].ring);
        if (about.broken)
            broken(NULL, about.id);
    }
}

void worker_begin(const struct worker_args *given)
{
    args = *given;
    shared = args.shared;
    open_store();
    for (uint32_t i = 0; i < SLOTS; i++)
        look_at(i);
}

bool worker_turn(void)
{
    unsigned n = 0;

    slots_take(&shared->kicked, look_at);
    while (store_work(store) && ++n < BATCH)
        ;
    flush();
    return n == BATCH;
}

static void rest(void)
{
    uint64_t count;

    shared->worker_sleeps = true;
    if (slots_empty(&shared->kicked) && read(args.wake, &count, sizeof(count)) < 0)
        exit(EXIT_FAILURE);
    shared->worker_sleeps = false;
}

void worker_run(const struct worker_args *given)
{
    worker_begin(given);
    for (;;)
        if (!worker_turn())
            rest();
}

/* SPDX-License-Identifier: MIT */
/* The process that is the store: what the xs domain is on a host. It may be killed at any time. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "xs/hosted/sockets.h"
#include "xs/store.h"

#define BATCH 64U /* requests before we look who else wants something */

static const struct worker_args *args;
static struct shared *shared;
static struct store *store;
static struct conn *conns[SLOTS];
static bool kicked;

/* --- what the store asks for --- */

static void notify(void *context, uint32_t id)
{
    (void)context;
    if (id >= SLOTS)
        return;
    if (id >= CLIENTS)
        atomic_store(&shared->slots[id].state, SLOT_INTRODUCED);
    sockets_notify(id);
}

static void broken(void *context, uint32_t id)
{
    uint32_t served = id < CLIENTS ? SLOT_OPEN : SLOT_INTRODUCED;

    (void)context;
    atomic_compare_exchange_strong(&shared->slots[id].state, &served, SLOT_BROKEN);
    sockets_notify(id);
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
    sockets_notify(id);
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

/* --- what the sockets ask for --- */

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

void worker_kick(uint32_t slot)
{
    if (!conns[slot] && atomic_load(&shared->slots[slot].state) == SLOT_OPEN) {
        conns[slot] = store_attach(store, slot, 0, true, &shared->pages[slot].ring);
        if (!conns[slot])
            broken(NULL, slot);
    }
    if (conn_of(slot))
        store_kick(store, conns[slot]);
    kicked = true;
}

void worker_detach(uint32_t slot)
{
    if (conns[slot])
        store_detach(store, conns[slot]);
    conns[slot] = NULL;
}

static void open_store(void)
{
    enum vault_state found;

    store = malloc(store_size());
    if (!store)
        exit(EXIT_FAILURE);
    found = store_open(store, shared->vault, args->vault_size, args->key, &ops, NULL);
    if (found == VAULT_TOO_SMALL) {
        fprintf(stderr, "bl-xenstored: a vault of %" PRIu32 " bytes is too small\n",
                args->vault_size);
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

/* True: there is more to do. */
static bool turn(void)
{
    unsigned n = 0;

    kicked = false;
    while (n < BATCH && store_work(store))
        n++;
    atomic_fetch_add_explicit(&shared->progress, 1, memory_order_relaxed);
    return sockets_serve_notified() || kicked || n == BATCH;
}

void worker_run(const struct worker_args *given)
{
    args = given;
    shared = args->shared;
    sockets_begin(args);
    open_store();
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (atomic_load(&shared->slots[i].state) == SLOT_FREE)
            continue;
        worker_kick(i);
        if (args->sockets[i])
            sockets_open(i, args->sockets[i]);
    }
    for (;;)
        sockets_wait(!turn());
}

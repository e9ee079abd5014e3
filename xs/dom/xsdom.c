/* SPDX-License-Identifier: MIT */
/*
 * The store's domain: maps rings, binds ports, and carries notifications to and from the store. Of
 * the hypervisor it wants nothing that a guest could not have.
 *
 * Rings of the control domain are the store's domain 0, with the right to everything: its own, by
 * grant 1 and port 1, and those that it asks to be connected, one for each client on its line. All
 * other domains come by INTRODUCE. Each life finds in the vault what was connected, and maps it
 * again; a peer that has gone is let go of as soon as the hypervisor says that something has
 * changed.
 */
#include "guestdrv/rt/rt.h"
#include "hyp/abi/bundle.h"
#include "xs/store.h"

#include <xen/grant_table.h>
#include <xen/hvm/params.h>

#define PEERS      510U /* mapped at once */
#define PORTS      4096U
#define REFS       512U
#define DOMIDS     0x7ff0U
#define STORE_PORT 1U
#define BATCH      4U /* requests before we look who else wants something */

/* What the store calls a connection: a domain that was introduced, or a ring of the control
 * domain's. */
#define ID_DOMAIN          0x80000000U
#define ID_RING(ref, port) ((ref) << 12 | (port))
#define ID_REF(id)         ((id) >> 12)
#define ID_PORT(id)        ((id)&0xfff)
#define ID_DOMID(id)       ((id) & ~ID_DOMAIN)

static struct peer {
    uint32_t id;
    uint32_t port, handle;                  /* our end */
    struct xenstore_domain_interface *ring; /* NULL: free */
    struct conn *conn;                      /* NULL: the store has made or will make it */
} peers[PEERS];
static uint16_t by_port[PORTS], by_ref[REFS], by_domid[DOMIDS]; /* index + 1 */

static struct store *store;
static uint16_t control;
static uint32_t virq_port;

static uint16_t *index_of(uint32_t id)
{
    return id & ID_DOMAIN ? &by_domid[ID_DOMID(id)] : &by_ref[ID_REF(id) % REFS];
}

static struct peer *find(uint32_t id)
{
    uint16_t i = *index_of(id);

    return i && peers[i - 1].id == id ? &peers[i - 1] : NULL;
}

/* Binds and maps; NULL: the other side is not there, or does not let us. */
static struct peer *open_peer(uint32_t id, uint16_t domid, uint32_t ref, uint32_t port)
{
    struct peer *p = peers;
    int status, local;

    while (p < peers + PEERS && p->ring)
        p++;
    if (p == peers + PEERS)
        return NULL;
    local = rt_bind_interdomain(domid, port);
    if (local < 0 || local >= (int)PORTS)
        return NULL;
    *p = (struct peer){.id = id, .port = (uint32_t)local};
    p->ring = rt_grant_map(domid, ref, &p->handle, &status);
    if (!p->ring) {
        rt_print("xs: domain %u: grant %u: status %d\n", domid, ref, status);
        rt_close(p->port);
        return NULL;
    }
    by_port[p->port] = *index_of(id) = (uint16_t)(p - peers + 1);
    return p;
}

static void close_peer(struct peer *p)
{
    by_port[p->port] = *index_of(p->id) = 0;
    rt_grant_unmap(p->ring, p->handle);
    rt_close(p->port);
    p->ring = NULL;
}

static struct peer *open_ring(uint32_t ref, uint32_t port)
{
    return open_peer(ID_RING(ref, port), control, ref, port);
}

static struct peer *open_domain(uint32_t domid, uint32_t port)
{
    return open_peer(ID_DOMAIN | domid, (uint16_t)domid, GNTTAB_RESERVED_XENSTORE, port);
}

/* --- what the store asks for --- */

static void notify(void *context, uint32_t id)
{
    const struct peer *p = find(id);

    (void)context;
    if (p)
        rt_notify(p->port);
}

static void broken(void *context, uint32_t id)
{
    (void)context;
    rt_print("xs: domain %u broke the protocol\n", id & ID_DOMAIN ? ID_DOMID(id) : control);
    notify(context, id);
}

/* A domain that is introduced again has maybe another port. */
static bool introduce(void *context, uint32_t domid, uint32_t port, uint32_t *id,
                      struct xenstore_domain_interface **ring)
{
    struct peer *p;

    (void)context;
    if (!domid || domid >= DOMIDS)
        return false;
    p = find(ID_DOMAIN | domid);
    if (p)
        close_peer(p);
    *ring = NULL;
    p = open_domain(domid, port);
    if (!p)
        return false;
    *id = p->id;
    *ring = p->ring;
    return true;
}

static void release(void *context, uint32_t id, uint32_t domid)
{
    struct peer *p = find(id);

    (void)context, (void)domid;
    if (p)
        close_peer(p);
}

/* Only who may do everything gets here. */
static bool exists(void *context, uint32_t domid)
{
    (void)context;
    return domid < DOMIDS;
}

static void print(void *context, const char *text)
{
    (void)context;
    rt_print("xs: %s\n", text);
}

/* The control domain's rings come and go, but for the one that it has from the start. */
static bool connect(void *context, bool on, uint32_t ref, uint32_t port, uint32_t *id,
                    struct xenstore_domain_interface **ring)
{
    struct peer *p;

    (void)context;
    if (ref >= REFS || port >= PORTS || port == STORE_PORT)
        return false;
    p = find(ID_RING(ref, port));
    if (on && !p)
        p = open_ring(ref, port);
    if (!p)
        return false;
    *id = p->id;
    *ring = p->ring;
    return true;
}

static const struct store_ops ops = {.notify = notify,
                                     .broken = broken,
                                     .introduce = introduce,
                                     .release = release,
                                     .exists = exists,
                                     .connect = connect,
                                     .print = print};

/* --- what the hypervisor tells --- */

static struct conn *conn_of(struct peer *p)
{
    for (struct conn *c = store_next(store, NULL); c && !p->conn; c = store_next(store, c))
        if (store_about(store, c).id == p->id)
            p->conn = c;
    return p->conn;
}

static void work(void)
{
    bool more = true;

    for (unsigned i = 0; more && i < BATCH; i++)
        more = store_work(store);
    if (more)
        rt_set_timer(0, work);
}

static void gone(struct peer *p)
{
    struct conn *c = conn_of(p);

    if (p->id & ID_DOMAIN)
        store_domain_gone(store, ID_DOMID(p->id)); /* which releases p, unless memory is short */
    if (!p->ring)
        return;
    if (c)
        store_map(store, c, NULL);
    close_peer(p);
    if (c && !(p->id & ID_DOMAIN))
        store_detach(store, c);
}

/* Who has gone is let go of; the control domain, when it is new, is a client again. */
static void look(void)
{
    struct peer *p;
    bool bound;

    for (p = peers; p < peers + PEERS; p++)
        if (p->ring && (rt_peer(p->port, &bound) < 0 || !bound))
            gone(p);
    if (find(ID_RING(GNTTAB_RESERVED_XENSTORE, STORE_PORT)))
        return;
    p = open_ring(GNTTAB_RESERVED_XENSTORE, STORE_PORT);
    if (!p)
        return;
    p->conn = store_attach(store, p->id, 0, true, p->ring);
    if (!p->conn)
        close_peer(p);
}

/* A new life of the control domain may have a new ring where the one before had its own: look()
 * attaches it. Of a guest's ring we know all without a look at it. */
static struct peer *open_again(const struct conn *c, const struct store_conn *about)
{
    struct peer *p;

    if (about->introduced)
        return open_domain(about->domid, about->port);
    p = open_ring(ID_REF(about->id), ID_PORT(about->id));
    if (!p || store_fits(c, p->ring))
        return p;
    close_peer(p);
    return NULL;
}

/* What was connected in the last life, as far as it is there still. */
static void recover(void)
{
    static struct conn *conns[PEERS];
    unsigned n = 0;

    for (struct conn *c = store_next(store, NULL); c && n < PEERS; c = store_next(store, c))
        conns[n++] = c;
    for (unsigned i = 0; i < n; i++) {
        struct store_conn about = store_about(store, conns[i]);
        struct peer *p = open_again(conns[i], &about);

        if (p) {
            p->conn = conns[i];
            store_map(store, p->conn, p->ring);
        } else if (about.introduced) {
            store_domain_gone(store, about.domid);
        } else {
            store_detach(store, conns[i]);
        }
    }
    rt_print("xs: %u connections\n", n);
}

static void open_store(void)
{
    static const char *const states[] = {[VAULT_FOUND] = "as the last life left it",
                                         [VAULT_NEW] = "new",
                                         [VAULT_DAMAGED] = "damaged: begun anew"};
    const uint64_t key[2] = {rt_random(), rt_random()};
    enum vault_state state;

    store = rt_pages_alloc((store_size() + 4095) / 4096);
    if (!store || !rt_vault_size)
        rt_panic("xs: no memory");
    state = store_open(store, (void *)BUNDLE_VAULT_START, (uint32_t)rt_vault_size, key, &ops, NULL);
    if (state == VAULT_TOO_SMALL)
        rt_panic("xs: a vault of %lu bytes is too small", rt_vault_size);
    rt_print("xs: the store is %s\n", states[state]);
}

static void init(void)
{
    uint32_t console = (uint32_t)rt_param(HVM_PARAM_CONSOLE_EVTCHN);
    bool bound;
    int rc = rt_bind_virq(VIRQ_DOM_EXC);

    if (rc < 0)
        rt_panic("xs: VIRQ_DOM_EXC: error %d", rc);
    virq_port = (uint32_t)rc;
    rc = rt_peer(console, &bound);
    if (rc < 0)
        rt_panic("xs: no control domain: error %d", rc);
    control = (uint16_t)rc;
    open_store();
    recover();
    look();
    work();
}

static void notified(uint32_t port)
{
    struct peer *p = port < PORTS && by_port[port] ? &peers[by_port[port] - 1] : NULL;

    if (port == virq_port)
        look();
    else if (p && conn_of(p))
        store_kick(store, p->conn);
    work();
}

const struct component component = {COMPONENT_MAGIC, init, notified};

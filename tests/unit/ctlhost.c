/* SPDX-License-Identifier: MIT */
#include "tests/unit/ctlhost.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"
#include "tests/unit/ctlline.h"
#include "tests/unit/ctlxs.h"

#define MS         1000000UL
#define VIRQ_PORT  1
#define STORE_PORT 2U
#define LINE_PORT  3
#define FIRST_PORT 16U /* of those that ctl makes */
#define PORTS      128U
#define CONSOLES   1000U /* domain n's console is at port 1000 + n here */
#define GRANTS     128U
#define QUIET      50U /* rounds in which nothing happens */
#define ROUNDS     100000U

struct bh_domain_info host_domains[HOST_DOMAINS];
uint64_t host_now = 1000 * MS;
struct bh_control host_args;
uint32_t host_command;
unsigned host_destroyed, host_pages, host_grants;

static struct xenstore_domain_interface *store_page; /* NULL: there is no store */
static struct xencons_interface consoles_there[HOST_DOMAINS];
static bool used_ports[PORTS], changed;
static void *granted[GRANTS];
static uint64_t timer = ~0UL;
static void (*tick)(void);

/* --- the hypervisor --- */

static struct bh_domain_info *domain(uint32_t domid)
{
    return domid < HOST_DOMAINS && *host_domains[domid].name ? &host_domains[domid] : NULL;
}

static long control_next(struct bh_control *arg)
{
    while (arg->domid < HOST_DOMAINS && !domain(arg->domid))
        arg->domid++;
    if (arg->domid >= HOST_DOMAINS)
        return -XEN_ENOENT;
    ck_assert_uint_eq(arg->size, sizeof(struct bh_domain_info));
    *(struct bh_domain_info *)arg->buffer = host_domains[arg->domid];
    return 0;
}

/* A guest finds its entries, or has none because this host has no store, or one that lies. */
static long control_unpause(struct bh_domain_info *d)
{
    if (d->state == BH_DOMAIN_READY && store_page && !xs_lies) {
        ck_assert(xs_is_introduced(d->domid));
        ck_assert_str_eq(xs_read(d->domid, "name"), d->name);
    }
    d->state = BH_DOMAIN_RUNNING;
    host_changed();
    return 0;
}

/* From a record that is nothing but a name. */
static long control_create(struct bh_control *arg)
{
    uint32_t domid = HOST_DOMAINS / 2;

    if (arg->size >= sizeof(host_domains[0].name))
        return -XEN_EINVAL;
    while (domain(domid))
        domid++;
    ck_assert_uint_lt(domid, HOST_DOMAINS);
    host_birth(domid, "", BH_DOMAIN_LOADING)->flags = BH_DOMAIN_CREATED;
    memcpy(host_domains[domid].name, (const void *)arg->buffer, arg->size);
    arg->domid = domid;
    return 0;
}

/* Bytes that begin with "bad" do not have the right checksum. */
static long control_load(struct bh_control *arg)
{
    if (arg->size >= 3 && !memcmp((const void *)arg->buffer, "bad", 3)) {
        host_death(arg->domid);
        return -XEN_EILSEQ;
    }
    arg->b += arg->size;
    arg->size = 0;
    return 0;
}

static long control_log(struct bh_control *arg)
{
    memset((void *)arg->buffer, 'l', arg->size);
    return 0;
}

static long control_of(struct bh_domain_info *d, uint32_t command, struct bh_control *arg)
{
    if (!d)
        return -XEN_ESRCH;
    switch (command) {
    case BH_CONTROL_unpause:
        return control_unpause(d);
    case BH_CONTROL_load:
        return control_load(arg);
    case BH_CONTROL_finish:
        d->state = BH_DOMAIN_READY;
        return 0;
    case BH_CONTROL_destroy:
        host_destroyed++;
        host_death(arg->domid);
        return 0;
    default:
        return 0;
    }
}

long rt_hypercall(unsigned nr, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct bh_control *arg = (void *)a2;

    (void)a3, (void)a4, (void)a5;
    ck_assert_uint_eq(nr, BH_HYPERVISOR_control);
    if (a1 == BH_CONTROL_next)
        return control_next(arg);
    if (a1 == BH_CONTROL_log)
        return 0;
    host_command = (uint32_t)a1;
    host_args = *arg;
    if (a1 == BH_CONTROL_create)
        return control_create(arg);
    if (a1 == BH_CONTROL_read_log)
        return control_log(arg);
    return control_of(domain(arg->domid), (uint32_t)a1, arg);
}

/* --- the runtime --- */

uint64_t rt_param(uint32_t index)
{
    if (!store_page)
        return 0;
    return index == HVM_PARAM_STORE_EVTCHN ? STORE_PORT : (uint64_t)store_page >> 12;
}

uint16_t rt_domid(void)
{
    return HOST_CTL;
}

int rt_peer(uint32_t port, bool *bound)
{
    ck_assert_uint_eq(port, STORE_PORT);
    *bound = !xs_dead;
    return HOST_XS;
}

int rt_alloc_unbound(uint16_t domid)
{
    unsigned port = FIRST_PORT;

    ck_assert_uint_eq(domid, HOST_XS);
    while (used_ports[port])
        port++;
    ck_assert_uint_lt(port, PORTS);
    used_ports[port] = true;
    return (int)port;
}

void rt_close(uint32_t port)
{
    ck_assert(port >= CONSOLES || used_ports[port]);
    if (port < CONSOLES)
        used_ports[port] = false;
}

uint32_t rt_grant(uint16_t domid, void *page)
{
    uint32_t ref = GNTTAB_NR_RESERVED_ENTRIES;

    ck_assert_uint_eq(domid, HOST_XS);
    while (granted[ref])
        ref++;
    ck_assert_uint_lt(ref, GRANTS);
    granted[ref] = page;
    host_grants++;
    return ref;
}

void *host_granted(uint32_t ref)
{
    return ref < GRANTS ? granted[ref] : NULL;
}

bool rt_grant_end(uint32_t ref)
{
    if (xs_has_mapped(ref))
        return false;
    granted[ref] = NULL;
    host_grants--;
    return true;
}

void rt_print(const char *fmt, ...)
{
    (void)fmt;
}

void rt_panic(const char *fmt, ...)
{
    ck_abort_msg("panic: %s", fmt);
}

void *rt_page_alloc(void)
{
    host_pages++;
    return calloc(1, 4096);
}

void rt_page_free(void *page)
{
    host_pages--;
    free(page);
}

uint64_t rt_memory_free(void)
{
    return (1000 - (uint64_t)host_pages) * 4096UL;
}

int rt_bind_interdomain(uint16_t domid, uint32_t port)
{
    ck_assert_uint_eq(port, host_domains[domid].console_port);
    return (int)CONSOLES + domid;
}

int rt_bind_virq(unsigned virq)
{
    ck_assert_uint_eq(virq, VIRQ_DOM_EXC);
    return VIRQ_PORT;
}

int rt_bind_pirq(unsigned pirq)
{
    (void)pirq;
    return LINE_PORT;
}

void rt_notify(uint32_t port)
{
    (void)port; /* everybody looks in each round */
}

void rt_unmask(uint32_t port)
{
    ck_assert_uint_eq(port, STORE_PORT);
}

uint64_t rt_now(void)
{
    return host_now;
}

void rt_set_timer(uint64_t when, void (*fn)(void))
{
    timer = when;
    tick = fn;
}

void *rt_grant_map(uint16_t domid, uint32_t ref, uint32_t *handle, int *status)
{
    ck_assert_uint_eq(ref, GNTTAB_RESERVED_CONSOLE);
    *handle = domid;
    *status = GNTST_okay;
    return &consoles_there[domid];
}

void rt_grant_unmap(void *page, uint32_t handle)
{
    ck_assert_ptr_eq(page, &consoles_there[handle]);
}

/* --- what happens --- */

void host_changed(void)
{
    changed = true;
}

struct bh_domain_info *host_birth(uint32_t domid, const char *name, enum bh_domain_state state)
{
    struct bh_domain_info *d = &host_domains[domid];

    *d = (struct bh_domain_info){.domid = domid,
                                 .state = state,
                                 .vcpus = 2,
                                 .store_port = domid + 100,
                                 .memory = 64 << 20,
                                 .memory_max = 128 << 20,
                                 .created = host_now};
    memset(d->uuid, (int)(0x10 + domid), sizeof(d->uuid));
    strncpy(d->name, name, sizeof(d->name) - 1);
    host_changed();
    return d;
}

void host_death(uint32_t domid)
{
    memset(&host_domains[domid], 0, sizeof(host_domains[domid]));
    host_changed();
}

void host_say(uint32_t domid, const char *text)
{
    struct xencons_interface *r = &consoles_there[domid];

    for (; *text; text++)
        r->out[MASK_XENCONS_IDX(r->out_prod++, r->out)] = *text;
}

bool host_is_heard(uint32_t domid)
{
    return consoles_there[domid].out_cons == consoles_there[domid].out_prod;
}

char host_heard(uint32_t domid)
{
    struct xencons_interface *r = &consoles_there[domid];

    return r->in_cons == r->in_prod ? 0 : r->in[MASK_XENCONS_IDX(r->in_cons++, r->in)];
}

void host_start(bool store)
{
    store_page = store ? xs_main_page() : NULL;
    component.init();
}

static bool round_of_all(void)
{
    bool moved = changed;

    host_now += MS;
    if (changed) {
        changed = false;
        component.notified(VIRQ_PORT);
    }
    moved |= xs_serve();
    component.notified(STORE_PORT);
    if (line_carry()) {
        moved = true;
        component.notified(LINE_PORT);
    }
    if (host_now >= timer) {
        timer = ~0UL;
        tick();
    }
    return moved;
}

void host_run(void)
{
    unsigned quiet = 0;

    for (unsigned i = 0; quiet < QUIET; i++) {
        ck_assert_uint_lt(i, ROUNDS);
        quiet = round_of_all() ? 0 : quiet + 1;
    }
}

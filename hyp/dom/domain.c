/* SPDX-License-Identifier: MIT */
/* The list of domains, their life and their end. */
#include "hyp/dom/domain.h"
#include "hyp/dom/image.h"
#include "hyp/dom/invariant.h"

#include <xen/errno.h>
#include "hyp/dom/record.h"
#include "hyp/lib/string.h"
#include "mm/arch.h"

#define SPECIAL_FRAMES 3  /* ACPI tables, two rings */
#define DOMAIN_FRAMES  48 /* of the hypervisor's, for a domain, at most; and for each vCPU */
#define VCPU_FRAMES    16UL
#define SPLIT_FRAMES   512 /* free, but in a chunk of the hypervisor's */

static struct spinlock list_lock;
static struct list domains = LIST_INIT(domains); /* by number */
#define LATEST 256
static struct domain *latest[LATEST]; /* of those with this number modulo LATEST; NULL: not known */
static uint16_t last_id;
uint16_t domain_control, domain_store;

/* Beyond the record's memory. */
static uint64_t extra_frames(const struct bundle_domain *r)
{
    return SPECIAL_FRAMES + r->vault_pages;
}

/* The first domain with this number or a higher one, or NULL; under list_lock. */
static struct domain *first_from(uint32_t id)
{
    struct list *at;

    list_for_each(at, &domains) {
        struct domain *d = list_entry(at, struct domain, node);

        if (d->id >= id)
            return d;
    }
    return NULL;
}

static struct domain *referenced(struct domain *d)
{
    if (d)
        __atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
    return d;
}

struct domain *domain_next(uint32_t id)
{
    spin_guard(held, &list_lock);

    return referenced(first_from(id));
}

struct domain *domain_get(uint16_t id)
{
    spin_guard(held, &list_lock);
    struct domain *d = latest[id % LATEST];

    if (unlikely(!d || d->id != id))
        d = first_from(id);
    return d && d->id == id ? referenced(d) : NULL;
}

static void tell(uint16_t id)
{
    struct domain *d = id ? domain_get(id) : NULL;

    if (!d)
        return;
    if (d->state == BH_DOMAIN_RUNNING)
        evtchn_send_virq(d->vcpus[0], VIRQ_DOM_EXC);
    domain_put(d);
}

void domain_changed(void)
{
    tell(domain_control);
    tell(domain_store);
}

/* Frees what is left when nobody can find d any more. */
static void free_domain(struct domain *d)
{
    log_line("[%s] domain %u destroyed", d->record->name, d->id);
    sched_group_end(&d->sched);
    while (!vault_free_slice(d, ~0U)) /* its next life could not be made */
        ;
    grant_free(d);
    domain_arch_free(&d->arch);
    if (d->shared)
        hyp_free(d->shared, 0);
    hyp_free(d->record, 0);
    hyp_free(d, order_of(sizeof(*d)));
    log_line("mem: %lu frames free", mem_stats().free);
    INVARIANT(check());
    domain_idle_check();
}

void domain_put(struct domain *d)
{
    if (!__atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL))
        free_domain(d);
}

void domain_unlink(struct domain *d)
{
    spin_lock(&list_lock);
    list_del(&d->node);
    if (latest[d->id % LATEST] == d)
        latest[d->id % LATEST] = NULL;
    spin_unlock(&list_lock);
    domain_put(d);
}

/* Another domain has this name, or r's UUID; under list_lock. The dead do not count. */
static bool in_use(const char *name, const struct bundle_domain *r, const struct domain *but)
{
    struct list *at;

    list_for_each(at, &domains) {
        const struct domain *d = list_entry(at, struct domain, node);

        if ((but && d == but) || (d->state == BH_DOMAIN_ZOMBIE && !d->restart))
            continue;
        if (!strncmp(d->record->name, name, BUNDLE_NAME_SIZE) ||
            (r && record_conflict(d->record, r)))
            return true;
    }
    return false;
}

unsigned domain_zombies(const struct domain *d)
{
    unsigned n = 0;
    struct list *at;
    spin_guard(held, &list_lock);

    list_for_each(at, &domains) {
        const struct domain *other = list_entry(at, struct domain, node);

        n += other->state == BH_DOMAIN_ZOMBIE && record_conflict(other->record, d->record);
    }
    return n;
}

static bool is_taken(const struct bundle_domain *r)
{
    spin_guard(held, &list_lock);

    return in_use(r->name, r, NULL);
}

int domain_rename(struct domain *d, const char name[BUNDLE_NAME_SIZE])
{
    spin_guard(list, &list_lock);
    spin_guard(held, &d->lock);

    if (d->dying)
        return -XEN_EBUSY;
    if (in_use(name, NULL, d))
        return -XEN_EEXIST;
    memcpy(d->record->name, name, BUNDLE_NAME_SIZE);
    return 0;
}

/* Numbers go up and start again behind those of the bundle's domains, so that none is used again
 * soon, and none that one of ours comes back under. 0: all are taken. */
static uint16_t new_id(void)
{
    spin_guard(held, &list_lock);

    for (unsigned tries = BUNDLE_MAX_DOMAINS; tries < DOMID_FIRST_RESERVED; tries++) {
        const struct domain *d;

        if (++last_id >= DOMID_FIRST_RESERVED)
            last_id = BUNDLE_MAX_DOMAINS + 1;
        d = first_from(last_id);
        if (!d || d->id != last_id)
            return last_id;
    }
    return 0;
}

/* From now on others find d; false: it is made by call, and its name or UUID is taken. */
static bool link_domain(struct domain *d)
{
    spin_guard(held, &list_lock);
    struct domain *next = first_from(d->id);

    if (d->by_call && in_use(d->record->name, d->record, d))
        return false;
    list_add_tail(next ? &next->node : &domains, &d->node);
    latest[d->id % LATEST] = d;
    return true;
}

/* Frames that a domain takes, at most, if all its memory is in single pages. */
static uint64_t cost_of(const struct bundle_domain *r, bool by_call)
{
    uint64_t n = r->memory_target / PAGE_SIZE + extra_frames(r);

    return n + n / 512 + DOMAIN_FRAMES + r->vcpus * VCPU_FRAMES + (by_call ? image_cost(r) : 0);
}

bool domain_fits(const struct bundle_domain *r)
{
    uint64_t need = cost_of(r, true) + SPLIT_FRAMES;
    struct list *at;
    spin_guard(held, &list_lock);

    list_for_each(at, &domains) {
        const struct domain *d = list_entry(at, struct domain, node);

        if (d->state == BH_DOMAIN_BUILDING)
            need += cost_of(d->record, d->by_call) - READ_ONCE(d->arch.p2m.ram_frames);
    }
    return need <= mem_stats().free;
}

bool domain_set_memory_max(struct domain *d, uint64_t bytes)
{
    uint64_t frames = bytes / PAGE_SIZE + extra_frames(d->record);

    if (frames < d->arch.p2m.ram_frames)
        return false;
    d->memory_max = frames;
    d->arch.p2m.max_tables = MAX(d->arch.p2m.max_tables, 128 + frames / 256);
    return true;
}

uint64_t domain_memory_max(const struct domain *d)
{
    return (d->memory_max - extra_frames(d->record)) * PAGE_SIZE;
}

static void poll_expired(struct timer *t)
{
    struct vcpu *v = container_of(t, struct vcpu, poll_timer);

    if (__atomic_exchange_n(&v->poll, 0, __ATOMIC_SEQ_CST))
        run_wake(v);
}

static void singleshot_expired(struct timer *t)
{
    evtchn_send_virq(container_of(t, struct vcpu, singleshot), VIRQ_TIMER);
}

int domain_make_vcpu(struct domain *d, uint32_t id)
{
    struct vcpu *v = hyp_alloc(order_of(sizeof(*v)));
    int rc;

    if (!v)
        return -XEN_ENOMEM;
    v->dom = d;
    v->down = true;
    v->arch.id = id;
    v->arch.dom = &d->arch;
    sched_entity_init(&v->sched, &d->sched, d->record->affinity, now_ns());
    timer_init(&v->singleshot, singleshot_expired);
    timer_init(&v->poll_timer, poll_expired);
    rc = vcpu_arch_init(&v->arch);
    if (rc) {
        hyp_free(v, order_of(sizeof(*v)));
        return rc;
    }
    spin_guard(held, &d->lock);
    d->vcpus[id] = v;
    d->arch.vcpus[id] = &v->arch;
    return 0;
}

void domain_free_vcpu(struct domain *d, uint32_t id)
{
    struct vcpu *v = d->vcpus[id];

    if (!v)
        return;
    spin_lock(&d->lock);
    d->vcpus[id] = NULL;
    d->arch.vcpus[id] = NULL;
    spin_unlock(&d->lock);
    vcpu_arch_free(&v->arch);
    hyp_free(v, order_of(sizeof(*v)));
}

static int create_parts(struct domain *d)
{
    int rc;

    d->shared = hyp_alloc(0);
    if (!d->shared)
        return -XEN_ENOMEM;
    rc = domain_arch_init(&d->arch);
    if (rc)
        return rc;
    d->arch.p2m.max_tables = 0; /* p2m_init() set no limit */
    domain_set_memory_max(d, d->record->memory_max);
    rc = evtchn_init(d);
    return rc ? rc : grant_init(d);
}

static struct domain *alloc_domain(const struct bundle_domain *record)
{
    struct domain *d = hyp_alloc(order_of(sizeof(*d)));

    if (!d)
        return NULL;
    d->record = hyp_alloc(0);
    if (!d->record) {
        hyp_free(d, order_of(sizeof(*d)));
        return NULL;
    }
    memcpy(d->record, record, sizeof(*d->record));
    d->refs = 2; /* the list's and the caller's */
    d->state = BH_DOMAIN_BUILDING;
    d->nvcpus = record->vcpus;
    d->created = now_ns();
    sched_group_init(&d->sched, record->weight, record->cap, d->created);
    list_init(&d->node);
    list_init(&d->work);
    return d;
}

int domain_create(const struct bundle_domain *record, uint16_t id, bool by_call,
                  struct domain **out)
{
    struct domain *d;
    struct tsc tsc;
    int rc;

    if (by_call && is_taken(record))
        return -XEN_EEXIST;
    if (!tsc_init(&tsc, record->tsc_hz)) {
        log_line("[%s] cannot be built: its TSC is to run at %lu kHz, the host's runs at %u kHz, "
                 "and this CPU cannot scale it%s",
                 record->name, record->tsc_hz / 1000, tsc_khz,
                 features.tsc_fraction ? " so far" : "");
        return -XEN_EOPNOTSUPP;
    }
    id = id ? id : new_id();
    d = id ? alloc_domain(record) : NULL;
    if (!d)
        return -XEN_ENOMEM;
    d->by_call = by_call;
    d->id = id;
    d->arch.nvcpus = d->nvcpus;
    d->arch.serial2 = record->privileges & BUNDLE_PRIV_SERIAL2;
    d->arch.domid = d->id;
    d->arch.tsc = tsc;
    d->arch.name = d->record->name;
    rc = create_parts(d);
    if (rc)
        log_line("[%s] no memory for another domain", record->name);
    if (!link_domain(d))
        rc = -XEN_EEXIST;
    if (rc) {
        domain_destroy(d, false);
        domain_put(d);
        return rc;
    }
    if (record->privileges & BUNDLE_PRIV_CONTROL)
        domain_control = d->id;
    if (record->class == BUNDLE_CLASS_XS)
        domain_store = d->id;
    if (record->affinity && ncpus < 64 && !(record->affinity & (BIT(ncpus) - 1)))
        log_line("[%s] none of the CPUs it should run on exist: it runs on any", record->name);
    *out = d;
    return 0;
}

void domain_start(struct domain *d, struct locked held)
{
    (void)held;
    vcpu_info_wallclock(d);
    d->state = BH_DOMAIN_RUNNING;
    d->vcpus[0]->down = false;
    d->vcpus[0]->initialised = true;
    vcpu_info_time(d->vcpus[0]);
    log_line("[%s] domain %u started: %u vCPU%s, %lu MiB", d->record->name, d->id, d->nvcpus,
             d->nvcpus == 1 ? "" : "s", d->record->memory_target >> 20);
    run_start(d->vcpus[0]);
}

static enum bundle_action action_of(const struct domain *d, unsigned reason)
{
    if (reason == SHUTDOWN_poweroff)
        return d->record->on_poweroff;
    if (reason == SHUTDOWN_reboot || reason == SHUTDOWN_soft_reset)
        return d->record->on_reboot;
    return d->record->on_crash;
}

static const char *reason_text(unsigned reason)
{
    static const char *const texts[] = {"powered off",         "rebooted",
                                        "suspended",           "crashed",
                                        "stopped by watchdog", "asked for soft reset"};

    return reason < ARRAY_SIZE(texts) ? texts[reason] : "stopped";
}

/* False: it does not run. */
static bool stop(struct domain *d, unsigned reason, const char *why, enum bundle_action action)
{
    static const char *const actions[] = {"destroy", "restart", "preserve"};
    spin_guard(held, &d->lock);

    if (d->state != BH_DOMAIN_RUNNING)
        return false;
    d->state = BH_DOMAIN_SHUTDOWN;
    d->paused = false;
    d->shutdown_reason = reason;
    log_line("[%s] domain %u %s%s%s (%s)", d->record->name, d->id, reason_text(reason),
             why ? ": " : "", why ? why : "", actions[action]);
    for (uint32_t i = 0; i < d->nvcpus; i++)
        run_stop(d->vcpus[i]);
    return true;
}

void domain_shutdown(struct domain *d, unsigned reason, const char *why)
{
    enum bundle_action action = action_of(d, reason);

    if (!stop(d, reason, why, action))
        return;
    if (action != BUNDLE_PRESERVE)
        domain_destroy(d, action == BUNDLE_RESTART);
    domain_changed();
}

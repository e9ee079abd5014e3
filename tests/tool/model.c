/* SPDX-License-Identifier: MIT */
#include "tests/tool/model.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <unistd.h>
#include <xen/errno.h>
#include <xen/sched.h>

#define MIB         (1UL << 20)
#define PAGE        4096UL
#define HOST_MEMORY (256 * MIB)
#define HOST_CPUS   4
#define SPECIAL_GFN 0xfeffcUL
#define SLOW_US     20000
#define SLOW_PAGES  64 /* are read in that time */
#define SECOND      1000000000UL

static struct model_domain *domains; /* by number */
static uint32_t next_domid = 1;
static uint64_t uptime = 86400 * SECOND;
static const char host_log[] = "Bulkhead 0.1\n[web] hello\n[web] \"quoted\" \\ and \t tab\n";

static struct model_domain *add(uint32_t domid)
{
    struct model_domain *d = calloc(1, sizeof(*d)), **at = &domains;

    while (*at && (*at)->info.domid < domid)
        at = &(*at)->next;
    d->next = *at;
    *at = d;
    d->info.domid = domid;
    d->info.created = uptime;
    return d;
}

static void drop(struct model_domain *d)
{
    struct model_domain **at = &domains;
    uint32_t domid = d->info.domid;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    free(d->ram);
    free(d);
    model_changed(domid);
}

struct model_domain *model_find(uint32_t domid)
{
    struct model_domain *d = domains;

    while (d && d->info.domid != domid)
        d = d->next;
    return d;
}

static void set_state(struct model_domain *d, uint32_t state)
{
    d->info.state = state;
    model_changed(d->info.domid);
}

/* As the record says. */
static void describe(struct model_domain *d)
{
    const struct bundle_domain *r = &d->record;

    memcpy(d->info.name, r->name, sizeof(d->info.name));
    memcpy(d->info.uuid, r->uuid, sizeof(d->info.uuid));
    d->info.class = r->class;
    d->info.vcpus = d->info.vcpus_online = r->vcpus;
    d->info.weight = r->weight;
    d->info.cap = r->cap;
    d->info.memory = r->memory_target;
    d->info.memory_max = r->memory_max;
    d->info.store_port = 1;
    d->info.console_port = 2;
    for (uint32_t i = 0; i < r->vcpus; i++)
        d->vcpus[i] = (struct bh_vcpu_info){
            .online = 1, .cpu = i % HOST_CPUS, .blocked = i > 0, .affinity = r->affinity};
    d->ram = calloc(1, r->memory_target);
}

static struct model_domain *boot(const char *name, uint32_t class, uint64_t memory, uint32_t vcpus)
{
    struct model_domain *d = add(next_domid++);
    struct bundle_domain *r = &d->record;

    strncpy(r->name, name, sizeof(r->name) - 1);
    memset(r->uuid, (int)d->info.domid, sizeof(r->uuid));
    r->class = class;
    r->vcpus = vcpus;
    r->weight = 256;
    r->memory_max = 2 * memory;
    r->memory_target = r->memory_min = memory;
    r->on_reboot = BUNDLE_RESTART;
    describe(d);
    d->info.created = 0;
    d->info.state = BH_DOMAIN_RUNNING;
    return d;
}

/* ctl, xs, a guest that runs and one that crashed and is preserved. */
void model_init(void)
{
    struct model_domain *d;

    boot("ctl", BUNDLE_CLASS_CTL, 4 * MIB, 1);
    boot("xs", BUNDLE_CLASS_XS, 4 * MIB, 1)->vcpus[0].blocked = 1;
    d = boot("web", BUNDLE_CLASS_GUEST, 8 * MIB, 2);
    d->vcpus[0].running = 1;
    d->record.affinity = d->vcpus[0].affinity = d->vcpus[1].affinity = 0xb;
    d->record.cap = d->info.cap = 150;
    d->record.tsc_hz = 2000000000;
    strcpy(d->record.cmdline, "console=hvc0 a=<&>");
    strcpy((char *)d->ram + MIB, "the memory of web");
    d = boot("sick", BUNDLE_CLASS_GUEST, 4 * MIB, 1);
    d->info.state = BH_DOMAIN_SHUTDOWN;
    d->info.shutdown_reason = SHUTDOWN_crash;
}

void model_end(struct model_domain *d, uint32_t reason)
{
    d->info.shutdown_reason = reason;
    d->dying = true;
    set_state(d, BH_DOMAIN_SHUTDOWN);
}

/* A guest that reboots gets a new number, a domain of ours the same again. */
static void reborn(struct model_domain *old)
{
    struct bundle_domain record = old->record;
    uint32_t domid = record.class == BUNDLE_CLASS_GUEST ? next_domid++ : old->info.domid;
    struct model_domain *d;

    drop(old);
    d = add(domid);
    d->record = record;
    describe(d);
    set_state(d, BH_DOMAIN_RUNNING);
}

static bool restarts(const struct model_domain *d)
{
    return d->record.class != BUNDLE_CLASS_GUEST ||
           (d->info.shutdown_reason == SHUTDOWN_reboot && d->record.on_reboot == BUNDLE_RESTART);
}

void model_tick(void)
{
    struct model_domain *next;

    for (struct model_domain *d = domains; d; d = next) {
        next = d->next;
        if (d->dying && restarts(d))
            reborn(d);
        else if (d->dying ||
                 (d->info.state == BH_DOMAIN_BUILDING && !strcmp(d->info.name, "vanish")))
            drop(d);
        else if (d->info.state == BH_DOMAIN_BUILDING)
            set_state(d, BH_DOMAIN_LOADING);
    }
}

void model_session_ended(const void *session)
{
    struct model_domain *next;

    for (struct model_domain *d = domains; d; d = next) {
        next = d->next;
        if (d->creator == session)
            drop(d);
    }
}

struct call {
    const void *session;
    struct model_domain *d;
    struct bh_control *a;
    const uint8_t *in;
    uint8_t *out;
};

/* What a command fills, if there is room for it. */
static int fill(struct call *c, const void *p, size_t n)
{
    if (c->a->size < n)
        return -XEN_EINVAL;
    memcpy(c->out, p, n);
    c->a->size = n;
    return 0;
}

static int call_next(struct call *c)
{
    struct model_domain *d = domains;

    while (d && d->info.domid < c->a->domid)
        d = d->next;
    if (!d)
        return -XEN_ENOENT;
    d->info.cpu_time = uptime / 2;
    c->a->domid = d->info.domid;
    return fill(c, &d->info, sizeof(d->info));
}

static uint64_t memory_free(void)
{
    uint64_t free = HOST_MEMORY;

    for (const struct model_domain *d = domains; d; d = d->next)
        free -= d->info.memory;
    return free;
}

/* A second passes from one to the next: half of it is each domain's. */
static int call_host(struct call *c)
{
    struct bh_host_info h = {.version = BH_CONTROL_VERSION,
                             .cpus = HOST_CPUS,
                             .memory = HOST_MEMORY,
                             .memory_free = memory_free(),
                             .uptime = uptime += SECOND,
                             .tsc_khz = 2400500,
                             .vendor = "AMD-V",
                             .build = "0.1",
                             .name = "rack1"};

    h.idle_time = h.uptime;
    return fill(c, &h, sizeof(h));
}

static int call_read_log(struct call *c)
{
    uint64_t n = sizeof(host_log) - 1, at = c->a->a < n ? c->a->a : n;

    c->a->a = at;
    return fill(c, host_log + at, n - at < c->a->size ? n - at : c->a->size);
}

static int call_vcpu(struct call *c)
{
    if (c->a->vcpu >= c->d->info.vcpus)
        return -XEN_EINVAL;
    c->d->vcpus[c->a->vcpu].cpu_time = uptime / 4;
    return fill(c, &c->d->vcpus[c->a->vcpu], sizeof(c->d->vcpus[0]));
}

static int call_create(struct call *c)
{
    const struct bundle_domain *r = (const void *)c->in;
    struct bundle_domain zeroed;
    struct model_domain *d;

    if (c->a->size != sizeof(*r))
        return -XEN_EINVAL;
    zeroed = *r;
    zeroed.checksum = 0;
    if (XXH64(&zeroed, sizeof(zeroed), 0) != r->checksum || r->class || r->privileges)
        return -XEN_EINVAL;
    for (d = domains; d; d = d->next)
        if (!strcmp(d->info.name, r->name) || !memcmp(d->info.uuid, r->uuid, sizeof(r->uuid)))
            return -XEN_EEXIST;
    if (r->tsc_hz) /* its CPU cannot scale it */
        return -XEN_EOPNOTSUPP;
    if (r->memory_target > memory_free())
        return -XEN_ENOMEM;
    d = add(next_domid++);
    d->record = *r;
    describe(d);
    d->info.flags = BH_DOMAIN_CREATED;
    d->creator = c->session;
    c->a->domid = d->info.domid;
    set_state(d, BH_DOMAIN_BUILDING);
    return 0;
}

/* Another domain has been made with the same. */
static bool is_here(const struct model_domain *d, const struct bundle_segment *s)
{
    for (const struct model_domain *o = domains; o; o = o->next)
        for (uint32_t i = 0; o != d && !o->creator && i < o->record.nsegments; i++)
            if (o->record.segments[i].file_size == s->file_size &&
                o->record.segments[i].checksum == s->checksum) {
                memcpy(d->ram + s->gpa, o->ram + o->record.segments[i].gpa, s->file_size);
                return true;
            }
    return false;
}

/* The first segment that still lacks bytes, which empty ones do not. */
static const struct bundle_segment *wanted(struct model_domain *d)
{
    const struct bundle_segment *s = d->record.segments;

    while (d->segment < d->record.nsegments &&
           (d->at == s[d->segment].file_size || (!d->at && is_here(d, &s[d->segment])))) {
        d->segment++;
        d->at = 0;
    }
    return d->segment < d->record.nsegments ? &s[d->segment] : NULL;
}

static int call_load(struct call *c)
{
    struct model_domain *d = c->d;
    const struct bundle_segment *s = wanted(d);
    uint8_t *to;

    if (d->info.state != BH_DOMAIN_LOADING)
        return -XEN_EBUSY;
    if (!c->a->size) {
        c->a->a = d->segment;
        c->a->b = d->at;
        return 0;
    }
    if (!s || c->a->a != d->segment || c->a->b != d->at || c->a->size > s->file_size - d->at)
        return -XEN_EINVAL;
    to = d->ram + s->gpa;
    memcpy(to + d->at, c->in, c->a->size);
    if (!strcmp(d->info.name, "spoil"))
        to[d->at] ^= 1;
    if (!strcmp(d->info.name, "slow"))
        usleep(SLOW_US);
    d->at += c->a->size;
    if (d->at == s->file_size && XXH64(to, s->file_size, 0) != s->checksum) {
        drop(d);
        return -XEN_EILSEQ;
    }
    wanted(d);
    c->a->a = d->segment;
    c->a->b = d->at;
    return 0;
}

static int call_finish(struct call *c)
{
    if (c->d->info.state != BH_DOMAIN_LOADING)
        return -XEN_EBUSY;
    if (wanted(c->d))
        return -XEN_EAGAIN;
    c->d->creator = NULL;
    set_state(c->d, BH_DOMAIN_READY);
    return 0;
}

static int call_pause(struct call *c)
{
    if (c->d->info.class == BUNDLE_CLASS_CTL)
        return -XEN_EINVAL;
    if (c->d->info.state != BH_DOMAIN_RUNNING)
        return -XEN_EBUSY;
    if (!(c->d->info.flags & BH_DOMAIN_PAUSED)) {
        c->d->info.flags |= BH_DOMAIN_PAUSED;
        model_changed(c->d->info.domid);
    }
    return 0;
}

static int call_unpause(struct call *c)
{
    if (c->d->info.state != BH_DOMAIN_READY && c->d->info.state != BH_DOMAIN_RUNNING)
        return -XEN_EBUSY;
    if (c->d->info.state == BH_DOMAIN_READY || c->d->info.flags & BH_DOMAIN_PAUSED) {
        c->d->info.flags &= ~BH_DOMAIN_PAUSED;
        set_state(c->d, BH_DOMAIN_RUNNING);
    }
    return 0;
}

static int call_shutdown(struct call *c)
{
    if (c->a->a > SHUTDOWN_MAX)
        return -XEN_EINVAL;
    if (c->d->info.state != BH_DOMAIN_RUNNING)
        return -XEN_EBUSY;
    model_end(c->d, (uint32_t)c->a->a);
    return 0;
}

static int call_destroy(struct call *c)
{
    if (c->d->info.class != BUNDLE_CLASS_GUEST)
        return -XEN_EPERM;
    drop(c->d);
    return 0;
}

static int call_shares(struct call *c)
{
    if ((c->a->a != ~0UL && (!c->a->a || c->a->a > 65535)) || (c->a->b != ~0UL && c->a->b > 6400))
        return -XEN_EINVAL;
    if (c->a->a != ~0UL)
        c->d->info.weight = (uint32_t)c->a->a;
    if (c->a->b != ~0UL)
        c->d->info.cap = (uint32_t)c->a->b;
    return 0;
}

static int call_affinity(struct call *c)
{
    if ((c->a->a && !(c->a->a & ((1U << HOST_CPUS) - 1))) ||
        (c->a->vcpu != ~0U && c->a->vcpu >= c->d->info.vcpus))
        return -XEN_EINVAL;
    for (uint32_t i = 0; i < c->d->info.vcpus; i++)
        if (c->a->vcpu == ~0U || c->a->vcpu == i)
            c->d->vcpus[i].affinity = c->a->a;
    return 0;
}

static int call_memory_max(struct call *c)
{
    if (c->a->a < c->d->info.memory)
        return -XEN_EBUSY;
    c->d->info.memory_max = c->a->a;
    return 0;
}

static int call_rename(struct call *c)
{
    char name[sizeof(c->d->info.name)] = "";

    if (!c->a->size || c->a->size >= sizeof(name))
        return -XEN_EINVAL;
    memcpy(name, c->in, c->a->size);
    for (const struct model_domain *d = domains; d; d = d->next)
        if (d != c->d && !strcmp(d->info.name, name))
            return -XEN_EEXIST;
    memcpy(c->d->info.name, name, sizeof(name));
    memcpy(c->d->record.name, name, sizeof(name));
    return 0;
}

/* RAM, then a page of zeros that lies by itself. */
static int call_read_memory(struct call *c)
{
    static const uint8_t special[PAGE];
    uint64_t pages = c->d->info.memory / PAGE;

    if (c->a->a % SLOW_PAGES == 0 && !strcmp(c->d->info.name, "slow"))
        usleep(SLOW_US);
    if (c->a->a < pages)
        return fill(c, c->d->ram + c->a->a * PAGE, PAGE);
    if (c->a->a > SPECIAL_GFN)
        return -XEN_ENOENT;
    c->a->a = SPECIAL_GFN;
    return fill(c, special, PAGE);
}

static int call_context(struct call *c)
{
    struct bh_vcpu_context r = {.rax = 0x1111,
                                .rbx = 0x2222,
                                .rsp = 0x3000,
                                .rflags = 2,
                                .rip = 0x100000 + c->a->vcpu,
                                .cs = 0x10,
                                .r15 = 0xf15f15};

    if (c->a->vcpu >= c->d->info.vcpus)
        return -XEN_EINVAL;
    if (c->d->info.state == BH_DOMAIN_RUNNING && !(c->d->info.flags & BH_DOMAIN_PAUSED))
        return -XEN_EBUSY;
    return fill(c, &r, sizeof(r));
}

static int call_trigger(struct call *c)
{
    if (c->a->a > BH_TRIGGER_INIT || c->a->vcpu >= c->d->info.vcpus)
        return -XEN_EINVAL;
    if (c->d->info.state != BH_DOMAIN_RUNNING)
        return -XEN_EBUSY;
    if (c->a->a == BH_TRIGGER_RESET)
        model_end(c->d, SHUTDOWN_reboot);
    return 0;
}

static int call_record(struct call *c)
{
    return fill(c, &c->d->record, sizeof(c->d->record));
}

int model_control(const void *session, uint32_t command, struct bh_control *a, const uint8_t *in,
                  uint8_t *out)
{
    static const struct {
        int (*fn)(struct call *c);
        bool host; /* not about a domain that is there */
    } calls[] = {
        [BH_CONTROL_next] = {call_next, true},
        [BH_CONTROL_host] = {call_host, true},
        [BH_CONTROL_read_log] = {call_read_log, true},
        [BH_CONTROL_vcpu] = {call_vcpu, false},
        [BH_CONTROL_create] = {call_create, true},
        [BH_CONTROL_load] = {call_load, false},
        [BH_CONTROL_finish] = {call_finish, false},
        [BH_CONTROL_unpause] = {call_unpause, false},
        [BH_CONTROL_pause] = {call_pause, false},
        [BH_CONTROL_shutdown] = {call_shutdown, false},
        [BH_CONTROL_destroy] = {call_destroy, false},
        [BH_CONTROL_shares] = {call_shares, false},
        [BH_CONTROL_affinity] = {call_affinity, false},
        [BH_CONTROL_memory_max] = {call_memory_max, false},
        [BH_CONTROL_rename] = {call_rename, false},
        [BH_CONTROL_read_memory] = {call_read_memory, false},
        [BH_CONTROL_context] = {call_context, false},
        [BH_CONTROL_trigger] = {call_trigger, false},
        [BH_CONTROL_record] = {call_record, false},
    };
    struct call c = {session, model_find(a->domid), a, in, out};

    if (command >= sizeof(calls) / sizeof(calls[0]) || !calls[command].fn)
        return -XEN_ENOSYS;
    if (!calls[command].host && !c.d)
        return -XEN_ESRCH;
    if (a->size > MODEL_BUFFER)
        return -XEN_EINVAL;
    return calls[command].fn(&c);
}

/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/unit/fake_call.h"

#include <asm/prctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xen/errno.h>
#include "hyp/x86/upcall.h"
#include "mm/arch.h"
#include "tests/unit/fake_arch.h"

#define FRAMES 16384UL

uint64_t fake_now;
struct vcpu_mode fake_mode;
struct vcpu_state fake_state;
bool fake_event;
unsigned fake_blocks, fake_yields, fake_starts, fake_stops, fake_restarts, fake_changes;
int fake_shutdown = -1;
char fake_log[8192];
struct domain *dom1, *dom2;
struct cpu_features features = {.smep = true, .smap = true, .xsave = true, .phys_bits = 46};

uint32_t ncpus = 2, tsc_khz = 1000000;
char domains_host[BUNDLE_NAME_SIZE] = "fake";

static struct cpu cpu;
static uint64_t free_before;

static void get_mode(struct x86_vcpu *v, struct vcpu_mode *m)
{
    (void)v;
    *m = fake_mode;
}

static void get_state(struct x86_vcpu *v, struct vcpu_state *s)
{
    (void)v;
    *s = (struct vcpu_state){.dr7 = 0x400};
}

static void set_state(struct x86_vcpu *v, const struct vcpu_state *s)
{
    v->regs.rsp = s->rsp;
    fake_state = *s;
}

static const struct vendor fake_vendor = {
    .name = "fake", .get_mode = get_mode, .get_state = get_state, .set_state = set_state};
const struct vendor *vendor = &fake_vendor;

void fake_call_machine(uint64_t frames)
{
    cpu.self = &cpu;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu))
        abort();
    fake_machine(frames);
    sched_init(ncpus);
    hyp_free(hyp_alloc(0), 0);
    free_before = mem_stats().free;
}

struct domain *fake_call_domain(uint16_t id, uint32_t nvcpus, const char *name)
{
    struct domain *d = fake_domain(id, nvcpus);

    for (uint32_t i = 0; i < nvcpus; i++) {
        struct vcpu *v = d->vcpus[i];

        v->arch.dom = &d->arch;
        v->down = i > 0;
        v->initialised = !v->down;
    }
    sched_group_init(&d->sched, 256, 0, fake_now);
    for (uint32_t i = 0; i < nvcpus; i++)
        sched_entity_init(&d->vcpus[i]->sched, &d->sched, 0, fake_now);
    d->state = BH_DOMAIN_RUNNING;
    d->memory_max = FAKE_RAM + 8;
    d->record->vcpus = nvcpus;
    strcpy(d->record->name, name);
    return d;
}

void fake_call_start(void)
{
    fake_call_machine(FRAMES);
    dom1 = fake_call_domain(1, 2, "one");
    dom2 = fake_call_domain(2, 1, "two");
    fake_mode = (struct vcpu_mode){.code64 = true, .rflags = 0x202};
    fake_now = 1000000000;
}

bool fake_call_clean(void)
{
    return mem_stats().free == free_before && !mem_stats().hyp;
}

void fake_call_finish(void)
{
    if (!fake_destroy(dom1) || !fake_destroy(dom2) || !fake_call_clean())
        abort();
}

long hypercall(struct vcpu *v, uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
    v->arch.regs = (struct gprs){.rax = nr, .rdi = a, .rsi = b, .rdx = c};
    v->arch.mode_known = false; /* as after an exit */
    while (!upcall_hypercall(&v->arch)) {
        fake_restarts++;
        fake_resched = false;
        if (v->arch.regs.rax != nr)
            abort();
    }
    fake_resched = false;
    if (spin_is_locked(&v->dom->lock) || spin_is_locked(&v->area_lock) || !fake_idle(v->dom))
        abort();
    return (long)v->arch.regs.rax;
}

static void append(const char *text, size_t n)
{
    if (strlen(fake_log) + n + 2 > sizeof(fake_log))
        return;
    strncat(fake_log, text, n);
    strcat(fake_log, "\n");
}

void log_domain(struct log_share *share, const char *name, const char *text, size_t len)
{
    char line[2048];

    (void)share;
    append(line, (size_t)snprintf(line, sizeof(line), "%s:%.*s", name, (int)len, text));
}

void log_line(const char *fmt, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, fmt);
    append(line, (size_t)vsnprintf(line, sizeof(line), fmt, ap));
    va_end(ap);
}

void log_limited(struct log_limit *limit, const char *fmt, ...)
{
    (void)fmt;
    limit->count++;
}

uint64_t now_ns(void)
{
    return fake_now;
}

void timer_set(struct timer *t, uint64_t deadline)
{
    t->deadline = deadline;
    t->cpu = &cpu;
}

void timer_cancel(struct timer *t)
{
    t->cpu = NULL;
}

bool vcpu_has_event(struct x86_vcpu *v)
{
    (void)v;
    return fake_event;
}

bool upcall_event_pending(struct x86_vcpu *v)
{
    return vcpu_of(v)->dom->shared->vcpu_info[v->id].evtchn_upcall_pending;
}

void upcall_block(struct x86_vcpu *v)
{
    (void)v;
    run_block();
}

void upcall_yield(struct x86_vcpu *v)
{
    (void)v;
    fake_yields++;
    fake_resched = true;
}

void run_block(void)
{
    fake_blocks++;
    fake_resched = true;
}

void run_start(struct vcpu *v)
{
    (void)v;
    fake_starts++;
}

void run_stop(struct vcpu *v)
{
    (void)v;
    fake_stops++;
}

void run_go_on(struct vcpu *v)
{
    (void)v;
    fake_starts++;
}

void run_move(struct vcpu *v, uint64_t affinity)
{
    sched_move(&v->sched, affinity, fake_now);
}

void run_shares(struct domain *d, uint32_t weight, uint32_t cap)
{
    sched_group_change(&d->sched, weight, cap, fake_now);
}

bool run_down(struct vcpu *v, struct locked held)
{
    const struct domain *d = v->dom;

    (void)held;
    v->down = true;
    run_stop(v);
    for (uint32_t i = 0; i < d->nvcpus; i++)
        if (!d->vcpus[i]->down)
            return false;
    return true;
}

bool run_init(struct vcpu *v, struct locked held)
{
    (void)held;
    v->down = true;
    return false;
}

void domain_shutdown(struct domain *d, unsigned reason, const char *why)
{
    (void)why;
    spin_lock(&d->lock); /* must be free */
    spin_unlock(&d->lock);
    fake_shutdown = (int)reason;
}

void domain_destroy(struct domain *d, bool again)
{
    (void)again;
    d->dying = true;
    d->state = BH_DOMAIN_SHUTDOWN;
}

void domain_start(struct domain *d, struct locked held)
{
    (void)held;
    d->state = BH_DOMAIN_RUNNING;
}

void domain_changed(void)
{
    fake_changes++;
}

bool domain_fits(const struct bundle_domain *record)
{
    return record->memory_target <= FAKE_FREE;
}

/* The host is full: what a new domain is, its own tests and the probes look at. */
int domain_create(const struct bundle_domain *record, uint16_t id, bool by_call,
                  struct domain **out)
{
    (void)record, (void)id, (void)by_call;
    *out = NULL;
    return -XEN_ENOMEM;
}

void domain_build(struct domain *d)
{
    (void)d;
}

int domain_rename(struct domain *d, const char name[BUNDLE_NAME_SIZE])
{
    if (!strcmp(name, "one"))
        return -XEN_EEXIST;
    memcpy(d->record->name, name, BUNDLE_NAME_SIZE);
    return 0;
}

bool domain_set_memory_max(struct domain *d, uint64_t bytes)
{
    if (bytes / PAGE_SIZE < d->arch.p2m.ram_frames)
        return false;
    d->memory_max = bytes / PAGE_SIZE;
    return true;
}

uint64_t domain_memory_max(const struct domain *d)
{
    return d->memory_max * PAGE_SIZE;
}

long build_load(struct domain *d, struct vcpu *from, gva_t src, uint64_t n, struct locked held)
{
    uint8_t text[512];
    int rc;

    (void)held;
    n = n < sizeof(text) ? n : sizeof(text);
    rc = copy_from_guest(&from->arch, text, src, n);
    if (rc)
        return rc;
    d->build.done += n;
    if (d->build.done == d->record->segments[d->build.segment].file_size) {
        d->build.segment++;
        d->build.done = 0;
    }
    return (long)n;
}

int build_finish(struct domain *d)
{
    (void)d;
    return 0;
}

size_t log_read(uint64_t *from, char *buf, size_t n)
{
    size_t len = strlen(fake_log), got;

    if (*from > len)
        *from = len;
    got = len - *from < n ? len - *from : n;
    memcpy(buf, fake_log + *from, got);
    return got;
}

struct domain *domain_next(uint32_t id)
{
    for (; id < 3; id++) {
        struct domain *d = domain_get((uint16_t)id);

        if (d)
            return d;
    }
    return NULL;
}

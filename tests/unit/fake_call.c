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
unsigned fake_blocks, fake_yields, fake_starts, fake_stops, fake_restarts;
int fake_shutdown = -1;
char fake_log[8192];
struct domain *dom1, *dom2;
struct cpu_features features = {.smep = true, .smap = true, .xsave = true, .phys_bits = 46};

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
    .get_mode = get_mode, .get_state = get_state, .set_state = set_state};
const struct vendor *vendor = &fake_vendor;

void fake_call_machine(uint64_t frames)
{
    cpu.self = &cpu;
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, &cpu))
        abort();
    fake_machine(frames);
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
    d->state = BH_DOMAIN_RUNNING;
    d->memory_max = FAKE_RAM + 8;
    strcpy((char *)d->record->name, name);
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

void log_domain(const char *name, const char *text, size_t len)
{
    char line[2048];

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
    run_block(vcpu_of(v));
}

void upcall_yield(struct x86_vcpu *v)
{
    (void)v;
    fake_yields++;
    fake_resched = true;
}

void run_block(struct vcpu *v)
{
    (void)v;
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

void sched_clear_wake(struct sched_entity *e)
{
    e->wake_pending = false;
}

void domain_shutdown(struct domain *d, unsigned reason, const char *why)
{
    (void)why;
    spin_lock(&d->lock); /* must be free */
    spin_unlock(&d->lock);
    fake_shutdown = (int)reason;
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

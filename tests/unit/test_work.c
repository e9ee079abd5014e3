/* SPDX-License-Identifier: MIT */
/* Work on domains in slices: who waits holds up nobody, and who restarts. */
#include <stdarg.h>
#include <stdlib.h>
#include <xen/errno.h>
#include "hyp/dom/domain.h"
#include "hyp/dom/image.h"
#include "tests/unit/check_main.h"

#define SLICE_NS 20000UL
#define SLICES   1000U

static uint64_t now = 1000000000;
static uint32_t held = 1; /* frames of each domain that others have */
static unsigned zombies, slices, lives;
static struct domain *dying; /* a name may not be free before the next life has it */

uint16_t domain_control;

uint64_t now_ns(void)
{
    return now;
}

int build_slice(struct domain *d)
{
    (void)d;
    slices++;
    now += SLICE_NS;
    return 0;
}

uint32_t grant_mapped_by_others(struct domain *d)
{
    (void)d;
    return held;
}

unsigned domain_zombies(const struct domain *d)
{
    (void)d;
    return zombies;
}

int domain_create(const struct bundle_domain *record, uint16_t id, bool by_call,
                  struct domain **out)
{
    (void)record, (void)id, (void)by_call, (void)out;
    ck_assert(dying->restart);
    lives++;
    return -XEN_ENOMEM;
}

bool evtchn_free_slice(struct domain *d, unsigned budget)
{
    (void)d, (void)budget;
    return true;
}

bool grant_free_slice(struct domain *d, unsigned budget)
{
    (void)d, (void)budget;
    return true;
}

bool p2m_free_slice(struct p2m *p, unsigned budget)
{
    (void)p, (void)budget;
    return true;
}

bool vault_free_slice(struct domain *d, unsigned budget)
{
    (void)d, (void)budget;
    return true;
}

bool image_free_slice(struct domain *d, unsigned budget)
{
    (void)d, (void)budget;
    return true;
}

bool sched_is_off(struct sched_entity *e)
{
    (void)e;
    return true;
}

struct domain *domain_next(uint32_t id)
{
    (void)id;
    return NULL;
}

void vault_hand_on(struct domain *from, struct domain *to)
{
    (void)from, (void)to;
}

void domain_free_vcpu(struct domain *d, uint32_t id)
{
    (void)d, (void)id;
}

void domain_start(struct domain *d, struct locked lock)
{
    (void)d, (void)lock;
}

void ram_drop(struct domain *d)
{
    (void)d;
}

void area_clear(struct guest_area *a)
{
    (void)a;
}

void run_stop(struct vcpu *v)
{
    (void)v;
}

void timer_cancel(struct timer *t)
{
    (void)t;
}

void domain_put(struct domain *d)
{
    d->refs--;
}

void domain_unlink(struct domain *d)
{
    domain_put(d);
}

void domain_changed(void)
{
}

void log_line(const char *fmt, ...)
{
    (void)fmt;
}

void power_off(void)
{
    abort();
}

static struct domain *make(void)
{
    struct domain *d = calloc(1, sizeof(*d));

    d->record = calloc(1, sizeof(*d->record));
    d->record->class = BUNDLE_CLASS_GUEST;
    d->refs = 2;
    list_init(&d->work);
    return d;
}

static void drop(struct domain *d)
{
    free(d->record);
    free(d);
}

/* As an idle CPU: until nothing is left that can be done now. */
static void work(void)
{
    while (domain_work())
        ;
}

/* What is in the queue when its domains go would stay: all of them end. */
static void end(struct domain **d, unsigned n)
{
    held = 0;
    now = domain_work_due() == ~0UL ? now : MAX(now, domain_work_due());
    work();
    ck_assert_uint_eq(domain_work_due(), ~0UL);
    ck_assert(!domain_work_waits());
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_eq(d[i]->refs, 1);
        drop(d[i]);
    }
}

/* An idle CPU may sleep while others hold what a dead domain had. */
START_TEST(due)
{
    struct domain *d = make();

    ck_assert_uint_eq(domain_work_due(), ~0UL);
    domain_destroy(d, false);
    ck_assert(domain_work_waits());
    ck_assert_uint_le(domain_work_due(), now);
    work();
    ck_assert_int_eq(d->state, BH_DOMAIN_ZOMBIE);
    ck_assert(domain_work_waits());
    ck_assert_uint_gt(domain_work_due(), now);
    ck_assert_uint_lt(domain_work_due(), now + 10000000);
    end(&d, 1);
}
END_TEST

/* A domain is built as fast beside any number of those that wait: they are looked at each ms. */
START_TEST(beside_zombies)
{
    static const unsigned numbers[] = {0, 1, 10, 100};
    unsigned n = numbers[_i];
    struct domain *z[101], *d = make();
    uint64_t begun;

    for (unsigned i = 0; i < n; i++) {
        z[i] = make();
        domain_destroy(z[i], false);
    }
    work();
    domain_build(d);
    begun = now;
    while (slices < SLICES) {
        if (!domain_work())
            now = MAX(now + 1, domain_work_due());
    }
    ck_assert_uint_eq(now - begun, SLICES * SLICE_NS);
    ck_assert_int_eq(d->refs, 1);
    d->refs = 2; /* as if somebody had found it */
    domain_destroy(d, false);
    work();
    z[n] = d;
    end(z, n + 1);
}
END_TEST

/* While the next life cannot be found yet, this one keeps its name. */
START_TEST(name_is_kept)
{
    dying = make();
    zombies = 1;
    domain_destroy(dying, true);
    work();
    ck_assert_uint_eq(lives, 1);
    ck_assert(!dying->restart);
    end(&dying, 1);
    ck_assert_uint_eq(lives, 1);
}
END_TEST

/* With many dead lives that others hold, the next comes when this one is let go of. */
START_TEST(many_dead)
{
    dying = make();
    zombies = 5;
    domain_destroy(dying, true);
    work();
    ck_assert_int_eq(dying->state, BH_DOMAIN_ZOMBIE);
    ck_assert_uint_eq(lives, 0);
    ck_assert(dying->restart);
    end(&dying, 1);
    ck_assert_uint_eq(lives, 1);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, due);
    tcase_add_loop_test(tc, beside_zombies, 0, 4);
    tcase_add_test(tc, name_is_kept);
    tcase_add_test(tc, many_dead);
}

int main(void)
{
    return check_main("work", fill);
}

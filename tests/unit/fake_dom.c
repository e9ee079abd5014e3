/* SPDX-License-Identifier: MIT */
#include "tests/unit/fake_dom.h"

#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "hyp/x86/upcall.h"
#include "mm/arch.h"

#define IDS 8

bool fake_slow, fake_resched;
unsigned fake_notified, fake_raised;
struct x86_vcpu *fake_last;
void (*fake_irq)(void *arg);
void *fake_irq_arg;
void (*fake_irq_binding)(void);

static struct domain *domains[IDS];
static int references[IDS];
static const struct p2m_format npt = {
    .present = 7, .leaf = 5, .writable = 2, .nx = 1UL << 63, .large = 0x80};

struct domain *fake_domain(uint16_t id, uint32_t nvcpus)
{
    struct domain *d = calloc(1, sizeof(*d));

    d->id = id;
    d->nvcpus = nvcpus;
    d->record = calloc(1, sizeof(*d->record));
    d->shared = hyp_alloc(0);
    for (uint32_t i = 0; i < nvcpus; i++) {
        d->vcpus[i] = calloc(1, sizeof(*d->vcpus[i]));
        d->vcpus[i]->dom = d;
        d->vcpus[i]->arch.id = i;
    }
    if (p2m_init(&d->arch.p2m, &npt, id) || evtchn_init(d) || grant_init(d))
        abort();
    for (uint32_t i = 0; i < FAKE_RAM; i++)
        if (p2m_map(&d->arch.p2m, mk_gfn(i), frame_alloc(0, id), 0, P2M_RAM))
            abort();
    domains[id] = d;
    return d;
}

bool fake_destroy(struct domain *d)
{
    while (!evtchn_free_slice(d, 7))
        ;
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        area_clear(&d->vcpus[i]->info);
        area_clear(&d->vcpus[i]->runstate_area);
        area_clear(&d->vcpus[i]->time_area);
    }
    while (!grant_free_slice(d, 5))
        ;
    while (!p2m_free_slice(&d->arch.p2m, 50))
        ;
    if (grant_mapped_by_others(d))
        return false;
    grant_free(d);
    if (!fake_idle(d))
        abort();
    domains[d->id] = NULL;
    hyp_free(d->shared, 0);
    for (uint32_t i = 0; i < d->nvcpus; i++)
        free(d->vcpus[i]);
    free(d->record);
    free(d);
    return true;
}

bool fake_idle(struct domain *d)
{
    return !references[d->id] && !spin_is_locked(&d->evtchns.lock) &&
           !spin_is_locked(&d->evtchns.queue_lock) && !spin_is_locked(&d->grants.lock);
}

hfn_t fake_ram(struct domain *d, uint32_t gfn)
{
    hfn_t f = HFN_NONE;

    return p2m_lookup(&d->arch.p2m, mk_gfn(gfn), &f, NULL) == P2M_RAM ? f : HFN_NONE;
}

bool run_preempted(void)
{
    return fake_slow || fake_resched;
}

struct domain *domain_get(uint16_t id)
{
    if (id >= IDS || !domains[id])
        return NULL;
    __atomic_fetch_add(&references[id], 1, __ATOMIC_SEQ_CST);
    return domains[id];
}

void domain_put(struct domain *d)
{
    __atomic_fetch_sub(&references[d->id], 1, __ATOMIC_SEQ_CST);
}

void upcall_notify(struct x86_vcpu *v)
{
    __atomic_fetch_add(&fake_notified, 1, __ATOMIC_SEQ_CST);
    fake_last = v;
}

void vlapic_raise(struct x86_vcpu *v, uint8_t vector)
{
    if (vector < 16)
        abort();
    fake_raised++;
    fake_last = v;
}

int irq_bind(unsigned irq, void (*fn)(void *arg), void *arg)
{
    if (fake_irq_binding)
        fake_irq_binding();
    if (irq != 3 || fake_irq)
        return -XEN_EBUSY;
    fake_irq = fn;
    fake_irq_arg = arg;
    return 0;
}

void irq_unmask(unsigned irq)
{
    (void)irq;
}

void irq_unbind(unsigned irq)
{
    (void)irq;
    fake_irq = NULL;
}

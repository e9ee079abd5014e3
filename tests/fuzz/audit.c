/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/audit.h"

#include "hyp/dom/evtchn_private.h"
#include "mm/arch.h"
#include "mm/buddy.h"
#include "tests/fuzz/fuzz.h"

/* The frame numbers that the fuzzer uses most, and the beginnings of where large pages go. */
#define GFNS            4096U
#define IS_LOOKED_AT(i) ((i) < 256 || (i) % 512 < 8)

static uint64_t area_pins(const struct guest_area *a)
{
    return !a->size ? 0 : a->size + a->offset > PAGE_SIZE ? 2 : 1;
}

/* Pins that d's grants in use and areas account for. */
static uint64_t expected_pins(const struct domain *d)
{
    uint64_t n = d->grants.mapped + (uint64_t)d->evtchns.narray;

    for (uint32_t i = 0; i < d->nvcpus; i++) {
        const struct vcpu *v = d->vcpus[i];

        n += area_pins(&v->info) + area_pins(&v->runstate_area) + area_pins(&v->time_area) +
             area_pins(&v->evtchn.control);
    }
    return n;
}

/* Frames that d owns: references are the p2m's one and the pins, no others. */
static void audit_frames(struct domain *d)
{
    uint64_t pins = 0, mapped = 0;

    for (uint64_t i = 0; i < frame_count; i++) {
        const struct frame *f = &frame_table[i];
        bool in_p2m;
        hfn_t at;

        if (f->owner != d->id || f->type != FRAME_PRIVATE)
            continue;
        in_p2m = d->arch.p2m.root &&
                 p2m_lookup(&d->arch.p2m, mk_gfn(f->gfn), &at, NULL) == P2M_RAM && at.val == i;
        MUST(f->refs && f->refs == f->pins + in_p2m);
        pins += f->pins;
        mapped += in_p2m;
    }
    MUST(mapped == d->arch.p2m.ram_frames);
    MUST(pins == expected_pins(d));
}

static bool is_shown(struct domain *d, hfn_t f)
{
    if (hfn_eq(f, arch_hva_to_hfn(d->shared)))
        return true;
    for (uint32_t i = 0; i < d->grants.nframes; i++)
        if (hfn_eq(f, arch_hva_to_hfn(d->grants.frames[i])))
            return true;
    return false;
}

/* What d sees is its own, or granted, or shown to it. */
static void audit_map(struct domain *d)
{
    for (uint64_t i = 0; d->arch.p2m.root && i < GFNS; i++) {
        enum p2m_type t = P2M_NONE;
        hfn_t f;

        if (IS_LOOKED_AT(i))
            t = p2m_lookup(&d->arch.p2m, mk_gfn(i), &f, NULL);
        if (t == P2M_NONE)
            continue;
        MUST(f.val < frame_count);
        if (t == P2M_RAM)
            MUST(frame_table[f.val].owner == d->id && frame_table[f.val].gfn == i);
        else if (t == P2M_HYP)
            MUST(is_shown(d, f));
        else
            MUST(frame_table[f.val].type == FRAME_PRIVATE && frame_table[f.val].pins);
    }
}

static void audit_events(struct domain *d)
{
    struct evtchn_set *s = &d->evtchns;
    uint32_t open = 0, closed = 0;

    if (!s->pages) /* of a zombie */
        return;
    for (uint32_t port = 1; port < s->nports; port++) {
        const struct evtchn *c = evtchn_entry(s, port), *r;

        open += c->state != EVTCHNSTAT_closed;
        MUST(c->state == EVTCHNSTAT_closed || c->vcpu < d->nvcpus);
        if (c->state == EVTCHNSTAT_virq)
            MUST(d->vcpus[c->vcpu]->evtchn.virq[c->irq] == port || evtchn_virq_is_global(c->irq));
        if (c->state != EVTCHNSTAT_interdomain)
            continue;
        r = evtchn_entry(&c->peer->evtchns, c->port);
        MUST(r && r->state == EVTCHNSTAT_interdomain && r->peer == d && r->port == port);
    }
    for (uint32_t port = s->free_head; port && closed <= s->nports; closed++)
        port = evtchn_entry(s, port)->port;
    MUST(open == s->nopen && open + closed + 1 == s->nports);
}

void audit(struct domain *const *d, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (d[i]) {
            audit_frames(d[i]);
            audit_map(d[i]);
            audit_events(d[i]);
        }
}

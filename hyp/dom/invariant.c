/* SPDX-License-Identifier: MIT */
/*
 * The frame table counts users. The check takes one off for each user that it finds, so that none
 * must be left, and puts all back: it needs no memory of its own. The same with grants: each
 * mapping takes one use off its grant.
 */
#include "hyp/dom/invariant.h"

#include "hyp/dom/evtchn_private.h"
#include "hyp/dom/grant_private.h"
#include "hyp/lib/format.h"
#include "mm/arch.h"
#include "mm/buddy.h"

static char text[128];
static const struct domain *culprit;
static uint64_t tables; /* in p2ms */

/* The first violation is the one that is told. */
static void violated(const struct domain *d, const char *fmt, ...) __printf(2, 3);
static void violated(const struct domain *d, const char *fmt, ...)
{
    va_list ap;

    if (text[0])
        return;
    culprit = d;
    va_start(ap, fmt);
    format_v(text, sizeof(text), fmt, ap);
    va_end(ap);
}

/* sign -1: takes a user off frame f, +1: puts it back. */
static void use(const struct domain *d, hfn_t f, int sign, bool pin)
{
    struct frame *p = frame_of(f);

    if (!p || (sign < 0 && (!p->refs || (pin && !p->pins)))) {
        violated(d, "frame 0x%lx has more users than references", f.val);
        return;
    }
    p->refs += (uint32_t)sign;
    if (pin)
        p->pins += (uint32_t)sign;
}

static void use_area(const struct domain *d, const struct guest_area *a, int sign)
{
    for (unsigned i = 0; a->size && i < ARRAY_SIZE(a->frame); i++)
        if (!hfn_eq(a->frame[i], HFN_NONE))
            use(d, a->frame[i], sign, true);
}

static void use_areas(const struct domain *d, int sign)
{
    for (uint32_t i = 0; i < d->evtchns.narray; i++)
        use_area(d, &d->evtchns.array[i], sign);
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        const struct vcpu *v = d->vcpus[i];

        if (!v)
            continue;
        use_area(d, &v->info, sign);
        use_area(d, &v->runstate_area, sign);
        use_area(d, &v->time_area, sign);
        use_area(d, &v->evtchn.control, sign);
    }
}

struct walk {
    struct domain *d;
    int sign;
    uint64_t ram, grants;
};

static bool is_shown(const struct domain *d, hfn_t f)
{
    if (d->shared && hfn_eq(arch_hva_to_hfn(d->shared), f))
        return true;
    for (uint32_t i = 0; i < d->grants.nframes; i++)
        if (hfn_eq(arch_hva_to_hfn(d->grants.frames[i]), f))
            return true;
    return false;
}

static void see_ram(struct walk *w, gfn_t gfn, hfn_t f, bool writable)
{
    const struct frame *p = frame_of(f);
    bool shared = p && p->type == FRAME_SHARED;

    if (!p || (p->type != FRAME_PRIVATE && !shared))
        violated(w->d, "gfn 0x%lx: memory that is of type %d", gfn.val, p ? p->type : -1);
    else if (shared && writable)
        violated(w->d, "gfn 0x%lx: a shared frame can be written", gfn.val);
    else if (!shared && (p->owner != w->d->id || p->gfn != (uint32_t)gfn.val))
        violated(w->d, "gfn 0x%lx: frame 0x%lx is domain %d's at 0x%lx", gfn.val, f.val, p->owner,
                 (unsigned long)p->gfn);
    use(w->d, f, w->sign, false);
    w->ram++;
}

/* A leaf of the domain's p2m. */
static void see_leaf(void *arg, gfn_t gfn, hfn_t f, enum p2m_type t, bool writable)
{
    const struct frame *p = frame_of(f);
    struct walk *w = arg;

    if (t == P2M_GRANT_RW || t == P2M_GRANT_RO) {
        w->grants++;
        if (!p || p->type == FRAME_HYP || p->type == FRAME_TABLE || (t == P2M_GRANT_RO && writable))
            violated(w->d, "gfn 0x%lx: a grant of what cannot be granted so", gfn.val);
    } else if (t != P2M_HYP) {
        see_ram(w, gfn, f, writable);
    } else if (!p || p->type != FRAME_HYP || !is_shown(w->d, f)) {
        violated(w->d, "gfn 0x%lx: a page of the hypervisor that is not for it", gfn.val);
    }
}

/* A use of a grant ends, or comes back; it is there, and for this domain. */
static void use_grant(struct domain *d, const struct grant_maptrack *m, int sign)
{
    struct grant_active *a = grant_active_of(&m->granter->grants, m->ref);
    uint16_t *uses = NULL;
    hfn_t f;
    enum p2m_type t = p2m_lookup(&d->arch.p2m, mk_gfn(m->gfn), &f, NULL);

    if (a)
        uses = m->readonly ? &a->readers : &a->writers;
    if (!uses || a->user != d->id || (sign < 0 && !*uses))
        violated(d, "gfn 0x%x: no such use of domain %d's grant %u", m->gfn, m->granter->id,
                 m->ref);
    else if (t != (m->readonly ? P2M_GRANT_RO : P2M_GRANT_RW) || f.val != a->hfn)
        violated(d, "gfn 0x%x: the grant mapped there is not there", m->gfn);
    else
        *uses = (uint16_t)(*uses + sign);
}

static uint64_t mapped; /* by the domain that use_grants() saw last */

static void use_grants(struct domain *d, int sign)
{
    mapped = 0;
    for (uint32_t h = 0; h < d->grants.nmaptrack; h++) {
        const struct grant_maptrack *m = grant_track_of(&d->grants, h);

        if (!m->granter)
            continue;
        use_grant(d, m, sign);
        mapped++;
    }
}

/* Grants of the domain's that are in use: each pins its frame once. */
static void pin_grants(struct domain *d, int sign)
{
    uint32_t n = 0;

    for (uint32_t ref = 0; ref < GRANT_MAX_FRAMES * GRANT_PER_FRAME; ref++) {
        const struct grant_active *a = grant_in_use(&d->grants, ref);
        const struct frame *p = a ? frame_of(mk_hfn(a->hfn)) : NULL;

        if (!a)
            continue;
        n++;
        if (!p || p->type != FRAME_PRIVATE || p->owner != d->id)
            violated(d, "grant %u: its frame 0x%lx is none of its own", ref, a->hfn);
        use(d, mk_hfn(a->hfn), sign, true);
    }
    if (n != d->grants.mapped)
        violated(d, "%u of its grants are in use, %u are counted", n, d->grants.mapped);
}

static void no_uses_left(struct domain *d, int sign)
{
    (void)sign;
    for (uint32_t ref = 0; ref < GRANT_MAX_FRAMES * GRANT_PER_FRAME; ref++)
        if (grant_in_use(&d->grants, ref))
            violated(d, "grant %u: used by nobody, but counted", ref);
}

/* The domain's users of frames, but for grants'; sign as above. */
static void use_memory(struct domain *d, int sign)
{
    struct walk w = {.d = d, .sign = sign};
    struct p2m *p = &d->arch.p2m;
    uint64_t n = p->root ? p2m_walk(p, see_leaf, &w) : 0;

    tables += sign < 0 ? n : 0;
    if (n != p->tables || w.ram != p->ram_frames)
        violated(d, "its p2m has %lu frames and %lu tables, %lu and %lu are counted", w.ram, n,
                 p->ram_frames, p->tables);
    for (uint64_t i = 0; d->fresh.valid && i < BIT(d->fresh.order); i++)
        use(d, hfn_add(d->fresh.frame, i), sign, false);
    for (uint32_t i = 0; i < d->vault.n; i++)
        use(d, d->vault.frames[i], sign, false);
    use_areas(d, sign);
    use_grants(d, 0);
    if (w.grants != mapped)
        violated(d, "%lu grants in its p2m are not all that it mapped", w.grants);
}

static void check_port(const struct domain *d, const struct evtchn *c, uint32_t port)
{
    const struct evtchn *r;

    if (c->vcpu >= d->nvcpus)
        violated(d, "port %u notifies vCPU %u", port, c->vcpu);
    if (c->state == EVTCHNSTAT_pirq && d->evtchns.pirq_port != port)
        violated(d, "port %u: the interrupt goes to port %u", port, d->evtchns.pirq_port);
    if (c->state != EVTCHNSTAT_interdomain)
        return;
    r = evtchn_entry(&c->peer->evtchns, c->port);
    if (!r || r->state != EVTCHNSTAT_interdomain || r->peer != d || r->port != port)
        violated(d, "port %u: its peer's port %u does not lead back", port, c->port);
}

static void check_ports(struct domain *d, int sign)
{
    struct evtchn_set *s = &d->evtchns;
    uint32_t open = 0, closed = 0;

    (void)sign;
    for (uint32_t port = 1; port < s->nports; port++) {
        const struct evtchn *c = evtchn_entry(s, port);

        if (c->state == EVTCHNSTAT_closed)
            continue;
        open++;
        check_port(d, c, port);
    }
    for (uint32_t port = s->free_head; port && port < s->nports && closed < s->nports; closed++)
        port = evtchn_entry(s, port)->port;
    if (s->nports && (open != s->nopen || open + closed != s->nports - 1))
        violated(d, "ports: %u open and %u free of %u, %u open are counted", open, closed,
                 s->nports, s->nopen);
    for (uint32_t i = 0; i < d->nvcpus; i++)
        for (unsigned q = 0; d->vcpus[i] && q < ARRAY_SIZE(d->vcpus[i]->evtchn.virq); q++) {
            uint32_t port = d->vcpus[i]->evtchn.virq[q];
            const struct evtchn *c = port ? evtchn_entry(s, port) : NULL;

            if (port && (!c || c->state != EVTCHNSTAT_virq || c->irq != q))
                violated(d, "vCPU %u: port %u is not bound to virtual interrupt %u", i, port, q);
        }
}

static const struct domain *owner_of(const struct frame *p)
{
    struct domain *d = domain_get(p->owner);

    if (d)
        domain_put(d);
    return d;
}

/* With every user taken off: what is left has none, and the counters are right. */
static void check_frames(void)
{
    struct mem_stats s = mem_stats();
    uint64_t n[FRAME_SHARED + 1] = {0}, hyp, absent;

    for (uint64_t i = 0; i < frame_count; i++) {
        const struct frame *p = &frame_table[i];
        bool domains = p->type >= FRAME_PRIVATE;

        n[p->type]++;
        if (domains && (p->refs || (p->type != FRAME_SHARED && p->pins)))
            violated(owner_of(p), "frame 0x%lx of domain %u: %u references and %u pins too many", i,
                     p->owner, p->refs, p->pins);
    }
    hyp = n[FRAME_HYP] + n[FRAME_TABLE];
    absent = n[FRAME_ABSENT];
    if (n[FRAME_TABLE] != tables)
        violated(NULL, "%lu table frames, %lu in p2ms", n[FRAME_TABLE], tables);
    if (s.free != n[FRAME_FREE] || s.hyp != hyp || s.total != frame_count - absent)
        violated(NULL, "frames: %lu free, %lu the hypervisor's; %lu and %lu are counted",
                 n[FRAME_FREE], hyp, s.free, s.hyp);
    if (!buddy_is_sound())
        violated(NULL, "a free list is broken");
}

static void each(void (*fn)(struct domain *d, int sign), int sign)
{
    struct domain *d = domain_next(0);

    while (d && !text[0]) {
        uint32_t id = d->id;

        fn(d, sign);
        domain_put(d);
        d = domain_next(id + 1);
    }
    if (d)
        domain_put(d);
}

const char *invariant_find(const struct domain **who)
{
    text[0] = '\0';
    culprit = NULL;
    tables = 0;
    each(check_ports, 0);
    each(use_memory, -1);
    each(pin_grants, -1);
    each(use_grants, -1);
    each(no_uses_left, 0);
    if (!text[0])
        check_frames();
    each(use_grants, 1);
    each(pin_grants, 1);
    each(use_memory, 1);
    *who = culprit;
    return text[0] ? text : NULL;
}

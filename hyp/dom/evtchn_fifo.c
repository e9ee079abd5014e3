/* SPDX-License-Identifier: MIT */
/*
 * The FIFO event ABI (xen/event_channel.h; Xen's docs, "FIFO-based event channel ABI"): one word
 * for each port in pages that the guest gives, and sixteen queues for each vCPU, linked through
 * these words. The guest may scribble over all of it. So the queues' tails live here, in memory of
 * our own, a word is changed by one atomic operation at a time, and the only loop is bounded: what
 * a guest can break is its own queue.
 */
#include <xen/errno.h>
#include "hyp/dom/evtchn_private.h"
#include "mm/frame.h"

#define WORDS_PER_PAGE  (PAGE_SIZE / sizeof(event_word_t))
#define MAX_ARRAY_PAGES (EVTCHN_FIFO_NR_CHANNELS / WORDS_PER_PAGE)
#define PENDING         (1U << EVTCHN_FIFO_PENDING)
#define MASKED          (1U << EVTCHN_FIFO_MASKED)
#define LINKED          (1U << EVTCHN_FIFO_LINKED)
#define BUSY            (1U << EVTCHN_FIFO_BUSY)
#define LINK_TRIES      5
#define REPLAY_BUDGET   8 /* events delivered before interrupts are looked at */
_Static_assert(MAX_ARRAY_PAGES * sizeof(struct guest_area) <= PAGE_SIZE, "array of areas");

/* The event word of port, to be closed by area_close(); NULL when the guest gave no page for it.
 * Queue lock held. */
static event_word_t *word_open(struct evtchn_set *s, uint32_t port)
{
    if (port / WORDS_PER_PAGE >= s->narray)
        return NULL;
    return (event_word_t *)area_open(&s->array[port / WORDS_PER_PAGE]) + port % WORDS_PER_PAGE;
}

static event_word_t word_or(event_word_t *w, event_word_t bits)
{
    return __atomic_fetch_or(w, bits, __ATOMIC_SEQ_CST);
}

static event_word_t word_and(event_word_t *w, event_word_t bits)
{
    return __atomic_fetch_and(w, bits, __ATOMIC_SEQ_CST);
}

/* One change of a port's word under the queue lock; its old value, 0 without a word. */
static event_word_t word_change(struct evtchn_set *s, uint32_t port, event_word_t keep)
{
    spin_guard(queues, &s->queue_lock);
    event_word_t *w = word_open(s, port), old;

    if (!w)
        return 0;
    old = word_and(w, keep);
    area_close(w);
    return old;
}

/*
 * Appends port behind tail. False when tail is in no queue any more: the queue is empty and its
 * head must be set. BUSY tells the guest to leave the word alone; when it does not, the link is
 * given up, as if it had been made: the guest loses its own events.
 */
static bool link_behind(struct evtchn_set *s, uint32_t tail, uint32_t port)
{
    event_word_t *w = word_open(s, tail), old;
    int try;

    if (!w)
        return false;
    old = __atomic_load_n(w, __ATOMIC_SEQ_CST);
    for (try = 0; try < LINK_TRIES && (old & LINKED); try++) {
        event_word_t new = (old & ~(BUSY | EVTCHN_FIFO_LINK_MASK)) | port;

        if (__atomic_compare_exchange_n(w, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            area_close(w);
            return true;
        }
        if (try == 0)
            old = word_or(w, BUSY) | BUSY;
    }
    if (try)
        word_and(w, ~BUSY);
    area_close(w);
    return try == LINK_TRIES;
}

/* Puts a pending event into v's queue, unless it is masked or in one. True: v's upcall is due. */
static bool enqueue(struct domain *d, struct vcpu *v, struct evtchn *c, uint32_t port,
                    event_word_t *w)
{
    uint8_t prio = c->priority;
    struct evtchn_fifo_control_block *cb;
    struct vcpu *last = d->vcpus[c->last_vcpu];
    bool linked, kick;

    if ((__atomic_load_n(w, __ATOMIC_SEQ_CST) & MASKED) || !v->evtchn.control.size ||
        (word_or(w, LINKED) & LINKED))
        return false;
    /* It is in no queue: where it is still taken for the tail, that queue is empty. */
    if (last && last->evtchn.tail[c->last_priority] == port)
        last->evtchn.tail[c->last_priority] = 0;
    c->last_vcpu = (uint8_t)v->arch.id;
    c->last_priority = prio;

    linked = v->evtchn.tail[prio] && link_behind(&d->evtchns, v->evtchn.tail[prio], port);
    v->evtchn.tail[prio] = port;
    if (linked)
        return false;
    cb = area_open(&v->evtchn.control);
    __atomic_store_n(&cb->head[prio], port, __ATOMIC_SEQ_CST);
    kick = !(__atomic_fetch_or(&cb->ready, 1U << prio, __ATOMIC_SEQ_CST) & 1U << prio);
    area_close(cb);
    return kick;
}

bool evtchn_fifo_pending(struct domain *d, struct evtchn *c, uint32_t port, struct vcpu **kick)
{
    struct vcpu *v = d->vcpus[READ_ONCE(c->vcpu)];
    spin_guard(queues, &d->evtchns.queue_lock);
    event_word_t *w = word_open(&d->evtchns, port);
    bool fresh;

    if (!w) {
        c->pending = true;
        return false;
    }
    fresh = !(word_or(w, PENDING) & PENDING);
    if (v && enqueue(d, v, c, port, w))
        *kick = v;
    area_close(w);
    return fresh;
}

bool evtchn_fifo_unmask(struct domain *d, uint32_t port)
{
    return word_change(&d->evtchns, port, ~MASKED) & PENDING;
}

void evtchn_fifo_clear(struct domain *d, struct evtchn *c, uint32_t port)
{
    word_change(&d->evtchns, port, ~PENDING);
    c->pending = false;
}

bool evtchn_fifo_is_pending(struct domain *d, uint32_t port)
{
    return word_change(&d->evtchns, port, ~0U) & PENDING;
}

bool evtchn_fifo_is_linked(struct domain *d, uint32_t port)
{
    return word_change(&d->evtchns, port, ~0U) & LINKED;
}

/*
 * The first control block: from now on d uses FIFO. What is pending stays so in private. Another
 * domain may be sending: it sets the bit and then looks at fifo, here it is the other way round.
 */
static void switch_to_fifo(struct domain *d)
{
    struct evtchn_set *s = &d->evtchns;

    __atomic_store_n(&s->fifo, true, __ATOMIC_SEQ_CST);
    s->limit = EVTCHN_FIFO_NR_CHANNELS;
    for (uint32_t i = 0; i < EVTCHN_2L_NR_CHANNELS / 64; i++) {
        uint64_t bits = __atomic_load_n(&d->shared->evtchn_pending[i], __ATOMIC_SEQ_CST);

        for (; bits; bits &= bits - 1) {
            struct evtchn *c = evtchn_entry(s, i * 64 + (uint32_t)__builtin_ctzl(bits));

            if (c)
                c->pending = true;
        }
    }
}

int evtchn_fifo_init_control(struct vcpu *v, gfn_t gfn, uint32_t offset)
{
    struct domain *d = v->dom;
    struct evtchn_set *s = &d->evtchns;
    int rc;

    if (gfn.val >> GFN_BITS || offset % 8 ||
        offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block))
        return -XEN_EINVAL;
    spin_guard(held, &s->lock);
    spin_guard(queues, &s->queue_lock);
    if (s->dead || v->evtchn.control.size)
        return -XEN_EINVAL;
    if (!s->array && !(s->array = hyp_alloc(0)))
        return -XEN_ENOMEM;
    rc = area_set_gpa(&v->evtchn.control, &d->arch, mk_gpa(gfn_to_gpa(gfn).val + offset),
                      sizeof(struct evtchn_fifo_control_block));
    if (!rc && !s->fifo)
        switch_to_fifo(d);
    return rc;
}

/* Delivers what was raised while its word was missing, a few; the set's lock is held. */
static void replay_some(struct domain *d)
{
    struct evtchn_set *s = &d->evtchns;
    unsigned budget = REPLAY_BUDGET;

    while (s->replay && budget) {
        struct evtchn *c = evtchn_entry(s, s->replay);

        if (c && c->pending && c->state != EVTCHNSTAT_closed) {
            evtchn_deliver_pending(d, c, s->replay);
            budget--;
        }
        if (c)
            c->pending = false;
        s->replay = c && ++s->replay % WORDS_PER_PAGE ? s->replay : 0;
    }
}

/* Adds the page, and the ports in it are to be looked at. */
static int add_page(struct domain *d, gfn_t gfn)
{
    struct evtchn_set *s = &d->evtchns;
    spin_guard(queues, &s->queue_lock);
    int rc;

    if (!s->fifo || s->dead)
        return -XEN_EOPNOTSUPP;
    if (s->narray == MAX_ARRAY_PAGES)
        return -XEN_ENOSPC;
    rc = area_set_gpa(&s->array[s->narray], &d->arch, gfn_to_gpa(gfn), PAGE_SIZE);
    if (rc)
        return rc;
    s->replay = MAX(s->narray * (uint32_t)WORDS_PER_PAGE, 1U); /* there is no port 0 */
    s->replay_gfn = gfn;
    s->narray++;
    return 0;
}

/* While a page's replay is under way a call for that page is its continuation, and others wait. */
int evtchn_fifo_expand(struct domain *d, gfn_t gfn)
{
    struct evtchn_set *s = &d->evtchns;
    int rc = 0;

    if (gfn.val >> GFN_BITS)
        return -XEN_EINVAL;
    spin_guard(held, &s->lock);
    if (!s->replay)
        rc = add_page(d, gfn);
    else if (!gfn_eq(gfn, s->replay_gfn))
        rc = -XEN_ERESTART;
    if (rc)
        return rc;
    replay_some(d);
    return s->replay ? -XEN_ERESTART : 0;
}

void evtchn_fifo_reset(struct domain *d)
{
    struct evtchn_set *s = &d->evtchns;
    spin_guard(queues, &s->queue_lock);

    __atomic_store_n(&s->fifo, false, __ATOMIC_RELEASE);
    s->limit = EVTCHN_2L_NR_CHANNELS;
    s->replay = 0;
    while (s->narray)
        area_clear(&s->array[--s->narray]);
    for (uint32_t i = 0; i < d->nvcpus; i++) {
        struct evtchn_vcpu *e = d->vcpus[i] ? &d->vcpus[i]->evtchn : NULL;

        if (!e)
            continue;
        area_clear(&e->control);
        for (unsigned q = 0; q < ARRAY_SIZE(e->tail); q++)
            e->tail[q] = 0;
    }
    if (s->array)
        hyp_free(s->array, 0);
    s->array = NULL;
}

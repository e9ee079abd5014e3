/* SPDX-License-Identifier: MIT */
/* Event channels against a model, with guests that scribble over everything they can reach. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "tests/unit/check_main.h"
#include "tests/unit/fake_arch.h"
#include "tests/unit/fake_dom.h"

#define FRAMES 16384UL
#define PORTS  160U /* that the model follows */

static struct domain *dom[3]; /* [1] and [2], numbers 1 and 2 */
static uint64_t free_before;

static void start(void)
{
    fake_machine(FRAMES);
    hyp_free(hyp_alloc(0), 0);
    free_before = mem_stats().free;
    dom[1] = fake_domain(1, 2);
    dom[2] = fake_domain(2, 3);
}

static void finish(void)
{
    ck_assert(fake_destroy(dom[1]));
    ck_assert(fake_destroy(dom[2]));
    ck_assert_uint_eq(mem_stats().free, free_before);
    ck_assert_uint_eq(mem_stats().hyp, 0);
}

static long op(unsigned d, unsigned cmd, void *arg)
{
    long rc = evtchn_op(dom[d]->vcpus[0], cmd, mk_gva((uint64_t)arg));

    ck_assert(fake_idle(dom[1]) && fake_idle(dom[2]));
    return rc;
}

static long alloc(unsigned d, domid_t remote, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = remote};
    long rc = op(d, EVTCHNOP_alloc_unbound, &a);

    *port = a.port;
    return rc;
}

static long bind(unsigned d, domid_t remote, evtchn_port_t rport, evtchn_port_t *port)
{
    struct evtchn_bind_interdomain a = {.remote_dom = remote, .remote_port = rport};
    long rc = op(d, EVTCHNOP_bind_interdomain, &a);

    *port = a.local_port;
    return rc;
}

static long ipi(unsigned d, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_ipi a = {.vcpu = vcpu};
    long rc = op(d, EVTCHNOP_bind_ipi, &a);

    *port = a.port;
    return rc;
}

static long on_port(unsigned d, unsigned cmd, evtchn_port_t port)
{
    struct evtchn_send a = {port};

    return op(d, cmd, &a);
}

static bool bit(const xen_ulong_t *words, uint32_t n)
{
    return words[n / 64] >> n % 64 & 1;
}

/* Takes what is pending as a guest does. */
static void ack(unsigned d, evtchn_port_t port)
{
    struct shared_info *s = dom[d]->shared;

    s->evtchn_pending[port / 64] &= ~(1UL << port % 64);
    for (uint32_t i = 0; i < dom[d]->nvcpus; i++)
        s->vcpu_info[i].evtchn_pending_sel = s->vcpu_info[i].evtchn_upcall_pending = 0;
}

START_TEST(two_level)
{
    evtchn_port_t a, b, c;
    struct evtchn_bind_vcpu to = {.vcpu = 2};
    struct shared_info *s;

    start();
    s = dom[2]->shared;
    ck_assert_int_eq(alloc(1, 2, &a), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, a), 0); /* to nobody */
    ck_assert_int_eq(bind(2, 1, a, &b), 0);
    ck_assert(bit(s->evtchn_pending, b)); /* set by the bind */
    ck_assert_int_eq(bind(2, 1, a, &c), -XEN_EINVAL);
    ack(2, b);

    fake_notified = 0;
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, a), 0);
    ck_assert_uint_eq(fake_notified, 1);
    ck_assert(bit(s->evtchn_pending, b) && s->vcpu_info[0].evtchn_upcall_pending == 1);
    ck_assert_uint_eq(s->vcpu_info[0].evtchn_pending_sel, 1UL << b / 64);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, a), 0);
    ck_assert_uint_eq(fake_notified, 1); /* no second edge */

    ack(2, b);
    s->evtchn_mask[0] = 1UL << b;
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, a), 0);
    ck_assert(bit(s->evtchn_pending, b) && !s->vcpu_info[0].evtchn_upcall_pending);
    to.port = b;
    ck_assert_int_eq(op(2, EVTCHNOP_bind_vcpu, &to), 0);
    ck_assert_int_eq(on_port(2, EVTCHNOP_unmask, b), 0);
    ck_assert_uint_eq(fake_notified, 2);
    ck_assert_ptr_eq(fake_last, &dom[2]->vcpus[2]->arch);
    ck_assert(!bit(s->evtchn_mask, b) && s->vcpu_info[2].evtchn_upcall_pending);

    ack(2, b);
    dom[2]->vcpus[2]->upcall_vector = 0xf3;
    fake_raised = 0;
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, a), 0);
    ck_assert_uint_eq(fake_raised, 1);

    /* a sleeper in SCHEDOP_poll wakes for a masked port, too */
    ack(2, b);
    s->evtchn_mask[0] = 1UL << b;
    dom[2]->vcpus[1]->poll = b;
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, a), 0);
    ck_assert_ptr_eq(fake_last, &dom[2]->vcpus[1]->arch);
    ck_assert_uint_eq(dom[2]->vcpus[1]->poll, 0);
    ck_assert(evtchn_is_pending(dom[2], b));
    finish();
}
END_TEST

START_TEST(refusals)
{
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = 1};
    struct evtchn_bind_pirq pirq = {.pirq = 3};
    struct evtchn_alloc_unbound other = {.dom = 2, .remote_dom = 1};
    struct evtchn_set_priority prio = {.port = 1, .priority = 3};
    struct evtchn_expand_array expand = {.array_gfn = 1};
    struct evtchn_status st = {.dom = DOMID_SELF, .port = 0};
    struct bundle_domain *r;
    evtchn_port_t p;

    start();
    r = (struct bundle_domain *)dom[1]->record;
    ck_assert_int_eq(op(1, 99, &p), -XEN_ENOSYS);
    ck_assert_int_eq(op(1, EVTCHNOP_send, NULL), -XEN_EFAULT);
    ck_assert_int_eq(op(1, EVTCHNOP_alloc_unbound, &other), -XEN_EPERM);
    other.dom = 7;
    ck_assert_int_eq(op(1, EVTCHNOP_alloc_unbound, &other), -XEN_ESRCH);
    ck_assert_int_eq(bind(1, 7, 1, &p), -XEN_ESRCH);
    ck_assert_int_eq(bind(1, 2, 1, &p), -XEN_EINVAL);
    ck_assert_int_eq(ipi(1, 2, &p), -XEN_ENOENT);
    for (unsigned cmd = EVTCHNOP_close; cmd <= EVTCHNOP_send; cmd++) {
        ck_assert_int_eq(on_port(1, cmd, 0), -XEN_EINVAL); /* port 0 is reserved */
        ck_assert_int_eq(on_port(1, cmd, 1), -XEN_EINVAL);
        ck_assert_int_eq(on_port(1, cmd, ~0U), -XEN_EINVAL);
    }
    ck_assert_int_eq(op(1, EVTCHNOP_status, &st), 0);
    ck_assert_uint_eq(st.status, EVTCHNSTAT_closed);

    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, virq.port), -XEN_EINVAL);
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), -XEN_EEXIST);
    evtchn_send_virq(dom[1]->vcpus[1], VIRQ_TIMER);
    evtchn_send_virq(dom[1]->vcpus[0], VIRQ_TIMER); /* not bound */
    ck_assert(dom[1]->shared->vcpu_info[1].evtchn_upcall_pending);
    ck_assert(!dom[1]->shared->vcpu_info[0].evtchn_upcall_pending);
    ck_assert_int_eq(on_port(1, EVTCHNOP_close, virq.port), 0);
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), 0);
    virq = (struct evtchn_bind_virq){.virq = VIRQ_TIMER, .vcpu = 2};
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), -XEN_ENOENT);
    virq = (struct evtchn_bind_virq){.virq = NR_VIRQS};
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), -XEN_EINVAL);
    virq = (struct evtchn_bind_virq){.virq = VIRQ_DOM_EXC, .vcpu = 1};
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), -XEN_EINVAL);
    virq.vcpu = 0;
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), -XEN_EPERM);
    ck_assert_int_eq(op(1, EVTCHNOP_bind_pirq, &pirq), -XEN_EPERM);
    r->privileges = BUNDLE_PRIV_CONTROL | BUNDLE_PRIV_SERIAL2;
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), 0);
    ck_assert_int_eq(op(1, EVTCHNOP_bind_pirq, &pirq), 0);
    p = pirq.port;
    ck_assert_int_eq(op(1, EVTCHNOP_bind_pirq, &pirq), -XEN_EEXIST);
    pirq.pirq = 4;
    ck_assert_int_eq(op(1, EVTCHNOP_bind_pirq, &pirq), -XEN_EPERM);
    pirq.pirq = 16;
    ck_assert_int_eq(op(1, EVTCHNOP_bind_pirq, &pirq), -XEN_EINVAL);
    fake_irq(fake_irq_arg);
    ck_assert(evtchn_is_pending(dom[1], p));

    ck_assert_int_eq(op(1, EVTCHNOP_set_priority, &prio), -XEN_ENOSYS);
    prio.priority = 16;
    ck_assert_int_eq(op(1, EVTCHNOP_set_priority, &prio), -XEN_EINVAL);
    ck_assert_int_eq(op(1, EVTCHNOP_expand_array, &expand), -XEN_EOPNOTSUPP);
    finish();
    ck_assert_ptr_null(fake_irq);
}
END_TEST

START_TEST(all_ports)
{
    evtchn_port_t p;

    start();
    for (uint32_t i = 1; i < EVTCHN_2L_NR_CHANNELS; i++) {
        ck_assert_int_eq(alloc(1, 2, &p), 0);
        ck_assert_uint_eq(p, i);
    }
    ck_assert_int_eq(alloc(1, 2, &p), -XEN_ENOSPC);
    ck_assert_int_eq(on_port(1, EVTCHNOP_close, 77), 0);
    ck_assert_int_eq(alloc(1, 2, &p), 0);
    ck_assert_uint_eq(p, 77);
    finish();
}
END_TEST

/* --- the model: what each port should be --- */

struct port {
    uint32_t state, remote, port, vcpu, irq;
};
static struct port model[3][PORTS];

static void check_port(unsigned d, evtchn_port_t p)
{
    struct evtchn_status st = {.dom = DOMID_SELF, .port = p};
    struct port *m = &model[d][p];

    if (op(d, EVTCHNOP_status, &st)) {
        ck_assert_uint_eq(m->state, EVTCHNSTAT_closed);
        return;
    }
    ck_assert_uint_eq(st.status, m->state);
    if (m->state == EVTCHNSTAT_closed)
        return;
    ck_assert_uint_eq(st.vcpu, m->vcpu);
    if (m->state == EVTCHNSTAT_unbound)
        ck_assert_uint_eq(st.u.unbound.dom, m->remote);
    if (m->state == EVTCHNSTAT_interdomain) {
        ck_assert_uint_eq(st.u.interdomain.dom, m->remote);
        ck_assert_uint_eq(st.u.interdomain.port, m->port);
    }
}

static void model_close(unsigned d, evtchn_port_t p)
{
    struct port *m = &model[d][p];

    if (m->state == EVTCHNSTAT_interdomain) {
        model[m->remote][m->port].state = EVTCHNSTAT_unbound;
        model[m->remote][m->port].remote = d;
    }
    m->state = EVTCHNSTAT_closed;
}

static void opened(unsigned d, evtchn_port_t p, struct port m)
{
    ck_assert_uint_lt(p, PORTS);
    ck_assert_uint_ne(p, 0);
    ck_assert_uint_eq(model[d][p].state, EVTCHNSTAT_closed);
    model[d][p] = m;
}

static void random_bind(unsigned d, evtchn_port_t rport)
{
    unsigned other = 1 + (unsigned)rand() % 2;
    struct port *r = &model[other][rport];
    bool ok = r->state == EVTCHNSTAT_unbound && r->remote == d;
    evtchn_port_t p;

    if (bind(d, (domid_t)other, rport, &p)) {
        ck_assert(!ok);
        return;
    }
    ck_assert(ok);
    opened(d, p, (struct port){EVTCHNSTAT_interdomain, other, rport, 0, 0});
    *r = (struct port){EVTCHNSTAT_interdomain, d, p, r->vcpu, 0};
    ck_assert(evtchn_is_pending(dom[d], p));
}

static void random_send(unsigned d, evtchn_port_t p)
{
    struct port *m = &model[d][p];
    bool inter = m->state == EVTCHNSTAT_interdomain, self = m->state == EVTCHNSTAT_ipi;
    bool ok = inter || self || m->state == EVTCHNSTAT_unbound;

    ck_assert_int_eq(on_port(d, EVTCHNOP_send, p), ok ? 0 : -XEN_EINVAL);
    if (inter)
        ck_assert(evtchn_is_pending(dom[m->remote], m->port));
    if (self)
        ck_assert(evtchn_is_pending(dom[d], p));
}

static void random_step(unsigned d, unsigned open)
{
    evtchn_port_t p = (evtchn_port_t)rand() % PORTS;
    struct evtchn_bind_vcpu to = {.port = p, .vcpu = (uint32_t)rand() % dom[d]->nvcpus};
    unsigned remote = 1 + (unsigned)rand() % 2;

    switch (rand() % 8) {
    case 0:
        if (open < PORTS / 2 && !alloc(d, (domid_t)remote, &p))
            opened(d, p, (struct port){EVTCHNSTAT_unbound, remote, 0, 0, 0});
        break;
    case 1:
        if (open < PORTS / 2 && !ipi(d, to.vcpu, &p))
            opened(d, p, (struct port){EVTCHNSTAT_ipi, 0, 0, to.vcpu, 0});
        break;
    case 2:
    case 3:
        if (open < PORTS / 2)
            random_bind(d, p);
        break;
    case 4:
        ck_assert_int_eq(on_port(d, EVTCHNOP_close, p),
                         model[d][p].state == EVTCHNSTAT_closed ? -XEN_EINVAL : 0);
        model_close(d, p);
        break;
    case 5:
        if (!op(d, EVTCHNOP_bind_vcpu, &to))
            model[d][p].vcpu = to.vcpu;
        break;
    case 6:
        on_port(d, EVTCHNOP_unmask, p);
        break;
    default:
        random_send(d, p);
    }
}

static void reset(unsigned d)
{
    struct evtchn_reset r = {.dom = DOMID_SELF};
    long rc;

    do
        rc = op(d, EVTCHNOP_reset, &r);
    while (rc == -XEN_ERESTART);
    ck_assert_int_eq(rc, 0);
}

START_TEST(random_ops)
{
    srand(1000 + (unsigned)_i);
    memset(model, 0, sizeof(model));
    start();
    for (unsigned i = 0; i < 20000; i++) {
        unsigned d = 1 + (unsigned)rand() % 2, open = 0;
        evtchn_port_t p = (evtchn_port_t)rand() % PORTS;

        for (unsigned k = 0; k < PORTS; k++)
            open += model[d][k].state != EVTCHNSTAT_closed;
        random_step(d, open);
        check_port(1, p);
        check_port(2, p);
        for (unsigned w = 0; w < 8; w++) { /* shared words belong to the guest */
            dom[d]->shared->evtchn_mask[w] = (xen_ulong_t)rand() * (xen_ulong_t)rand();
            dom[d]->shared->evtchn_pending[w] = (xen_ulong_t)rand() * (xen_ulong_t)rand();
        }
        if (i % 5000 == 4999) {
            for (unsigned k = 1; k < PORTS; k++)
                model_close(d, k);
            reset(d);
        }
    }
    /* death makes the peers' ends unbound */
    for (unsigned k = 1; k < PORTS; k++)
        model_close(1, k);
    evtchn_free(dom[1]);
    for (evtchn_port_t p = 0; p < PORTS; p++)
        check_port(2, p);
    finish();
}
END_TEST

/* --- FIFO --- */

static struct evtchn_fifo_control_block *control(unsigned d, uint32_t vcpu)
{
    return (void *)fake_frame(fake_ram(dom[d], 40 + vcpu));
}

static event_word_t *word(unsigned d, evtchn_port_t port)
{
    return (event_word_t *)fake_frame(fake_ram(dom[d], 50 + port / 1024)) + port % 1024;
}

static void fifo(unsigned d, unsigned pages)
{
    for (uint32_t i = 0; i < dom[d]->nvcpus; i++) {
        struct evtchn_init_control c = {.control_gfn = 40 + i, .vcpu = i};

        ck_assert_int_eq(op(d, EVTCHNOP_init_control, &c), 0);
        ck_assert_uint_eq(c.link_bits, 17);
        ck_assert_int_eq(op(d, EVTCHNOP_init_control, &c), -XEN_EINVAL);
    }
    for (uint32_t i = 0; i < pages; i++) {
        struct evtchn_expand_array e = {.array_gfn = 50 + i};

        ck_assert_int_eq(op(d, EVTCHNOP_expand_array, &e), 0);
    }
}

/* The guest's side of one queue, by the rules: ports in order, how many. */
static unsigned consume(unsigned d, uint32_t vcpu, unsigned q, evtchn_port_t *got)
{
    struct evtchn_fifo_control_block *cb = control(d, vcpu);
    evtchn_port_t port = cb->head[q];
    unsigned n = 0;

    if (!(cb->ready & 1U << q))
        return 0;
    cb->ready &= ~(1U << q);
    while (port) {
        event_word_t *w = word(d, port), old = *w;

        *w = old & ~(1U << EVTCHN_FIFO_LINKED | EVTCHN_FIFO_LINK_MASK);
        if ((old & 1U << EVTCHN_FIFO_PENDING) && !(old & 1U << EVTCHN_FIFO_MASKED)) {
            *w &= ~(1U << EVTCHN_FIFO_PENDING);
            got[n++] = port;
        }
        port = old & EVTCHN_FIFO_LINK_MASK;
    }
    return n;
}

START_TEST(fifo_queues)
{
    evtchn_port_t port[6], got[16];
    struct evtchn_bind_vcpu to = {.vcpu = 1};
    struct evtchn_set_priority prio = {.priority = 2};

    start();
    ck_assert_int_eq(ipi(1, 0, &port[0]), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[0]), 0);
    fifo(1, 0);
    for (unsigned i = 1; i < 6; i++)
        ck_assert_int_eq(ipi(1, 0, &port[i]), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[1]), 0); /* no word yet */
    dom[1]->shared->vcpu_info[0].evtchn_upcall_pending = 0;
    fake_notified = 0;
    struct evtchn_expand_array e = {.array_gfn = 50};
    ck_assert_int_eq(op(1, EVTCHNOP_expand_array, &e), 0); /* raises what had no word */
    ck_assert_uint_eq(fake_notified, 1);
    ck_assert_uint_eq(consume(1, 0, 7, got), 2);
    ck_assert(got[0] == port[0] && got[1] == port[1]);

    for (unsigned i = 5; i--;)
        ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[i]), 0);
    ck_assert_uint_eq(consume(1, 0, 7, got), 5);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(got[i], port[4 - i]);

    /* masked: pending, not linked, until unmasked */
    *word(1, port[2]) |= 1U << EVTCHN_FIFO_MASKED;
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[2]), 0);
    ck_assert(evtchn_is_pending(dom[1], port[2]));
    ck_assert_uint_eq(consume(1, 0, 7, got), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_unmask, port[2]), 0);
    ck_assert_uint_eq(consume(1, 0, 7, got), 1);

    /* another priority; a closed port that is still queued is not given out again */
    prio.port = port[3];
    ck_assert_int_eq(op(1, EVTCHNOP_set_priority, &prio), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[3]), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[2]), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_close, port[3]), 0);
    ck_assert_int_eq(ipi(1, 0, &to.port), 0);
    ck_assert_uint_ne(to.port, port[3]);
    ck_assert_int_eq(op(1, EVTCHNOP_bind_vcpu, &to), -XEN_EINVAL);
    ck_assert_uint_eq(consume(1, 0, 2, got), 0); /* close took its pending bit */
    ck_assert_int_eq(ipi(1, 0, &to.port), 0);
    ck_assert_uint_eq(to.port, port[3]);
    ck_assert_uint_eq(consume(1, 0, 7, got), 1);

    reset(1);
    ck_assert(!dom[1]->evtchns.fifo);
    ck_assert_int_eq(alloc(1, 2, &to.port), 0);
    ck_assert_uint_eq(to.port, 1);
    finish();
}
END_TEST

/* Every event sent to an unmasked port arrives once, whatever moves and is masked in between. */
START_TEST(fifo_none_lost)
{
    bool due[64] = {false};
    evtchn_port_t a[64], b[64], got[64];

    srand(2000 + (unsigned)_i);
    start();
    fifo(2, 1);
    for (unsigned i = 0; i < 60; i++) {
        ck_assert_int_eq(alloc(1, 2, &a[i]), 0);
        ck_assert_int_eq(bind(2, 1, a[i], &b[i]), 0);
        due[b[i]] = true;
    }
    for (unsigned step = 0; step < 20000; step++) {
        unsigned i = (unsigned)rand() % 60;
        struct evtchn_bind_vcpu to = {.port = b[i], .vcpu = (uint32_t)rand() % 3};
        struct evtchn_set_priority prio = {.port = b[i], .priority = (uint32_t)rand() % 16};
        uint32_t vcpu = (uint32_t)rand() % 3, q = (uint32_t)rand() % 16;

        switch (rand() % 8) {
        case 0:
            ck_assert_int_eq(op(2, EVTCHNOP_bind_vcpu, &to), 0);
            break;
        case 1:
            ck_assert_int_eq(op(2, EVTCHNOP_set_priority, &prio), 0);
            break;
        case 2:
            *word(2, b[i]) |= 1U << EVTCHN_FIFO_MASKED;
            break;
        case 3:
            ck_assert_int_eq(on_port(2, EVTCHNOP_unmask, b[i]), 0);
            break;
        case 4:
        case 5:
            for (unsigned n = consume(2, vcpu, q, got); n--;) {
                ck_assert(due[got[n]]);
                due[got[n]] = false;
            }
            break;
        default:
            ck_assert_int_eq(on_port(1, EVTCHNOP_send, a[i]), 0);
            due[b[i]] = true;
        }
    }
    for (unsigned i = 0; i < 60; i++)
        ck_assert_int_eq(on_port(2, EVTCHNOP_unmask, b[i]), 0);
    for (uint32_t k = 0; k < 3 * 16; k++)
        for (unsigned n = consume(2, k / 16, k % 16, got); n--;)
            due[got[n]] = false;
    for (unsigned i = 0; i < 64; i++)
        ck_assert(!due[i]);
    finish();
}
END_TEST

static bool stop;

static void *scribble(void *arg)
{
    unsigned seed = 5;

    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        volatile uint32_t *cb = (uint32_t *)control(2, (uint32_t)rand_r(&seed) % 3);

        *(volatile event_word_t *)word(2, (evtchn_port_t)rand_r(&seed) % 64) =
            (uint32_t)rand_r(&seed) << 1 | 1U << EVTCHN_FIFO_LINKED;
        *(volatile event_word_t *)word(2, (evtchn_port_t)rand_r(&seed) % 64) ^= 0x55555555;
        cb[rand_r(&seed) % 18] = (uint32_t)rand_r(&seed);
    }
    return NULL;
}

START_TEST(fifo_hostile)
{
    pthread_t thread;
    evtchn_port_t p;

    srand(3000 + (unsigned)_i);
    start();
    fifo(2, 1);
    stop = false;
    pthread_create(&thread, NULL, scribble, NULL);
    for (unsigned step = 0; step < 30000; step++) {
        struct evtchn_set_priority prio = {.port = (uint32_t)rand() % 64,
                                           .priority = (uint32_t)rand() % 16};

        if (step % 4 == 0)
            ipi(2, (uint32_t)rand() % 3, &p);
        op(2, EVTCHNOP_set_priority, &prio);
        on_port(2, EVTCHNOP_send, (evtchn_port_t)rand() % 64);
        on_port(2, EVTCHNOP_unmask, (evtchn_port_t)rand() % 64);
        evtchn_is_pending(dom[2], (uint32_t)rand());
        if (step % 3 == 0)
            on_port(2, EVTCHNOP_close, (evtchn_port_t)rand() % 64);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    finish();
}
END_TEST

/* --- all at once: locks --- */

static void *hammer(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (unsigned i = 0; i < 30000; i++) {
        struct vcpu *v = dom[1 + rand_r(&seed) % 2]->vcpus[rand_r(&seed) % 2];
        uint16_t other = (uint16_t)(1 + rand_r(&seed) % 2);
        union {
            struct evtchn_alloc_unbound alloc;
            struct evtchn_bind_interdomain bind;
            struct evtchn_send send;
        } a = {.send.port = (uint32_t)rand_r(&seed) % 40};
        static const unsigned cmds[] = {EVTCHNOP_close, EVTCHNOP_send, EVTCHNOP_unmask};
        unsigned cmd = cmds[rand_r(&seed) % 3];

        if (rand_r(&seed) % 3 == 0) {
            cmd = EVTCHNOP_alloc_unbound;
            a.alloc = (struct evtchn_alloc_unbound){.dom = DOMID_SELF, .remote_dom = other};
        } else if (rand_r(&seed) % 2) {
            cmd = EVTCHNOP_bind_interdomain;
            a.bind = (struct evtchn_bind_interdomain){.remote_dom = other,
                                                      .remote_port = (uint32_t)rand_r(&seed) % 40};
        }
        evtchn_op(v, cmd, mk_gva((uint64_t)&a));
    }
    return NULL;
}

START_TEST(many_cpus)
{
    pthread_t threads[4];

    start();
    for (uintptr_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    for (evtchn_port_t p = 1; p < dom[1]->evtchns.nports; p++) {
        struct evtchn_status st = {.dom = DOMID_SELF, .port = p}, back = {.dom = DOMID_SELF};

        ck_assert_int_eq(op(1, EVTCHNOP_status, &st), 0);
        if (st.status != EVTCHNSTAT_interdomain)
            continue;
        back.port = st.u.interdomain.port;
        ck_assert_int_eq(op(st.u.interdomain.dom, EVTCHNOP_status, &back), 0);
        ck_assert_uint_eq(back.u.interdomain.port, p);
        ck_assert_uint_eq(back.u.interdomain.dom, 1);
    }
    finish();
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, two_level);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, all_ports);
    tcase_add_loop_test(tc, random_ops, 0, 5);
    tcase_add_test(tc, fifo_queues);
    tcase_add_loop_test(tc, fifo_none_lost, 0, 5);
    tcase_add_loop_test(tc, fifo_hostile, 0, 2);
    tcase_add_test(tc, many_cpus);
}

int main(void)
{
    return check_main("evtchn", fill);
}

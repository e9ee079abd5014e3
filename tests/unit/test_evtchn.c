/* SPDX-License-Identifier: MIT */
/* Event channels against a model, with guests that scribble over everything they can reach. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include "tests/unit/evtchn_ops.h"

#define PORTS 160U /* that the model follows */

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
    struct evtchn_alloc_unbound other = {.dom = 2, .remote_dom = 1};
    struct evtchn_set_priority prio = {.priority = 3};
    struct evtchn_expand_array expand = {.array_gfn = 1};
    struct evtchn_status st = {.dom = DOMID_SELF, .port = 0};
    evtchn_port_t p;

    start();
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

    ck_assert_int_eq(alloc(1, 2, &prio.port), 0);
    ck_assert_int_eq(op(1, EVTCHNOP_set_priority, &prio), -XEN_ENOSYS);
    prio.priority = 16;
    ck_assert_int_eq(op(1, EVTCHNOP_set_priority, &prio), -XEN_EINVAL);
    ck_assert_int_eq(op(1, EVTCHNOP_expand_array, &expand), -XEN_EOPNOTSUPP);
    finish();
}
END_TEST

START_TEST(interrupts)
{
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER, .vcpu = 1};
    struct evtchn_bind_pirq pirq = {.pirq = 3};
    struct bundle_domain *r;
    evtchn_port_t p;

    start();
    r = dom[1]->record;
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
    r->class = BUNDLE_CLASS_XS;
    ck_assert_int_eq(op(1, EVTCHNOP_bind_virq, &virq), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_close, virq.port), 0);
    r->class = BUNDLE_CLASS_CTL;
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
    finish();
    ck_assert_ptr_null(fake_irq);
}
END_TEST

static void may_bind_irq(unsigned d)
{
    dom[d]->record->privileges = BUNDLE_PRIV_SERIAL2;
}

static pthread_t closer;

static void *close_pirq(void *arg)
{
    ck_assert_int_eq(evtchn_op(dom[1]->vcpus[1], EVTCHNOP_close, mk_gva((uint64_t)arg)), 0);
    return NULL;
}

/* Another CPU closes the port, as soon as it can. */
static void close_meanwhile(void)
{
    static struct evtchn_close arg;
    bool waits = spin_is_locked(&dom[1]->evtchns.lock);

    arg.port = dom[1]->evtchns.pirq_port;
    ck_assert_int_eq(pthread_create(&closer, NULL, close_pirq, &arg), 0);
    while (!waits && READ_ONCE(dom[1]->evtchns.nopen))
        sched_yield();
}

START_TEST(irq_close_while_binding)
{
    struct evtchn_bind_pirq pirq = {.pirq = 3};

    start();
    may_bind_irq(1);
    fake_irq_binding = close_meanwhile;
    ck_assert_int_eq(evtchn_op(dom[1]->vcpus[0], EVTCHNOP_bind_pirq, mk_gva((uint64_t)&pirq)), 0);
    ck_assert_int_eq(pthread_join(closer, NULL), 0);
    ck_assert_uint_eq(dom[1]->evtchns.nopen, 0);
    ck_assert_ptr_null(fake_irq);
    finish();
}
END_TEST

START_TEST(irq_of_another)
{
    struct evtchn_bind_pirq pirq = {.pirq = 3};
    evtchn_port_t p;

    start();
    may_bind_irq(1);
    may_bind_irq(2);
    ck_assert_int_eq(op(1, EVTCHNOP_bind_pirq, &pirq), 0);
    p = pirq.port;
    ck_assert_int_eq(op(2, EVTCHNOP_bind_pirq, &pirq), -XEN_EBUSY);
    ck_assert_uint_eq(dom[2]->evtchns.nopen, 0);
    ck_assert_ptr_nonnull(fake_irq);
    fake_irq(fake_irq_arg);
    ck_assert(evtchn_is_pending(dom[1], p));
    ck_assert_int_eq(on_port(1, EVTCHNOP_close, p), 0);
    ck_assert_int_eq(op(2, EVTCHNOP_bind_pirq, &pirq), 0);
    finish();
}
END_TEST

/* A CPU had taken the interrupt before the domain let go of the line. */
START_TEST(irq_of_the_dead)
{
    struct evtchn_bind_pirq pirq = {.pirq = 3};
    void (*fn)(void *arg);
    void *arg;

    start();
    may_bind_irq(1);
    ck_assert_int_eq(op(1, EVTCHNOP_bind_pirq, &pirq), 0);
    fn = fake_irq;
    arg = fake_irq_arg;
    finish();
    ck_assert_ptr_null(fake_irq);
    fn(arg);
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
    while (!evtchn_free_slice(dom[1], 3))
        ;
    for (evtchn_port_t p = 0; p < PORTS; p++)
        check_port(2, p);
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
    pthread_t threads[2]; /* ticket locks: no more threads than CPUs */

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
    tcase_add_test(tc, interrupts);
    tcase_add_test(tc, irq_close_while_binding);
    tcase_add_test(tc, irq_of_another);
    tcase_add_test(tc, irq_of_the_dead);
    tcase_add_test(tc, all_ports);
    tcase_add_loop_test(tc, random_ops, 0, 5);
    tcase_add_test(tc, many_cpus);
}

int main(void)
{
    return check_main("evtchn", fill);
}

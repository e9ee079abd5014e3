/* SPDX-License-Identifier: MIT */
/* FIFO event queues: the guest's side by the rules, and guests that keep to none. */
#include <pthread.h>
#include <stdlib.h>
#include "tests/unit/evtchn_ops.h"

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

/* What waited for a page is delivered a few at a time; calls for another page wait. */
START_TEST(replay_in_pieces)
{
    struct evtchn_expand_array e = {.array_gfn = 50}, other = {.array_gfn = 51};
    evtchn_port_t port[40], got[64];
    unsigned calls = 1;

    start();
    for (unsigned i = 0; i < 40; i++) {
        ck_assert_int_eq(ipi(1, 0, &port[i]), 0);
        ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[i]), 0);
    }
    fifo(1, 0);
    ck_assert_int_eq(op(1, EVTCHNOP_expand_array, &e), -XEN_ERESTART);
    for (unsigned i = 0; i < 40; i++)
        ck_assert_int_eq(op(1, EVTCHNOP_expand_array, &other), -XEN_ERESTART);
    while (op(1, EVTCHNOP_expand_array, &e))
        calls++;
    ck_assert_uint_ge(calls, 3);
    ck_assert_uint_eq(dom[1]->evtchns.narray, 1);
    ck_assert_uint_eq(consume(1, 0, 7, got), 40);
    for (unsigned i = 0; i < 40; i++)
        ck_assert_uint_eq(got[i], port[i]);
    ck_assert_int_eq(op(1, EVTCHNOP_expand_array, &other), 0);
    ck_assert_uint_eq(dom[1]->evtchns.narray, 2);
    finish();
}
END_TEST

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

/* A port that was some queue's last event, closed, and opened again for another queue: what is put
 * into the first one does not end up behind it in the second. */
START_TEST(fifo_reopened)
{
    evtchn_port_t port[3], got[4];

    start();
    fifo(1, 1);
    ck_assert_int_eq(ipi(1, 1, &port[0]), 0);
    ck_assert_int_eq(ipi(1, 1, &port[1]), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[0]), 0);
    ck_assert_uint_eq(consume(1, 1, 7, got), 1);
    ck_assert_int_eq(on_port(1, EVTCHNOP_close, port[0]), 0);
    ck_assert_int_eq(ipi(1, 0, &port[2]), 0);
    ck_assert_uint_eq(port[2], port[0]);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[2]), 0);
    ck_assert_int_eq(on_port(1, EVTCHNOP_send, port[1]), 0);
    ck_assert_uint_eq(consume(1, 1, 7, got), 1);
    ck_assert_uint_eq(got[0], port[1]);
    ck_assert_uint_eq(consume(1, 0, 7, got), 1);
    ck_assert_uint_eq(got[0], port[2]);
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

static void fill(TCase *tc)
{
    tcase_add_test(tc, fifo_queues);
    tcase_add_test(tc, fifo_reopened);
    tcase_add_test(tc, replay_in_pieces);
    tcase_add_loop_test(tc, fifo_none_lost, 0, 5);
    tcase_add_loop_test(tc, fifo_hostile, 0, 2);
}

int main(void)
{
    return check_main("evtchn_fifo", fill);
}

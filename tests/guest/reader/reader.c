/* SPDX-License-Identifier: MIT */
/*
 * Reads the store and writes lines on its console, "count=N" times each: alone, and then beside
 * each of "floods=N" guests that flood, one after the other. All answers are right and all lines
 * come out; what one took, on the average and at worst, is told in ticks of the TSC. What the
 * flooder ran meanwhile is not counted, unless it has another CPU ("apart=1").
 */
#include "tests/guest/flooding.h"
#include "tests/guest/hostile.h"
#include "tests/guest/reader/reader.h"

#include <xen/event_channel.h>
#include <xen/sched.h>
#include "hyp/lib/format.h"

#define GRANT  8U /* the first that the runtime gives */
#define MS     1000000UL
#define ROUNDS 20U   /* of a flood, before it counts */
#define SETTLE 20U   /* ms: what is left to be done when a domain has gone */
#define DRAIN  5000U /* ms: until the host's log is out, on a serial line */
#define FLOODS 32U

static volatile struct flooding *flood; /* NULL: none yet */
static bool apart;

static struct result {
    char beside[16];
    struct cost {
        uint64_t mean, worst, elapsed; /* elapsed: with the flooder's, on the average */
    } read, line;
} results[1 + FLOODS];
static unsigned nresults;

void reader_sleep(uint32_t port)
{
    evtchn_port_t ports[] = {port};
    sched_poll_t poll = {.nr_ports = 1};

    set_xen_guest_handle(poll.ports, ports);
    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
    __atomic_and_fetch(&rt_shared.evtchn_pending[port / 64], ~(1UL << port % 64), __ATOMIC_SEQ_CST);
}

static void sleep_ms(uint64_t ms)
{
    sched_poll_t poll = {.timeout = rt_now() + ms * MS};

    HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

static uint64_t ticks(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}

struct moment {
    uint64_t ticks, ns, flooder; /* flooder: ns that it ran */
};

static struct moment moment(void)
{
    return (struct moment){ticks(), rt_now(),
                           flood && !apart ? flood->runstate.time[RUNSTATE_running] : 0};
}

/* Ticks since then, without the flooder's. */
static uint64_t since(struct moment then)
{
    struct moment now = moment();
    uint64_t flooder = now.flooder - then.flooder, ns = now.ns - then.ns;

    return (now.ticks - then.ticks) - (now.ticks - then.ticks) * flooder / MAX(ns, 1UL);
}

static struct cost measure(uint64_t count, bool (*once)(uint64_t n))
{
    struct moment from = moment(), begin;
    struct cost c = {0};
    uint64_t right = 0;

    for (uint64_t i = 0; i < count; i++) {
        begin = moment();
        right += once(i);
        c.worst = MAX(c.worst, since(begin));
    }
    c.mean = since(from) / count;
    c.elapsed = (ticks() - from.ticks) / count;
    EQUAL(right, count);
    return c;
}

static bool read_once(uint64_t n)
{
    (void)n;
    return read_store();
}

static bool line_once(uint64_t n)
{
    char line[64];

    format(line, sizeof(line), "line %lu beside %s\n", n, results[nresults].beside);
    read_console(line);
    return true;
}

static void work(const char *beside, uint64_t count)
{
    struct result *r = &results[nresults];

    for (unsigned i = 0; i < sizeof(r->beside) - 1 && beside[i]; i++)
        r->beside[i] = beside[i];
    r->read = measure(count, read_once);
    r->line = measure(count, line_once);
    nresults++;
}

static void print(const char *beside, const char *what, const struct cost *c)
{
    rt_print("bench %s-%s %lu\n", beside, what, c->mean);
    rt_print("bench %s-%s-worst %lu\n", beside, what, c->worst);
    rt_print("bench %s-%s-elapsed %lu\n", beside, what, c->elapsed);
}

/* Its page, when it is there. */
static void *map(uint16_t flooder, uint32_t *handle)
{
    void *page;
    int status;

    while (!(page = rt_grant_map(flooder, GRANT, handle, &status)))
        sleep_ms(1);
    return page;
}

static void beside(uint16_t flooder, uint64_t count)
{
    uint32_t handle;
    void *page = map(flooder, &handle);
    int port;

    flood = page;
    port = rt_bind_interdomain(flooder, flood->port);
    TRUE(port > 0);
    flood->want = FLOODING_GO;
    rt_notify((uint32_t)port);
    while (flood->rounds < ROUNDS)
        sleep_ms(1);
    work((const char *)flood->name, count);
    flood->want = FLOODING_END;
    flood = NULL;
    rt_grant_unmap(page, handle);
    rt_close((uint32_t)port);
    while (rt_bind_interdomain(flooder, 0) != -XEN_ESRCH)
        sleep_ms(1);
    sleep_ms(SETTLE);
}

void probe_main(void)
{
    uint64_t count = hostile_option("count", 10), floods = hostile_option("floods", 0);
    uint32_t handle;

    apart = hostile_option("apart", 0);
    EQUAL(rt_domid(), READER);
    TRUE(floods <= FLOODS);
    read_store_init();
    read_console_init();
    for (uint64_t i = 1; i <= floods; i++)
        rt_grant_unmap(map((uint16_t)(READER + i), &handle), handle);
    work("nobody", count);
    for (uint64_t i = 1; i <= floods; i++)
        beside((uint16_t)(READER + i), count);
    if (!hostile_option("figures", 0))
        return;
    sleep_ms(DRAIN);
    for (unsigned i = 0; i < nresults; i++) {
        print(results[i].beside, "read", &results[i].read);
        print(results[i].beside, "line", &results[i].line);
    }
}

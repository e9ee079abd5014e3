/* SPDX-License-Identifier: MIT */
/* bl top: who has how much of the CPUs between two looks. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tools/bl.h"
#include "tools/domlist.h"
#include "tools/host.h"
#include "tools/table.h"
#include "tools/rawmode.h"
#include "tools/units.h"

#define HEADER_LINES 4

static const char *delay = "2", *iterations;
static unsigned batch;

struct look {
    struct bh_host_info host;
    struct domlist domains;
};

static bool take(struct look *l)
{
    host_info(&l->host);
    return domlist_read(&l->domains, 0, NULL);
}

/* CPU time of the same domain at the look before; of a new one, and one of ours that has been
 * restarted: nothing. */
static uint64_t time_before(const struct look *before, const struct bh_domain_info *d)
{
    for (unsigned i = 0; i < before->domains.n; i++)
        if (before->domains.list[i].domid == d->domid &&
            before->domains.list[i].cpu_time <= d->cpu_time)
            return before->domains.list[i].cpu_time;
    return 0;
}

static void row(const struct look *before, const struct look *now, const struct bh_domain_info *d)
{
    double passed = (double)(now->host.uptime - before->host.uptime);
    double used = (double)(d->cpu_time - time_before(before, d));
    double all = now->host.memory ? (double)now->host.memory / 100 : 1;
    char letters[DOMLIST_LETTERS];

    domlist_letters(d, letters);
    table_text(d->name);
    table_text(letters);
    table_scaled(d->cpu_time, 1000000000);
    table_real(passed > 0 ? 100 * used / passed : 0, 1);
    table_scaled(d->memory, 1024);
    table_real((double)d->memory / all, 1);
    table_scaled(d->memory_max, 1024);
    table_real((double)d->memory_max / all, 1);
    table_number(d->vcpus);
}

static void table(const struct look *before, const struct look *now, unsigned most)
{
    static const struct table_column columns[] = {
        {"NAME", "name", -20},           {"STATE", "state", 6},
        {"CPU(sec)", "cpu_time_ns", 10}, {"CPU(%)", "cpu_percent", 6},
        {"MEM(k)", "memory", 10},        {"MEM(%)", "memory_percent", 6},
        {"MAXMEM(k)", "memory_max", 10}, {"MAXMEM(%)", "memory_max_percent", 9},
        {"VCPUS", "vcpus", 5},           {NULL, NULL, 0}};

    table_begin(columns);
    for (unsigned i = 0; i < now->domains.n && i < most; i++)
        row(before, now, &now->domains.list[i]);
    table_end();
}

/* What xentop has above its table. */
static void header(const struct look *l)
{
    unsigned counts[BH_DOMAIN_ZOMBIE + 1] = {0}, paused = 0, crashed = 0;
    const struct bh_host_info *h = &l->host;
    char up[UNITS_DURATION];

    for (unsigned i = 0; i < l->domains.n; i++) {
        const struct bh_domain_info *d = &l->domains.list[i];

        counts[d->state <= BH_DOMAIN_ZOMBIE ? d->state : 0]++;
        paused += !!(d->flags & BH_DOMAIN_PAUSED);
        crashed += domlist_crashed(d);
    }
    units_duration(h->uptime, up);
    printf("%s: Bulkhead %s, up %s\n", h->name, h->build, up);
    printf("%u domains: %u running, %u paused, %u shut down, %u crashed, %u dying\n", l->domains.n,
           counts[BH_DOMAIN_RUNNING] - paused, paused, counts[BH_DOMAIN_SHUTDOWN], crashed,
           counts[BH_DOMAIN_ZOMBIE]);
    printf("Mem: %luk total, %luk used, %luk free    CPUs: %u @ %luMHz\n", h->memory >> 10,
           (h->memory - h->memory_free) >> 10, h->memory_free >> 10, h->cpus, h->tsc_khz / 1000);
}

static unsigned lines(void)
{
    struct winsize w;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_row <= HEADER_LINES + 1)
        return ~0U;
    return w.ws_row - HEADER_LINES - 1U;
}

/* False: q was pressed. */
static bool sleep_ms(uint64_t ms, bool live)
{
    struct pollfd in = {live ? STDIN_FILENO : -1, POLLIN, 0};
    char c;

    if (poll(&in, 1, (int)ms) <= 0)
        return true;
    return read(STDIN_FILENO, &c, 1) == 1 && c != 'q' && c != 'Q';
}

static int looks(uint64_t ms, uint64_t n, bool live)
{
    struct look before, now;
    bool ok = take(&before);

    for (uint64_t i = 0; ok && i < n; i++) {
        /* The first picture comes at once on a terminal. */
        if ((i || !live) && !sleep_ms(ms, live))
            break;
        ok = take(&now);
        if (live) {
            printf("\033[H\033[J");
            header(&now);
            putchar('\n');
        }
        table(&before, &now, live ? lines() : ~0U);
        domlist_free(&before.domains);
        before = now;
        if (fflush(stdout))
            break; /* main() says why */
    }
    domlist_free(&before.domains);
    return ok ? EXIT_OK : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    bool live = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !batch && !bl_json;
    uint64_t ms, n = live ? ~0UL : 1;
    int rc;

    (void)argc;
    (void)argv;
    if (!units_seconds(delay, &ms) || !ms || ms > 3600000)
        return bl_usage("top", "'%s' is no number of seconds; up to 3600", delay);
    if (iterations && !units_number(iterations, 1, UINT32_MAX, &n))
        return bl_usage("top", "'%s' is no number of pictures", iterations);
    if (live)
        rawmode_begin(true);
    rc = looks(ms, n, live);
    rawmode_end();
    return rc;
}

static const struct opt opts[] = {
    {'d', "delay", "SECONDS", "from one picture to the next; 2", &delay, NULL},
    {'b', "batch", NULL, "tables below each other, as when stdout is no terminal", NULL, &batch},
    {'i', "iterations", "NUMBER", "so many pictures; 1 when stdout is no terminal", &iterations,
     NULL},
    {0},
};

const struct command cmd_top = {
    .name = "top",
    .operands = "",
    .purpose = "show who uses the CPUs, again and again; q leaves it",
    .opts = opts,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
#include "hyp/x86/watch.h"

#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/cpu.h"

struct part {
    uint64_t ticks, code;
    const char *what;
    char who[64];
};

static struct watch {
    uint64_t since, noted;
    struct part now, most; /* of a stretch: what is done, and what took longest */
} watches[MAX_CPUS];

static struct part longest;
static uint64_t longest_ticks;
static struct spinlock lock;

uint64_t watch_limit;

/* The part that ends now counts as the stretch's if none has taken longer. */
static void end_part(struct watch *w, uint64_t tsc)
{
    w->now.ticks = tsc - w->noted;
    w->noted = tsc;
    if (w->now.ticks > w->most.ticks)
        w->most = w->now;
}

void watch_start(void)
{
    struct watch *w = &watches[this_cpu()->id];

    w->now.what = "turn";
    w->now.code = 0;
    w->now.who[0] = '\0';
    w->most.ticks = 0;
    w->since = w->noted = rdtsc();
}

void watch_note(const char *what, uint64_t code, const char *who)
{
    struct watch *w = &watches[this_cpu()->id];
    size_t n = who ? strnlen(who, sizeof(w->now.who) - 1) : 0;

    end_part(w, rdtsc());
    w->now.what = what;
    w->now.code = code;
    if (n)
        memcpy(w->now.who, who, n);
    w->now.who[n] = '\0';
}

void watch_stop(void)
{
    struct watch *w = &watches[this_cpu()->id];
    uint64_t tsc = rdtsc(), ticks = tsc - w->since;

    if (!w->since)
        return;
    w->since = 0;
    if (ticks <= READ_ONCE(longest_ticks) && !(watch_limit && ticks > watch_limit))
        return;
    end_part(w, tsc);
    spin_lock(&lock);
    if (ticks > longest_ticks) {
        longest_ticks = ticks;
        longest = w->most;
    }
    spin_unlock(&lock);
    if (watch_limit && ticks > watch_limit)
        log_line("watch: %s %lu of %s took %lu instructions, %lu with all around it", w->most.what,
                 w->most.code, w->most.who, w->most.ticks, ticks);
}

void watch_report(void)
{
    log_line("watch: longest: %s %lu of %s, %lu of %lu instructions", longest.what, longest.code,
             longest.who, longest.ticks, longest_ticks);
}

/* SPDX-License-Identifier: MIT */
/*
 * The ring holds text not yet written to the sink: head and tail run freely. When it is full the
 * oldest text stays and the new line is counted as lost: what led to trouble matters more. Domains'
 * lines leave a part of the ring alone, so that no flood of theirs hides what the hypervisor says,
 * and one domain's leave as much as they take, so that none hides what another says.
 */
#include "hyp/lib/log.h"

#include "hyp/lib/format.h"
#include "hyp/lib/lock.h"

#define RING_SIZE   65536U
#define LINE_SIZE   256
#define PUMP_BYTES  16 /* a UART's FIFO */
#define LIMIT_LINES 10
#define RESERVE     16384U /* of the ring, for the hypervisor's own lines */
#define SECOND      1000000000UL

static struct spinlock lock;
static struct log_sink sink;
static char ring[RING_SIZE];
static uint64_t head, tail; /* bytes since boot */
static uint64_t lost;
static bool synchronous = true;

void log_init(const struct log_sink *s)
{
    sink = *s;
}

static uint64_t now(void)
{
    return sink.now ? sink.now() : 0;
}

static void pump_locked(uint32_t budget)
{
    while (head != tail && budget && sink.out) {
        uint32_t at = tail % RING_SIZE;
        uint32_t n = MIN(MIN((uint32_t)(head - tail), RING_SIZE - at), budget);

        n = (uint32_t)sink.out(&ring[at], n);
        if (!n)
            return;
        tail += n;
        budget -= n;
    }
}

static void store(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ring[head++ % RING_SIZE] = text[i];
}

/* Bytes of a domain that wait. */
static uint64_t waiting(const struct log_share *share)
{
    return share->end > tail ? MIN(share->bytes, share->end - tail) : 0;
}

/* Room for a line; share: a domain's, NULL: the hypervisor's. */
static uint64_t room(const struct log_share *share)
{
    uint64_t all = RING_SIZE - (head - tail), not_for_it;

    if (!share)
        return all;
    not_for_it = RESERVE + waiting(share);
    return all > not_for_it ? all - not_for_it : 0;
}

static void emit_locked(const char *stamp, size_t nstamp, const char *text, size_t n,
                        struct log_share *share)
{
    char note[64];
    size_t need = nstamp + n + 1;
    int len;

    if (room(share) < need + sizeof(note)) {
        lost++;
        return;
    }
    if (lost) {
        len = format(note, sizeof(note), "(%lu log lines lost)\n", lost);
        store(note, (size_t)len);
        lost = 0;
    }
    store(stamp, nstamp);
    store(text, n);
    store("\n", 1);
    if (share)
        *share = (struct log_share){.end = head, .bytes = waiting(share) + need};
    while (synchronous && sink.out && head != tail)
        pump_locked(RING_SIZE);
}

static void emit(const char *text, size_t n, struct log_share *share)
{
    char stamp[40];
    uint64_t t = now();
    int nstamp = format(stamp, sizeof(stamp), "[%5lu.%06lu] ", t / SECOND, t % SECOND / 1000);

    while (n && text[n - 1] == '\n')
        n--;
    spin_guard(held, &lock);
    emit_locked(stamp, (size_t)nstamp, text, n, share);
}

static void emit_v(const char *fmt, va_list ap)
{
    char text[LINE_SIZE];
    int n = format_v(text, sizeof(text), fmt, ap);

    emit(text, MIN((size_t)n, sizeof(text) - 1), NULL);
}

void log_line(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    emit_v(fmt, ap);
    va_end(ap);
}

void log_domain(struct log_share *share, const char *name, const char *text, size_t len)
{
    char line[LINE_SIZE];

    do {
        size_t n = (size_t)format(line, sizeof(line), "[%s] ", name);
        size_t part = MIN(len, sizeof(line) - n);

        for (size_t i = 0; i < part; i++)
            line[n + i] = (text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f ? '?' : text[i];
        emit(line, n + part, share);
        text += part;
        len -= part;
    } while (len);
}

void log_limited(struct log_limit *limit, const char *fmt, ...)
{
    uint64_t t = now();
    va_list ap;

    if (t - limit->window >= SECOND) {
        if (limit->dropped)
            log_line("(%u lines like the next were dropped)", limit->dropped);
        *limit = (struct log_limit){.window = t};
    }
    if (limit->count >= LIMIT_LINES) {
        limit->dropped++;
        return;
    }
    limit->count++;
    va_start(ap, fmt);
    emit_v(fmt, ap);
    va_end(ap);
}

bool log_pump(void)
{
    uint64_t before;
    bool moved;

    if (!log_pending() || !spin_trylock(&lock))
        return false;
    before = tail;
    pump_locked(PUMP_BYTES);
    moved = tail != before;
    spin_unlock(&lock);
    return moved;
}

void log_sync(bool on)
{
    spin_guard(held, &lock);

    synchronous = on;
    while (on && sink.out && head != tail)
        pump_locked(RING_SIZE);
}

size_t log_read(uint64_t *from, char *buf, size_t n)
{
    size_t got = 0;
    spin_guard(held, &lock);

    *from = MIN(MAX(*from, head - MIN(head, (uint64_t)RING_SIZE)), head);
    while (got < n && *from + got < head) {
        buf[got] = ring[(*from + got) % RING_SIZE];
        got++;
    }
    return got;
}

bool log_pending(void)
{
    return READ_ONCE(head) != READ_ONCE(tail);
}

void log_break_lock(void)
{
    lock = (struct spinlock){0, 0};
}

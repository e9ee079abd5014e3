/* SPDX-License-Identifier: MIT */
/*
 * The host log: formatted lines with a time stamp, kept in a ring and sent to the sinks (first
 * serial port, port 0xE9). A panic flushes the ring and then writes synchronously.
 */
#ifndef BH_LIB_LOG_H
#define BH_LIB_LOG_H

#include "hyp/lib/util.h"

/* Writes one line "[seconds.micros] text"; a newline is added when missing. */
void log_line(const char *fmt, ...) __printf(1, 2);

/* What of a domain's text waits to be sent: at most so many bytes, the last of which is before end
 * (as counted since boot). Zero at first. */
struct log_share {
    uint64_t end;
    uint64_t bytes;
};

/* A line of a domain's own text: "[name] text" of length len, non-printing bytes shown as '?'. It
 * is lost when more of that domain's would wait than there is room left for others. */
void log_domain(struct log_share *share, const char *name, const char *text, size_t len);

/* A refusal: at most 10 lines a second per caller-provided budget, then a count of what was
 * dropped. */
struct log_limit {
    uint64_t window; /* ns, start of the current second */
    uint32_t count, dropped;
};
void log_limited(struct log_limit *limit, const char *fmt, ...) __printf(2, 3);

/*
 * The lower end. out() writes n bytes and returns how many it took (0: busy); now() is the time in
 * ns since boot. log_pump() moves a piece of the ring to out() and is called from the idle loop and
 * the timer; false: out() took nothing. log_sync(true) makes every write synchronous (boot, panic).
 */
struct log_sink {
    size_t (*out)(const char *text, size_t n);
    uint64_t (*now)(void);
};
void log_init(const struct log_sink *sink);
bool log_pump(void);
void log_sync(bool on);
bool log_pending(void);
/*
 * Copies at most n bytes of the log, as counted since boot from *from on, or from the first that is
 * still there: that one's number comes back. How many.
 */
size_t log_read(uint64_t *from, char *buf, size_t n);

/* Breaks the log lock (panic only). */
void log_break_lock(void);

/* Prints registers and a stack trace, halts every CPU. Implemented in hyp/x86/panic.c. */
void panic(const char *fmt, ...) __noreturn __printf(1, 2);

/* For what the code itself proves, never for input. */
#define ASSERT(c)                                                                                  \
    do {                                                                                           \
        if (unlikely(!(c)))                                                                        \
            panic("assertion '%s' failed at %s:%d", #c, __FILE__, __LINE__);                       \
    } while (0)

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The consoles of all domains: what a domain writes goes to the host log line by line, and into a
 * history from which any number of viewers read, each at its own pace. A domain gets the room in
 * its ring back when a line is in the log; so when we die, who comes after us reads the rest again.
 */
#ifndef BH_CTL_CONSOLES_H
#define BH_CTL_CONSOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drvdom/ctl/conring.h"
#include "drvdom/ctl/line.h"
#include "hyp/abi/control.h"

#define CONSOLE_PAGES   4U
#define CONSOLE_HISTORY (CONSOLE_PAGES * 4096UL)

struct viewer;

struct console {
    struct console *next; /* by domain number */
    struct conring ring;
    struct line line;
    uint32_t unlogged; /* bytes of the ring that the line is made of */
    bool untold;       /* it has been given room back, and not been told */
    uint32_t domid, port, handle;
    bool seen;   /* in this scan */
    bool mapped; /* false: the domain has gone, and only its last words remain */
    struct viewer *viewers;
    uint64_t end; /* bytes that it ever wrote */
    char *history[CONSOLE_PAGES];
    char name[64];
};
_Static_assert(sizeof(struct console) <= 4096, "a console is a page");

/* One who reads a console; the domain waits for it while it takes something now and then. */
struct viewer {
    struct viewer *next;
    struct console *of; /* NULL: of none */
    uint64_t at;        /* next byte it has not seen */
    uint64_t moved;     /* ns: when it last took something, or had seen everything */
};

extern struct console *consoles; /* all, by domain number */

/*
 * A look at the hypervisor's list: begin, each domain, end. consoles_scan() gives the console that
 * it has made, or NULL.
 */
void consoles_scan_begin(void);
struct console *consoles_scan(const struct bh_domain_info *d);
void consoles_scan_end(void);
/* Takes some of what each domain has written, as far as the viewers let it. True: something has
 * moved. */
bool consoles_serve(void);
/* Something waits for a viewer. */
bool consoles_wait(void);
/* The console of this domain, dead or alive; NULL: it has none. */
struct console *consoles_find(uint32_t domid);
/* Gives at most n bytes of input to the domain: how many it had room for. */
size_t console_type(struct console *c, const char *bytes, size_t n);

/* From now on v reads c: what will come, and before it what is still there if history is set. */
void viewer_attach(struct viewer *v, struct console *c, bool history);
void viewer_detach(struct viewer *v);
/* How much v has missed for good; it is skipped. */
uint64_t viewer_lost(struct viewer *v);
/* At most n bytes that v has not seen, after viewer_lost(). */
size_t viewer_read(struct viewer *v, char *bytes, size_t n);
/* True: the domain has gone and v has seen its last word. */
bool viewer_at_end(const struct viewer *v);

#endif

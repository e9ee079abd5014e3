/* SPDX-License-Identifier: MIT */
/* Windows onto guest memory (mm/arch.h), in line: most of a copy to or from a guest is to aim them. */
#ifndef BH_X86_WINDOW_H
#define BH_X86_WINDOW_H

#include "hyp/lib/log.h"
#include "hyp/x86/cpu.h"
#include "hyp/x86/layout.h"
#include "mm/arch.h"

/* One of this CPU's. It shows nothing until it is aimed at a frame: its first byte. */
struct window {
    uint64_t *entry;
    uint8_t *at;
};
#define WINDOW_FLAGS 0x8000000000000063UL /* present, writable, accessed, dirty, no execution */

extern uint64_t *paging_windows; /* SLOT_DEPTH entries for each CPU */

static inline struct window window_at(const struct cpu *c, unsigned depth)
{
    unsigned i = c->id * SLOT_DEPTH + depth;

    return (struct window){&paging_windows[i], (uint8_t *)(SLOT_BASE + i * PAGE_SIZE)};
}

static inline struct window window_open(void)
{
    struct cpu *c = this_cpu();

    ASSERT(c->slot_depth < SLOT_DEPTH);
    return window_at(c, c->slot_depth++);
}

static inline void window_close(struct window w)
{
    --this_cpu()->slot_depth;
    WRITE_ONCE(*w.entry, 0);
    invlpg(w.at);
}

static inline uint8_t *window_aim(struct window w, hfn_t f)
{
    WRITE_ONCE(*w.entry, hfn_to_hpa(f).val | WINDOW_FLAGS);
    invlpg(w.at);
    return w.at;
}

#endif

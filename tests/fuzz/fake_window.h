/* SPDX-License-Identifier: MIT */
/* In place of hyp/x86/window.h, which is for the CPU: included before it, by -include. */
#ifndef BH_X86_WINDOW_H
#define BH_X86_WINDOW_H

#include "mm/arch.h"

struct window {
    uint8_t *at;
};

static inline struct window window_open(void)
{
    return (struct window){arch_slot_map(mk_hfn(1))};
}

static inline void window_close(struct window w)
{
    arch_slot_unmap(w.at);
}

static inline uint8_t *window_aim(struct window w, hfn_t f)
{
    uint8_t *p = arch_slot_map(f);

    (void)w;
    arch_slot_unmap(p);
    return p;
}

#endif

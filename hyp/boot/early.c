/* SPDX-License-Identifier: MIT */
#include "hyp/boot/early.h"

#include "hyp/lib/util.h"

#define CHUNK     (PAGE_SIZE << ORDER_2M)
#define REACHABLE (1UL << 32) /* what the boot page tables map */

static bool touches(const struct multiboot_region *r, uint32_t n, uint64_t a)
{
    for (uint32_t i = 0; i < n; i++)
        if (a < r[i].end && a + CHUNK > r[i].start)
            return true;
    return false;
}

uint64_t early_chunk(const struct multiboot_info *info, struct multiboot_region *used,
                     uint32_t *nused, uint32_t max)
{
    uint64_t best = 0;

    if (*nused == max)
        return 0;
    for (uint32_t i = 0; i < info->nram; i++) {
        const struct multiboot_region *r = &info->ram[i];
        uint64_t a = ROUND_DOWN(MIN(r->end, REACHABLE), CHUNK);

        while (a >= r->start + CHUNK && a > CHUNK) {
            a -= CHUNK;
            if (!touches(used, *nused, a)) {
                best = MAX(best, a);
                break;
            }
        }
    }
    if (best)
        used[(*nused)++] = (struct multiboot_region){best, best + CHUNK};
    return best;
}

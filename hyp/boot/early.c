/* SPDX-License-Identifier: MIT */
#include "hyp/boot/early.h"

#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/layout.h"
#include "hyp/x86/paging.h"
#include "mm/frame.h"

#define CHUNK       (PAGE_SIZE << ORDER_2M)
#define LOW_MEMORY  (1UL << 20) /* firmware's and the start of other CPUs: never allocated */
#define REACHABLE   (1UL << 32) /* what the boot page tables map */
#define MAX_USED    1024
#define TABLE_CHUNK (CHUNK / sizeof(struct frame)) /* frames whose entries fill a chunk */

extern uint8_t image_start[], image_end[];

static struct multiboot_region used[MAX_USED];
static uint32_t nused;

static void use(uint64_t start, uint64_t end)
{
    used[nused++] = (struct multiboot_region){start, ROUND_UP(end, PAGE_SIZE)};
}

static bool is_used(uint64_t chunk)
{
    for (uint32_t i = 0; i < nused; i++)
        if (chunk < used[i].end && chunk + CHUNK > used[i].start)
            return true;
    return false;
}

/* The highest chunk of RAM that nobody uses. */
static uint64_t chunk(const struct multiboot_info *info)
{
    uint64_t best = 0;

    for (uint32_t i = 0; i < info->nram; i++) {
        const struct multiboot_region *r = &info->ram[i];
        uint64_t a = ROUND_DOWN(MIN(r->end, REACHABLE), CHUNK);

        while (a >= r->start + CHUNK && a > CHUNK) {
            a -= CHUNK;
            if (!is_used(a)) {
                best = MAX(best, a);
                break;
            }
        }
    }
    if (!best || nused == MAX_USED)
        panic("no 2 MiB of memory left for the hypervisor's own tables");
    use(best, best + CHUNK);
    return best;
}

static uint64_t ram_end(const struct multiboot_info *info)
{
    uint64_t end = 0;

    for (uint32_t i = 0; i < info->nram; i++)
        end = MAX(end, info->ram[i].end);
    return end;
}

/* Is there RAM in part i of the frame table? */
static bool has_ram(const struct multiboot_info *info, uint64_t i)
{
    uint64_t from = i * TABLE_CHUNK, to = from + TABLE_CHUNK;

    for (uint32_t k = 0; k < info->nram; k++)
        if (info->ram[k].start >> PAGE_SHIFT < to && from << PAGE_SHIFT < info->ram[k].end)
            return true;
    return false;
}

static void give_to_allocator(const struct multiboot_info *info)
{
    for (uint32_t i = 0; i < nused; i++)
        mem_reserve(hpa_to_hfn(mk_hpa(used[i].start)), (used[i].end - used[i].start) >> PAGE_SHIFT);
    for (uint32_t i = 0; i < info->nram; i++) {
        uint64_t start = MAX(info->ram[i].start, LOW_MEMORY), end = info->ram[i].end;

        if (start < end)
            mem_add(hpa_to_hfn(mk_hpa(start)), (end - start) >> PAGE_SHIFT);
    }
}

uint64_t early_memory(const struct multiboot_info *info)
{
    uint64_t end = ram_end(info), frames = end >> PAGE_SHIFT, size = 0;
    uint64_t parts = ROUND_UP(frames, TABLE_CHUNK) / TABLE_CHUNK;
    const char *wrong;

    use((uint64_t)image_start - HYP_BASE, (uint64_t)image_end - HYP_BASE);
    if (info->bundle.end)
        use(info->bundle.start, info->bundle.end);
    wrong = paging_init(mk_hpa(chunk(info)), end);
    if (wrong)
        panic("%s", wrong);
    for (uint64_t i = 0; i < parts; i++) {
        if (has_ram(info, i)) {
            paging_map_frames((unsigned)i, mk_hpa(chunk(info)));
            size += CHUNK;
        } else {
            paging_map_no_frames((unsigned)i);
        }
    }
    paging_switch();
    for (uint64_t i = 0; i < parts; i++)
        if (has_ram(info, i))
            memset((uint8_t *)FRAMES_BASE + i * CHUNK, 0, CHUNK);
    mem_init((struct frame *)FRAMES_BASE, frames);
    give_to_allocator(info);
    return size;
}

/* SPDX-License-Identifier: MIT */
#include "hyp/x86/paging.h"

#include "hyp/lib/string.h"
#include "hyp/lib/util.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/window.h"
#include "mm/frame.h"

#define PTE_PRESENT  0x001UL
#define PTE_WRITE    0x002UL
#define PTE_UNCACHED 0x018UL /* PCD, PWT */
#define PTE_DIRTY    0x060UL /* accessed and dirty, so that the CPU need not write them */
#define PTE_LARGE    0x080UL
#define PTE_NX       (1UL << 63)
#define PTE_ADDR     0x000ffffffffff000UL
#define DATA         (PTE_PRESENT | PTE_WRITE | PTE_DIRTY | PTE_NX)
#define CONST        (PTE_PRESENT | PTE_DIRTY | PTE_NX)
#define CODE         (PTE_PRESENT | PTE_DIRTY)

#define CHUNK_SIZE   (PAGE_SIZE << ORDER_2M)
#define STACK_STRIDE ((STACK_PAGES + 1) * PAGE_SIZE) /* with the guard page below */
#define CPU_STACKS   4UL                             /* main, #DF, NMI, #MC */

extern uint8_t image_start[], image_rodata[], image_data[], image_symbols[], image_end[];
extern uint8_t boot_stack_bottom[], boot_stack_top[];

uint64_t paging_root[512] __aligned(PAGE_SIZE);
static uint64_t pool_base, pool_next; /* physical */
static uint64_t pool_offset;          /* virtual - physical of table pages */
static uint64_t io_next = IO_BASE;
uint64_t *paging_windows;
static uint32_t unmapped;            /* chunks, ever */
static uint32_t refreshed[MAX_CPUS]; /* its value at each CPU's last flush */
_Static_assert(WINDOW_FLAGS == DATA, "a window is data");
_Static_assert(MAX_CPUS *SLOT_DEPTH == 512, "windows fill one table");

static uint64_t *table_page(void)
{
    uint64_t a = pool_next;

    ASSERT(a < pool_base + CHUNK_SIZE);
    pool_next += PAGE_SIZE;
    return (uint64_t *)(a + pool_offset);
}

static uint64_t *next_table(uint64_t *entry)
{
    if (!*entry)
        *entry = ((uint64_t)table_page() - pool_offset) | PTE_PRESENT | PTE_WRITE | PTE_DIRTY;
    return (uint64_t *)((*entry & PTE_ADDR) + pool_offset);
}

/* The entry for va at level (0: 4 KiB, 1: 2 MiB), tables made as needed. */
static uint64_t *entry_for(uint64_t va, unsigned level)
{
    uint64_t *table = paging_root;

    for (unsigned l = 3; l > level; l--)
        table = next_table(&table[va >> (12 + 9 * l) & 511]);
    return &table[va >> (12 + 9 * level) & 511];
}

static void map_pages(uint64_t va, uint64_t pa, uint64_t n, uint64_t flags)
{
    for (uint64_t i = 0; i < n; i++)
        *entry_for(va + i * PAGE_SIZE, 0) = (pa + i * PAGE_SIZE) | flags;
}

static void map_section(const uint8_t *start, const uint8_t *end, uint64_t flags)
{
    uint64_t n = ROUND_UP((uint64_t)(end - start), PAGE_SIZE) / PAGE_SIZE;

    map_pages((uint64_t)start, (uint64_t)start - HYP_BASE, n, flags);
}

const char *paging_init(hpa_t pool, uint64_t ram_end)
{
    uint64_t directories = ROUND_UP(ram_end, 1UL << 30) >> 30;

    if (directories > 512 - 64)
        return "more RAM than 448 GiB";
    pool_base = pool_next = pool.val;
    memset((void *)pool.val, 0, CHUNK_SIZE);
    map_section(image_start, image_rodata, CODE);
    map_section(image_rodata, image_data, CONST);
    map_section(image_data, image_symbols, DATA);
    map_section(image_symbols, image_end, CONST);
    for (uint64_t gib = 0; gib < directories; gib++)
        entry_for(DIRECT_BASE + (gib << 30), 1);
    paging_windows = entry_for(SLOT_BASE, 0);
    *entry_for(DIRECT_BASE + pool.val, 1) = pool.val | DATA | PTE_LARGE;
    return NULL;
}

void paging_switch(void)
{
    uint64_t direct = DIRECT_BASE;

    WRITE_CR(3, (uint64_t)paging_root - HYP_BASE);
    if (!pool_offset) {
        pool_offset = direct;
        paging_windows = (uint64_t *)((uint64_t)paging_windows + direct);
    }
}

void paging_map_frames(unsigned i, hpa_t a)
{
    *entry_for(FRAMES_BASE + i * CHUNK_SIZE, 1) = a.val | DATA | PTE_LARGE;
}

/* All of them are FRAME_ABSENT, which is zero. */
void paging_map_no_frames(unsigned i)
{
    static const uint8_t zero[PAGE_SIZE] __aligned(PAGE_SIZE);
    static uint64_t *table;
    uint64_t *entry = entry_for(FRAMES_BASE + i * CHUNK_SIZE, 1);

    if (!table) {
        table = table_page();
        for (unsigned k = 0; k < 512; k++)
            table[k] = hva_to_hpa(zero).val | CONST;
    }
    *entry = ((uint64_t)table - pool_offset) | PTE_PRESENT | PTE_WRITE | PTE_DIRTY;
}

uint64_t paging_map_stack(unsigned cpu, unsigned n)
{
    uint64_t va = STACK_BASE + (cpu * CPU_STACKS + n) * STACK_STRIDE + PAGE_SIZE;

    for (unsigned i = 0; i < STACK_PAGES; i++) {
        void *page = hyp_alloc(0);

        if (!page)
            return 0;
        map_pages(va + i * PAGE_SIZE, hfn_to_hpa(arch_hva_to_hfn(page)).val, 1, DATA);
    }
    return va + STACK_PAGES * PAGE_SIZE;
}

bool paging_on_stack(uint64_t va, size_t n)
{
    uint64_t at = va - STACK_BASE, offset = at % STACK_STRIDE;

    if (va >= (uint64_t)boot_stack_bottom && va < (uint64_t)boot_stack_top)
        return n <= (uint64_t)boot_stack_top - va;
    return va >= STACK_BASE && at / STACK_STRIDE / CPU_STACKS == this_cpu()->id &&
           offset >= PAGE_SIZE && n <= STACK_STRIDE - offset;
}

bool paging_in_guard(uint64_t va)
{
    uint64_t at = va - STACK_BASE;

    return va >= STACK_BASE && at < MAX_CPUS * CPU_STACKS * STACK_STRIDE &&
           at % STACK_STRIDE < PAGE_SIZE;
}

void *map_io(hpa_t a, size_t n, bool uncached)
{
    uint64_t offset = a.val % PAGE_SIZE, pages = ROUND_UP(offset + n, PAGE_SIZE) / PAGE_SIZE;
    uint64_t va = io_next;

    map_pages(va, a.val - offset, pages, uncached ? DATA | PTE_UNCACHED : CONST);
    io_next += (pages + 1) * PAGE_SIZE; /* a hole between two mappings */
    return (void *)(va + offset);
}

hpa_t hva_to_hpa(const void *p)
{
    uint64_t va = (uint64_t)p;

    if (va >= HYP_BASE)
        return mk_hpa(va - HYP_BASE);
    if (va < FRAMES_BASE)
        return mk_hpa(va - DIRECT_BASE);
    return mk_hpa((*entry_for(va, 0) & PTE_ADDR) + va % PAGE_SIZE);
}

void arch_chunk_map(hfn_t chunk)
{
    *entry_for(DIRECT_BASE + hfn_to_hpa(chunk).val, 1) = hfn_to_hpa(chunk).val | DATA | PTE_LARGE;
}

void arch_chunk_unmap(hfn_t chunk)
{
    uint64_t va = DIRECT_BASE + hfn_to_hpa(chunk).val;

    *entry_for(va, 1) = 0;
    invlpg((void *)va);
    __atomic_fetch_add(&unmapped, 1, __ATOMIC_RELEASE);
}

void paging_refresh(void)
{
    uint32_t now = __atomic_load_n(&unmapped, __ATOMIC_ACQUIRE);

    if (now == refreshed[this_cpu()->id])
        return;
    refreshed[this_cpu()->id] = now;
    WRITE_CR(3, READ_CR(3));
}

void *arch_hfn_to_hva(hfn_t f)
{
    return (void *)(DIRECT_BASE + hfn_to_hpa(f).val);
}

hfn_t arch_hva_to_hfn(const void *p)
{
    return hpa_to_hfn(mk_hpa((uint64_t)p - DIRECT_BASE));
}

void *arch_slot_map(hfn_t f)
{
    return window_aim(window_open(), f);
}

void arch_slot_unmap(void *p)
{
    struct cpu *c = this_cpu();
    struct window w = window_at(c, c->slot_depth - 1);

    ASSERT((uint64_t)p - (uint64_t)w.at < PAGE_SIZE);
    window_close(w);
}

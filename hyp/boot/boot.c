/* SPDX-License-Identifier: MIT */
/* The whole boot order on one screen: boot_main() at the end. */
#include "hyp/boot/early.h"
#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/acpi.h"
#include "hyp/x86/apic.h"
#include "hyp/x86/layout.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/paging.h"
#include "hyp/x86/time.h"
#include "hyp/x86/trap.h"
#include "mm/frame.h"

#define CHUNK       (PAGE_SIZE << ORDER_2M)
#define LOW_MEMORY  (1UL << 20) /* firmware's and the start of other CPUs: never allocated */
#define MAX_USED    1024
#define TABLE_CHUNK (CHUNK / sizeof(struct frame)) /* frames whose entries fill a chunk */

extern uint8_t image_start[], image_end[];
void boot_main(uint32_t magic, uint32_t info);
uintptr_t __stack_chk_guard = 0x9d3f00ba5eb0a7ULL;
void __stack_chk_fail(void) __noreturn;

static struct multiboot_info info;
static struct multiboot_region used[MAX_USED];
static uint32_t nused;
static uint64_t frame_table_size; /* bytes */

void __stack_chk_fail(void)
{
    panic("stack overrun in the caller of %p", __builtin_return_address(0));
}

/* The command line: words; an unknown one is told and ignored. */
static void read_options(const char *at)
{
    static const char reboot[] = "panic=reboot";

    while (*at) {
        size_t n = 0;

        while (at[n] && at[n] != ' ')
            n++;
        if (n == sizeof(reboot) - 1 && !memcmp(at, reboot, n))
            panic_reboots = true;
        else if (n)
            log_line("unknown option on the command line: %.*s (known: panic=reboot)", (int)n, at);
        at += n + (at[n] == ' ');
    }
}

static void use(uint64_t start, uint64_t end)
{
    used[nused++] = (struct multiboot_region){start, ROUND_UP(end, PAGE_SIZE)};
}

static uint64_t ram_end(void)
{
    uint64_t end = 0;

    for (uint32_t i = 0; i < info.nram; i++)
        end = MAX(end, info.ram[i].end);
    return end;
}

static uint64_t chunk(void)
{
    uint64_t a = early_chunk(&info, used, &nused, MAX_USED);

    if (!a)
        panic("no 2 MiB of memory left for the hypervisor's own tables");
    return a;
}

/* Final page tables, then the frame table and the allocator behind them. */
static void memory_init(void)
{
    uint64_t end = ram_end(), pool, frames = end >> PAGE_SHIFT;
    uint64_t parts = ROUND_UP(frames, TABLE_CHUNK) / TABLE_CHUNK;
    const char *wrong;

    use((uint64_t)image_start - HYP_BASE, (uint64_t)image_end - HYP_BASE);
    if (info.bundle.end)
        use(info.bundle.start, info.bundle.end);
    pool = chunk();
    wrong = paging_init(mk_hpa(pool), end);
    if (wrong)
        panic("%s", wrong);
    for (uint64_t i = 0; i < parts; i++)
        paging_map_frames((unsigned)i, mk_hpa(chunk()));
    paging_switch();
    frame_table_size = parts * CHUNK;
    memset((void *)FRAMES_BASE, 0, frame_table_size);
    mem_init((struct frame *)FRAMES_BASE, frames);
    for (uint32_t i = 0; i < nused; i++)
        mem_reserve(hpa_to_hfn(mk_hpa(used[i].start)), (used[i].end - used[i].start) >> PAGE_SHIFT);
    for (uint32_t i = 0; i < info.nram; i++) {
        uint64_t start = MAX(info.ram[i].start, LOW_MEMORY);

        if (start < info.ram[i].end)
            mem_add(hpa_to_hfn(mk_hpa(start)), (info.ram[i].end - start) >> PAGE_SHIFT);
    }
}

static void stacks_init(struct cpu *c)
{
    uint64_t stacks[STACKS];

    for (unsigned i = 0; i < STACKS; i++) {
        stacks[i] = paging_map_stack(c->id, i);
        if (!stacks[i])
            panic("no memory for the stacks of CPU %u", c->id);
    }
    c->stack_top = stacks[STACK_MAIN];
    trap_init(c, stacks);
}

static void firmware_init(void)
{
    const char *wrong = acpi_init(info.rsdp);

    if (wrong)
        log_line("%s: one CPU, no power-off", wrong);
    time_init();
}

static void report(void)
{
    struct mem_stats m = mem_stats();

    log_line("Bulkhead, %u CPU(s) listed, TSC %u kHz%s", acpi.ncpus, tsc_khz,
             features.invariant_tsc ? "" : ", not invariant");
    log_line("memory: %lu frames, %lu free, %lu KiB taken, %lu KiB of it frame table", m.total,
             m.free, (m.total - m.free) * PAGE_SIZE / 1024, frame_table_size / 1024);
}

void boot_main(uint32_t magic, uint32_t multiboot)
{
    static const uint64_t no_stacks[STACKS];
    const char *wrong;

    trap_init(&cpus[0], no_stacks);
    cpus[0].online = true;
    uart_init();
    cpu_detect();
    if (!features.nx)
        panic("this CPU has no NX");
    cpu_protect();
    __stack_chk_guard ^= rdtsc() << 8;
    wrong = multiboot_parse(magic, (const void *)(uint64_t)multiboot, &info);
    if (wrong)
        panic("multiboot2: %s", wrong);
    read_options(info.cmdline);
    memory_init();
    stacks_init(&cpus[0]);
    firmware_init();
    apic_init();
    report();
    if (!info.bundle.end) {
        log_line("no bundle: nothing to run");
        power_off();
    }
    panic("bundle at %lx: the domain builder is not part of this build", info.bundle.start);
}

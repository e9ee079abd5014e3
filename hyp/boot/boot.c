/* SPDX-License-Identifier: MIT */
/* The whole boot order on one screen: boot_main() at the end. */
#include "hyp/abi/version.h"
#include "hyp/boot/early.h"
#include "hyp/dom/dom.h"
#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/acpi.h"
#include "hyp/x86/apic.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/smp.h"
#include "hyp/x86/spec.h"
#include "hyp/x86/time.h"
#include "hyp/x86/trap.h"
#include "hyp/x86/vendor.h"
#include "hyp/x86/watch.h"
#include "mm/frame.h"

#define LOW_END 0xa0000UL /* of RAM below 1 MiB */

extern const uint64_t boot_tsc; /* at the first instruction */
void boot_main(uint32_t magic, uint32_t multiboot);
void boot_switch_stack(uint64_t top, void (*fn)(void)) __noreturn;
uintptr_t __stack_chk_guard = 0x9d3f00ba5eb0a700ULL;
void __stack_chk_fail(void) __noreturn;

static struct multiboot_info info;
static uint64_t frame_table_size; /* bytes */

void __stack_chk_fail(void)
{
    panic("stack overrun in the caller of %p", __builtin_return_address(0));
}

/* watch=N */
static bool is_watch(const char *at, size_t n)
{
#ifdef BH_DEBUG
    static const char name[] = "watch=";

    if (n < sizeof(name) || memcmp(at, name, sizeof(name) - 1))
        return false;
    for (size_t i = sizeof(name) - 1; i < n && at[i] >= '0' && at[i] <= '9'; i++)
        watch_limit = watch_limit * 10 + (uint64_t)(at[i] - '0');
    return true;
#else
    (void)at;
    (void)n;
    return false;
#endif
}

static void read_option(const char *at, size_t n)
{
    static const char reboot[] = "panic=reboot";

    if (n == sizeof(reboot) - 1 && !memcmp(at, reboot, n))
        panic_reboots = true;
    else if (!is_watch(at, n))
        log_line("unknown option on the command line: %.*s (known: panic=reboot)", (int)n, at);
}

/* The command line: words; an unknown one is told and ignored. */
static void read_options(const char *at)
{
    while (*at) {
        size_t n = 0;

        while (at[n] && at[n] != ' ')
            n++;
        if (n)
            read_option(at, n);
        at += n + (at[n] == ' ');
    }
}

/* A page below 640 KiB for the first steps of other CPUs; 0: there is none. */
static uint64_t low_page(void)
{
    uint64_t best = 0;

    for (uint32_t i = 0; i < info.nram; i++) {
        uint64_t end = MIN(info.ram[i].end, LOW_END);

        if (end > info.ram[i].start + PAGE_SIZE)
            best = MAX(best, end - PAGE_SIZE);
    }
    return best;
}

/* What the hypervisor cannot do without: a line that says what is missing, and the end. */
static void need(const char *missing)
{
    if (!missing)
        return;
    log_line("this machine cannot run guests: %s; halted", missing);
    uart_drain();
    cpu_halt();
}

static void firmware_init(void)
{
    const char *wrong = acpi_init(info.rsdp);

    if (wrong)
        log_line("%s: one CPU, no power-off", wrong);
    need(time_init(boot_tsc) ? NULL : "no PM timer, PIT or CPUID leaf 0x15 to measure time with");
    apic_init();
    irq_init();
    timer_init_cpu();
}

static void report(void)
{
    struct mem_stats m = mem_stats();
    uint32_t name[13] = {0};

    for (uint32_t i = 0; i < 3; i++)
        *(struct cpuid *)&name[(size_t)4 * i] = cpuid(0x80000002 + i, 0);
    log_line("Bulkhead " BH_VERSION " on %s", (char *)name);
    log_line("%u CPU(s) listed, TSC %u kHz%s, features:%s%s%s%s%s%s", acpi.ncpus, tsc_khz,
             features.invariant_tsc ? "" : " (not invariant)", features.x2apic ? " x2apic" : "",
             features.tsc_deadline ? " deadline" : "", features.smep ? " smep" : "",
             features.smap ? " smap" : "", features.xsave ? " xsave" : "",
             features.page1g ? " 1G" : "");
    log_line("memory: %lu frames, %lu free, %lu KiB taken, %lu KiB of it frame table", m.total,
             m.free, (m.total - m.free) * PAGE_SIZE / 1024, frame_table_size / 1024);
}

static void cpus_init(void)
{
    uint64_t page = low_page();

    need(vendor_init());
    need(vendor->cpu_on(this_cpu()));
    spec_init();
    spec_cpu_on();
    if (page)
        smp_start(mk_hpa(page), cpu_run_loop);
    else
        log_line("no memory below 640 KiB: one CPU");
    log_line("%s, %u CPU(s) online%s%s", vendor->name, ncpus, vendor->used(),
             features.tsc_fraction ? ", TSC scaling" : "");
}

/* On the boot CPU's final stack. */
static void start(void)
{
    trap_init(&cpus[0], smp_stacks(0));
    firmware_init();
    report();
    if (!info.bundle.end) {
        log_line("no bundle: nothing to run");
        power_off();
    }
    cpus_init();
    domains_boot(mk_hpa(info.bundle.start), info.bundle.end - info.bundle.start);
    log_sync(false);
    smp_release();
    cpu_run_loop();
}

static void guard_init(void)
{
    uint64_t random = rdtsc() * 0x9e3779b97f4a7c15;

    if (cpuid(1, 0).c >> 30 & 1)
        __asm__ volatile("rdrand %0" : "=r"(random) : : "cc");
    __stack_chk_guard ^= random << 8; /* the low byte ends strings */
}

void boot_main(uint32_t magic, uint32_t multiboot)
{
    static const uint64_t no_stacks[STACKS];
    const uint64_t *stacks;
    const char *wrong;

    trap_init(&cpus[0], no_stacks);
    cpus[0].online = true;
    uart_init();
    cpu_detect();
    if (!features.nx)
        panic("this CPU has no NX");
    cpu_protect();
    guard_init();
    wrong = multiboot_parse(magic, (const void *)(uint64_t)multiboot, &info);
    if (wrong)
        panic("multiboot2: %s", wrong);
    read_options(info.cmdline);
    frame_table_size = early_memory(&info);
    stacks = smp_stacks(0);
    if (!stacks)
        panic("no memory for stacks");
    cpus[0].stack_top = stacks[STACK_MAIN];
    boot_switch_stack(cpus[0].stack_top, start);
}

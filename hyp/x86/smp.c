/* SPDX-License-Identifier: MIT */
#include "hyp/x86/smp.h"

#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/acpi.h"
#include "hyp/x86/apic.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/paging.h"
#include "hyp/x86/spec.h"
#include "hyp/x86/trap.h"
#include "hyp/x86/vendor.h"
#include "mm/arch.h"

#define ICR_INIT     0x4500
#define ICR_SIPI     0x4600
#define INIT_WAIT_NS 10000000UL
#define SIPI_WAIT_NS 1000000UL
#define LONG_WAIT_NS 1000000000UL /* an emulator may be slow */
#define MAX_XAPIC_ID 254U

extern const uint8_t trampoline_start[], trampoline_end[];
void smp_main(struct cpu *c) __noreturn;

/*
 * The stack for the CPU being started, the address of its struct cpu on top; whoever exchanges it
 * for 0 has it: a CPU that comes after its time finds nothing and stops.
 */
uint64_t smp_claim;

static uint64_t stacks[MAX_CPUS][STACKS];
static bool ready, released;   /* written by the new CPU; by the boot CPU */
static const char *wrong;      /* why the new CPU cannot be used */
static uint64_t tsc_of_new;    /* when it came */
static void (*run_loop)(void); /* never returns */

const uint64_t *smp_stacks(uint32_t cpu)
{
    for (unsigned i = 0; i < STACKS; i++) {
        if (!stacks[cpu][i])
            stacks[cpu][i] = paging_map_stack(cpu, i);
        if (!stacks[cpu][i])
            return NULL;
    }
    return stacks[cpu];
}

/* Entered from trampoline.S, on the new CPU's own stack. */
void smp_main(struct cpu *c)
{
    bool usable;

    cpu_protect();
    trap_init(c, stacks[c->id]);
    apic_init();
    timer_init_cpu();
    wrong = vendor->cpu_on(c);
    spec_cpu_on();
    usable = !wrong;
    c->online = usable;
    tsc_of_new = rdtsc();
    __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
    if (!usable) /* stacks and struct cpu go to the next one: touch nothing */
        cpu_halt();
    while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
        cpu_idle();
    run_loop();
    panic("the run loop returned");
}

static bool wait_ready(uint64_t ns)
{
    uint64_t until = now_ns() + ns;

    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE) && now_ns() < until)
        cpu_relax();
    return ready;
}

/* NULL, or why c cannot be used. */
static const char *start(struct cpu *c, hpa_t trampoline)
{
    uint32_t sipi = ICR_SIPI | (uint32_t)(trampoline.val >> PAGE_SHIFT);
    uint64_t top = c->stack_top - sizeof(struct cpu *);

    *(struct cpu **)top = c;
    ready = false;
    __atomic_store_n(&smp_claim, top, __ATOMIC_RELEASE);
    apic_send(c->apic_id, ICR_INIT);
    wait_ready(INIT_WAIT_NS);
    apic_send(c->apic_id, sipi);
    if (!wait_ready(SIPI_WAIT_NS) && READ_ONCE(smp_claim)) {
        apic_send(c->apic_id, sipi);
        wait_ready(LONG_WAIT_NS);
    }
    if (__atomic_exchange_n(&smp_claim, 0, __ATOMIC_ACQ_REL))
        return "did not start";
    while (!wait_ready(LONG_WAIT_NS)) /* it has the stack: nothing else may be done with it */
        log_line("CPU with APIC ID %u: late", c->apic_id);
    return wrong;
}

static void start_one(uint32_t apic_id, hpa_t trampoline)
{
    struct cpu *c = &cpus[ncpus];
    const uint64_t *tops = smp_stacks(ncpus);
    uint64_t before = rdtsc();
    const char *why;

    if (!tops) {
        why = "no memory";
    } else if (!features.x2apic && apic_id > MAX_XAPIC_ID) {
        why = "needs x2APIC mode";
    } else {
        *c = (struct cpu){.id = ncpus, .apic_id = apic_id, .stack_top = tops[STACK_MAIN]};
        why = start(c, trampoline);
    }
    if (why) {
        log_line("CPU with APIC ID %u: %s", apic_id, why);
        return;
    }
    if (tsc_of_new < before || tsc_of_new > rdtsc())
        log_line("CPU %u: its TSC is not in step: time may go backwards", c->id);
    ncpus++;
}

void smp_start(hpa_t trampoline, void (*loop)(void))
{
    uint8_t *page = arch_slot_map(hpa_to_hfn(trampoline));

    /* cppcheck-suppress comparePointers ; the assembler puts one piece of code between the names */
    memcpy(page, trampoline_start, (size_t)(trampoline_end - trampoline_start));
    arch_slot_unmap(page);
    run_loop = loop;
    /* The boot CPU may be one of those that were not listed any more. */
    for (uint32_t i = 0; i < acpi.ncpus && ncpus < MAX_CPUS; i++)
        if (acpi.apic_ids[i] != this_cpu()->apic_id)
            start_one(acpi.apic_ids[i], trampoline);
    if (acpi.more_cpus)
        log_line("%u more CPU(s) are beyond the limit of %u", acpi.more_cpus, MAX_CPUS);
}

void smp_release(void)
{
    __atomic_store_n(&released, true, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < ncpus; i++)
        if (i != this_cpu()->id)
            apic_send_event(i);
}

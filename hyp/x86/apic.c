/* SPDX-License-Identifier: MIT */
/* The local APIC, in x2APIC mode where the CPU has it (SDM vol. 3 ch. 11). */
#include "hyp/x86/apic.h"

#include "hyp/x86/apicreg.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/regs.h"

#define APIC_BASE_ON   0x800UL
#define APIC_BASE_X2   0x400UL
#define LVT_NMI        0x400
#define SVR_ON         0x100
#define ICR_BUSY       0x1000
#define ICR_ASSERT     0x4000
#define ICR_ALL_BUT_ME 0xc0000
#define ICR_NMI        0x400
#define XAPIC_SIZE     0x400

static volatile uint32_t *xapic; /* NULL: x2APIC mode */
static bool on;                  /* on the boot CPU at least */

uint32_t apic_read(unsigned reg)
{
    return xapic ? xapic[4UL * reg] : (uint32_t)rdmsr(MSR_X2APIC + reg);
}

void apic_write(unsigned reg, uint32_t v)
{
    if (xapic)
        xapic[4UL * reg] = v;
    else
        wrmsr(MSR_X2APIC + reg, v);
}

void apic_send(uint32_t apic_id, uint32_t command)
{
    if (!xapic) {
        /* WRMSR to x2APIC registers waits for no earlier store, nor for MFENCE: SDM 11.12.3 */
        memory_barrier();
        __asm__ volatile("lfence" : : : "memory");
        wrmsr(MSR_X2APIC + APIC_ICR, (uint64_t)apic_id << 32 | command);
        return;
    }
    while (apic_read(APIC_ICR) & ICR_BUSY)
        cpu_relax();
    apic_write(APIC_ICR + 1, apic_id << 24);
    apic_write(APIC_ICR, command);
}

void apic_init(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    if (features.x2apic)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_ON | APIC_BASE_X2);
    else if (!xapic)
        xapic = map_io(mk_hpa(base & PAGE_MASK & ((1UL << 52) - 1)), XAPIC_SIZE, true);
    apic_write(APIC_TPR, 0);
    apic_write(APIC_LVT_LINT0, LVT_MASKED); /* the old interrupt controller */
    apic_write(APIC_LVT_LINT1, LVT_NMI);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
    apic_write(APIC_SVR, SVR_ON | VECTOR_SPURIOUS);
    this_cpu()->apic_id = apic_read(APIC_ID) >> (xapic ? 24 : 0);
    on = true;
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

void apic_send_event(uint32_t cpu)
{
    apic_send(cpus[cpu].apic_id, ICR_ASSERT | VECTOR_EVENT);
}

void apic_halt_others(void)
{
    if (on)
        apic_send(0, ICR_ALL_BUT_ME | ICR_ASSERT | ICR_NMI);
}

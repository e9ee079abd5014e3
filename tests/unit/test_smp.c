/* SPDX-License-Identifier: MIT */
/* Other CPUs are started: as many as there is room for, whatever the firmware's list. */
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hyp/x86/acpi.h"
#include "tests/unit/check_main.h"

#include "hyp/x86/smp.c"

__asm__(".globl trampoline_start, trampoline_end\ntrampoline_start:\n.byte 0\ntrampoline_end:");
struct cpu cpus[MAX_CPUS];
uint32_t ncpus = 1;
struct cpu_features features = {.x2apic = true};
struct acpi_info acpi;
const struct vendor *vendor;

static uint8_t page[PAGE_SIZE];
static uint64_t now, stack[MAX_CPUS][STACKS][2];

uint64_t now_ns(void)
{
    return now += 100000;
}

uint64_t paging_map_stack(unsigned cpu, unsigned n)
{
    ck_assert_uint_lt(cpu, MAX_CPUS);
    return (uint64_t)&stack[cpu][n][1];
}

void *arch_slot_map(hfn_t f)
{
    (void)f;
    return page;
}

void arch_slot_unmap(void *p)
{
    ck_assert_ptr_eq(p, page);
}

/* As smp_main() on that CPU. */
void apic_send(uint32_t apic_id, uint32_t command)
{
    (void)apic_id;
    if ((command & ICR_SIPI) != ICR_SIPI)
        return;
    smp_claim = 0;
    tsc_of_new = rdtsc();
    ready = true;
}

void apic_send_event(uint32_t cpu)
{
    (void)cpu;
}

void apic_init(void)
{
}

void cpu_protect(void)
{
}

void timer_init_cpu(void)
{
}

void spec_cpu_on(void)
{
}

void cpu_idle(void)
{
}

void trap_init(struct cpu *c, const uint64_t *tops)
{
    (void)c, (void)tops;
}

void panic(const char *fmt, ...)
{
    ck_abort_msg("%s", fmt);
}

void log_line(const char *fmt, ...)
{
    (void)fmt;
}

static void list(uint32_t n, uint32_t first_id, uint32_t boot_id)
{
    cpus[0].self = &cpus[0];
    cpus[0].apic_id = boot_id;
    syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[0]);
    acpi.ncpus = n;
    for (uint32_t i = 0; i < n; i++)
        acpi.apic_ids[i] = first_id + i;
    smp_start(mk_hpa(0x8000), NULL);
}

START_TEST(all_but_the_boot_cpu)
{
    list(4, 0, 2);
    ck_assert_uint_eq(ncpus, 4);
    ck_assert_uint_eq(cpus[1].apic_id, 0);
    ck_assert_uint_eq(cpus[3].apic_id, 3);
}
END_TEST

/* It is behind the last that was listed. */
START_TEST(boot_cpu_not_listed)
{
    list(MAX_CPUS, 1, 0);
    ck_assert_uint_eq(ncpus, MAX_CPUS);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, all_but_the_boot_cpu);
    tcase_add_test(tc, boot_cpu_not_listed);
}

int main(void)
{
    return check_main("smp", fill);
}

/* SPDX-License-Identifier: MIT */
#include "hyp/x86/trap.h"

#include "hyp/lib/log.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/regs.h"

#define VECTORS         256
#define STUB_SIZE       16UL
#define GATE_INTERRUPT  0x8e00U
#define TSS_AVAILABLE   0x89UL
#define VECTOR_NMI      2
#define VECTOR_DF       8
#define FIRST_INTERRUPT 32

struct gate {
    uint16_t offset0, selector;
    uint8_t ist, type;
    uint16_t offset1;
    uint32_t offset2, reserved;
};

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3], reserved1, ist[7], reserved2;
    uint16_t reserved3, io_map;
} __packed;
_Static_assert(sizeof(struct tss) == 104, "TSS");

struct extable_entry {
    uint64_t at, to;
};

extern uint8_t trap_stubs[];
extern const struct extable_entry extable_start[], extable_end[];
void trap_handle(struct trap_frame *f);

static uint64_t gdts[MAX_CPUS][5];
static struct tss tsses[MAX_CPUS];
static struct gate idt[VECTORS];
static void (*handlers[VECTORS])(uint8_t vector);

/* Of the vectors that have one. */
static const uint8_t stack_of[VECTORS] = {
    [VECTOR_DF] = STACK_DOUBLE_FAULT,
    [VECTOR_NMI] = STACK_NMI,
    [VECTOR_MC] = STACK_MACHINE_CHECK,
};

static void idt_fill(bool with_stacks)
{
    for (unsigned v = 0; v < VECTORS; v++) {
        uint64_t target = (uint64_t)trap_stubs + v * STUB_SIZE;

        idt[v] = (struct gate){
            .offset0 = (uint16_t)target,
            .selector = SEL_CODE,
            .ist = with_stacks ? stack_of[v] : 0,
            .type = GATE_INTERRUPT >> 8,
            .offset1 = (uint16_t)(target >> 16),
            .offset2 = (uint32_t)(target >> 32),
        };
    }
}

void trap_init(struct cpu *c, const uint64_t *stacks)
{
    struct tss *tss = &tsses[c->id];
    uint64_t *gdt = gdts[c->id], base = (uint64_t)tss;
    struct table_register gdtr = {sizeof(gdts[0]) - 1, (uint64_t)gdt}, idtr;

    for (unsigned i = 1; i < STACKS; i++)
        tss->ist[i - 1] = stacks[i];
    tss->io_map = sizeof(*tss);
    gdt[SEL_CODE / 8] = 0x00af9b000000ffff;
    gdt[SEL_DATA / 8] = 0x00cf93000000ffff;
    gdt[SEL_TSS / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | TSS_AVAILABLE << 40 |
                       (base >> 24 & 0xff) << 56;
    gdt[SEL_TSS / 8 + 1] = base >> 32;
    if (!c->id) /* one table for all */
        idt_fill(stacks[STACK_NMI]);
    idtr = (struct table_register){sizeof(idt) - 1, (uint64_t)idt};
    __asm__ volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr) : "memory");
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "i"(SEL_CODE)
                     : "rax", "memory");
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss" : : "r"(SEL_DATA));
    __asm__ volatile("mov %0, %%fs; mov %0, %%gs" : : "r"(0));
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
    c->self = c;
    wrmsr(MSR_GS_BASE, (uint64_t)c);
}

void trap_set_handler(uint8_t vector, void (*fn)(uint8_t vector))
{
    ASSERT(vector >= FIRST_INTERRUPT && !handlers[vector]);
    handlers[vector] = fn;
}

static bool fix_up(struct trap_frame *f)
{
    /* cppcheck-suppress comparePointers ; the linker puts one section between the two names */
    for (const struct extable_entry *e = extable_start; e < extable_end; e++)
        if (e->at == f->rip) {
            f->rip = e->to;
            return true;
        }
    return false;
}

void trap_handle(struct trap_frame *f)
{
    static struct log_limit limit;

    if (handlers[f->vector]) {
        handlers[f->vector]((uint8_t)f->vector);
    } else if (f->vector >= FIRST_INTERRUPT) {
        log_limited(&limit, "CPU %u: unexpected interrupt, vector %lu", this_cpu()->id, f->vector);
        apic_eoi();
    } else if (!fix_up(f)) {
        panic_trap(f);
    }
}

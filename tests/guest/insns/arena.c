/* SPDX-License-Identifier: MIT */
#include "tests/guest/insns/insns.h"

#include "guestdrv/rt/internal.h"
#include "hyp/lib/string.h"

#define PTE_PRESENT 1UL
#define PTE_WRITE   2UL
#define PTE_NX      (1UL << 63)
#define STUB_SIZE   16
#define MSR_EFER    0xc0000080
#define EFER        0xd00 /* NXE, LMA, LME */
#define MSR_EOI     0x80b
#define SCRATCH     4

uint8_t *arena_code;
struct attempt *arena_context;
uint64_t arena_cr3;
static uint64_t *top;

struct tables {
    uint64_t idt[512];
    uint64_t gdt[8];
    uint32_t tss[32];
};

struct {
    uint16_t limit;
    uint64_t base;
} __packed arena_gdtr, arena_idtr;

extern const uint8_t arena_stubs[];

/*
 * Every vector ends in arena_common: on a stack of its own, whatever else is broken. It makes
 * registers good again in an order that never depends on one that is not, and leaves by IRET, which
 * unblocks NMIs. The descriptor tables are loaded from the image: its own page tables come first.
 */
__asm__(".text\n"
        ".balign 16\n"
        "arena_stubs:\n"
        ".set i, 0\n"
        ".rept 256\n"
        ".balign 16\n"
        "    movl $i, %edi\n"
        "    jmp arena_common\n"
        ".set i, i + 1\n"
        ".endr\n"
        "arena_common:\n"
        "    xorl %eax, %eax\n"
        "    movq %rax, %dr7\n"
        "    movl $0x6a0, %eax\n"
        "    movq %rax, %cr4\n"
        "    movl $0x80010033, %eax\n"
        "    movq %rax, %cr0\n"
        "    movl $rt_pml4, %eax\n"
        "    movq %rax, %cr3\n"
        "    movl $arena_stack_top, %esp\n"
        "    cld\n"
        "    lgdt arena_gdtr\n"
        "    lidt arena_idtr\n"
        "    movl $16, %eax\n"
        "    movl %eax, %ds\n"
        "    movl %eax, %es\n"
        "    movl %eax, %ss\n"
        "    xorl %eax, %eax\n"
        "    movl %eax, %fs\n"
        "    movl %eax, %gs\n"
        "    lldt %ax\n"
        "    movq %rsp, %rcx\n"
        "    pushq $16\n"
        "    pushq %rcx\n"
        "    pushq $2\n"
        "    pushq $8\n"
        "    pushq $1f\n"
        "    iretq\n"
        "1:  call arena_restored\n"
        "    ud2\n"
        ".globl arena_go\n"
        "arena_go:\n"
        "    movq arena_context, %rsp\n"
        "    movq arena_cr3, %rax\n"
        "    movq %rax, %cr3\n"
        ".irp r, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax\n"
        "    popq %\\r\n"
        ".endr\n"
        "    iretq\n"
        ".bss\n"
        ".balign 16\n"
        "    .skip 8192\n"
        "arena_stack_top:\n"
        ".text\n");

static uint64_t *next_table(uint64_t *table, uint64_t index)
{
    if (!table[index])
        table[index] = (uint64_t)rt_page_alloc() | PTE_PRESENT | PTE_WRITE;
    return (uint64_t *)(table[index] & 0xfffff000);
}

static void map(uint64_t va, uint64_t pa, uint64_t flags)
{
    uint64_t *table = top;

    for (unsigned shift = 39; shift > 12; shift -= 9)
        table = next_table(table, va >> shift & 511);
    table[va >> 12 & 511] = pa | PTE_PRESENT | flags;
}

static void gate(struct tables *t, unsigned vector)
{
    uint64_t target = (uint64_t)arena_stubs + vector * STUB_SIZE;

    t->idt[2 * vector] =
        (target & 0xffff) | CODE64 << 16 | 1UL << 32 | 0x8eUL << 40 | (target >> 16 & 0xffff) << 48;
    t->idt[2 * vector + 1] = target >> 32;
}

/* All bits that the CPU sets are set: the page can be read-only. The task is made busy later. */
static void make_tables(struct tables *t)
{
    uint64_t tss = ARENA_TABLES + offsetof(struct tables, tss), stack = ARENA_STACK + 4096;

    for (unsigned v = 0; v < 256; v++)
        gate(t, v);
    t->gdt[CODE64 / 8] = 0x00af9b000000ffff;
    t->gdt[DATA / 8] = 0x00cf93000000ffff;
    t->gdt[CODE32 / 8] = 0x00cf9b000000ffff;
    t->gdt[TASK / 8] = 103 | (tss & 0xffffff) << 16 | 0x89UL << 40 | (tss >> 24 & 0xff) << 56;
    t->gdt[TASK / 8 + 1] = tss >> 32;
    t->tss[9] = (uint32_t)stack; /* the first of the interrupt stacks */
    t->tss[10] = (uint32_t)(stack >> 32);
    arena_gdtr.limit = sizeof(t->gdt) - 1;
    arena_gdtr.base = ARENA_TABLES + offsetof(struct tables, gdt);
    arena_idtr.limit = sizeof(t->idt) - 1;
    arena_idtr.base = ARENA_TABLES;
}

void arena_init(void)
{
    struct tables *t = rt_page_alloc();
    uint64_t tables_page = (uint64_t)t;

    _Static_assert(sizeof(*t) <= 2 * 4096, "two pages");
    rt_page_alloc(); /* the second, behind the first */
    top = rt_page_alloc();
    arena_cr3 = (uint64_t)top;
    arena_code = rt_page_alloc();
    arena_context = rt_page_alloc();
    make_tables(t);
    map(ARENA_CODE, (uint64_t)arena_code, 0);
    for (unsigned i = 0; i < SCRATCH; i++)
        map(ARENA_SCRATCH + i * 4096, (uint64_t)rt_page_alloc(), PTE_WRITE | PTE_NX);
    map(ARENA_TABLES, tables_page, PTE_NX | PTE_WRITE);
    map(ARENA_TABLES + 4096, tables_page + 4096, PTE_NX | PTE_WRITE);
    map(ARENA_STACK, (uint64_t)rt_page_alloc(), PTE_WRITE | PTE_NX);
    map(ARENA_CONTEXT, (uint64_t)arena_context, PTE_WRITE | PTE_NX);
    for (uint64_t a = 0x100000; a < (uint64_t)rt_data; a += 4096)
        map(a, a, a >= (uint64_t)rt_rodata ? PTE_NX : 0);
    rt_pml4[ARENA_CODE >> 39] = top[ARENA_CODE >> 39];
    rt_pml4[ARENA_TABLES >> 39] = top[ARENA_TABLES >> 39];
    arena_context = (struct attempt *)ARENA_CONTEXT;
    __asm__ volatile("lgdt arena_gdtr; lidt arena_idtr; ltr %w0" : : "r"(TASK));
    map(ARENA_TABLES, tables_page, PTE_NX);
    map(ARENA_TABLES + 4096, tables_page + 4096, PTE_NX);
    __asm__ volatile("mov %%cr3, %%rax; mov %%rax, %%cr3" : : : "rax", "memory");
}

/* What the assembler part leaves: EFER, an interrupt in service. Its vector is in rdi still. */
void arena_restored(uint64_t vector);
void arena_restored(uint64_t vector)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(MSR_EFER));
    if (lo != EFER)
        __asm__ volatile("wrmsr" : : "c"(MSR_EFER), "a"(EFER), "d"(0));
    if (vector >= 32)
        __asm__ volatile("wrmsr" : : "c"(MSR_EOI), "a"(0), "d"(0));
    arena_trapped(vector);
}

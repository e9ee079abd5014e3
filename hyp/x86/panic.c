/* SPDX-License-Identifier: MIT */
/*
 * The end. The symbol table is made from the linked image and linked in again (scripts/symtab): in
 * the first pass it is not there, hence weak.
 */
#include "hyp/lib/format.h"
#include "hyp/lib/log.h"
#include "hyp/x86/layout.h"
#include "hyp/x86/trap.h"
#include "hyp/x86/vcpu.h"

#define MAX_DEPTH 32

extern const uint32_t symtab_count[] __attribute__((weak));
extern const uint32_t symtab_addrs[] __attribute__((weak)); /* rising, from HYP_BASE */
extern const char symtab_names[] __attribute__((weak));     /* terminated, in the same order */
extern uint8_t image_start[], image_rodata[];

bool panic_reboots;

static bool is_text(uint64_t rip)
{
    return rip >= (uint64_t)image_start && rip < (uint64_t)image_rodata;
}

/* "name+0xoffset", or the bare address. */
static void symbol_name(uint64_t rip, char *buf, size_t size)
{
    const char *name = symtab_names;
    uint32_t at = (uint32_t)(rip - HYP_BASE), i = 0;

    if (!symtab_count || !is_text(rip) || !symtab_count[0] || at < symtab_addrs[0]) {
        format(buf, size, "?");
        return;
    }
    for (; i + 1 < symtab_count[0] && symtab_addrs[i + 1] <= at; i++)
        while (*name++)
            ;
    format(buf, size, "%s+0x%x", name, at - symtab_addrs[i]);
}

static void print_address(uint64_t rip)
{
    char name[80];

    symbol_name(rip, name, sizeof(name));
    log_line("  %016lx %s", rip, name);
}

/* A frame pointer is believed when it lies above the last one, on the same stack, and is aligned.
 */
static bool is_next_frame(uint64_t rbp, uint64_t last)
{
    return rbp > last && rbp - last < STACK_PAGES * PAGE_SIZE && rbp % 8 == 0 &&
           (rbp >= HYP_BASE || (rbp >= STACK_BASE && rbp < IO_BASE));
}

void trap_backtrace(uint64_t rip, uint64_t rbp)
{
    uint64_t last = rbp - 8;

    log_line("stack trace:");
    print_address(rip);
    for (unsigned i = 0; i < MAX_DEPTH && is_next_frame(rbp, last); i++) {
        const uint64_t *frame = (const uint64_t *)rbp;

        if (!is_text(frame[1]))
            return;
        print_address(frame[1]);
        last = rbp;
        rbp = frame[0];
    }
}

void trap_print(const struct trap_frame *f)
{
    log_line("CPU %u: trap %lu, error code %lx, cr2 %016lx, cr3 %016lx", this_cpu()->id, f->vector,
             f->error, READ_CR(2), READ_CR(3));
    log_line("rip %016lx rsp %016lx rflags %08lx", f->rip, f->rsp, f->rflags);
    log_line("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
    log_line("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
    log_line("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
    trap_backtrace(f->rip, f->rbp);
}

void panic(const char *fmt, ...)
{
    struct x86_vcpu *v = this_cpu()->loaded;
    char text[200];
    va_list ap;

    __asm__ volatile("cli");
    log_break_lock();
    log_sync(true);
    va_start(ap, fmt);
    format_v(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_line("PANIC on CPU %u: %s", this_cpu()->id, text);
    if (v)
        log_line("current: domain %u (%s), vCPU %u", v->dom->domid, v->dom->name, v->id);
    else
        log_line("current: no domain");
    trap_backtrace((uint64_t)__builtin_return_address(0), (uint64_t)__builtin_frame_address(0));
    apic_halt_others();
    if (panic_reboots)
        power_reset();
    log_line("halted");
    for (;;)
        __asm__ volatile("hlt");
}

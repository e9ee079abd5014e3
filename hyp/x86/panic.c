/* SPDX-License-Identifier: MIT */
/*
 * The end. The symbol table is made from the linked image and linked in again (scripts/symtab): in
 * the first pass it is not there, hence weak.
 */
#include "hyp/lib/format.h"
#include "hyp/lib/log.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/paging.h"
#include "hyp/x86/trap.h"
#include "hyp/x86/vcpu.h"

#define MAX_DEPTH  32
#define STOP_TRIES 10000000 /* some 100 ms and more */

extern const uint32_t symtab_count[] __attribute__((weak));
extern const uint32_t symtab_addrs[] __attribute__((weak)); /* rising, from HYP_BASE */
extern const char symtab_names[] __attribute__((weak));     /* terminated, in the same order */
extern uint8_t image_start[], image_rodata[];

bool panic_reboots;

static uint32_t panicking; /* 1 + the number of the CPU that does */
static uint32_t stopped;   /* CPUs */
static bool again;         /* the panicking CPU has panicked once more */

static bool is_text(uint64_t rip)
{
    return rip >= (uint64_t)image_start && rip < (uint64_t)image_rodata;
}

/* The function that rip lies in, and how far behind its start; NULL: none is known. */
static const char *symbol(uint64_t rip, uint32_t *offset)
{
    const char *name = symtab_names;
    uint32_t at = (uint32_t)(rip - HYP_BASE), i = 0;

    if (!symtab_count || !is_text(rip) || !symtab_count[0] || at < symtab_addrs[0])
        return NULL;
    for (; i + 1 < symtab_count[0] && symtab_addrs[i + 1] <= at; i++)
        while (*name++)
            ;
    *offset = at - symtab_addrs[i];
    return name;
}

static void print_address(uint64_t rip)
{
    uint32_t offset = 0;
    const char *name = symbol(rip, &offset);

    if (name)
        log_line("  %016lx %s+0x%x", rip, name, offset);
    else
        log_line("  %016lx ?", rip);
}

/* At a function's first instruction, or nowhere: who called is not in a frame yet, but at rsp. */
static bool called_just_now(uint64_t rip, uint64_t rsp)
{
    uint32_t offset = 0;

    return paging_on_stack(rsp, 8) && rsp % 8 == 0 && (!symbol(rip, &offset) || !offset) &&
           is_text(*(const uint64_t *)rsp);
}

static void print_stack(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
    log_line("stack trace:");
    print_address(rip);
    if (called_just_now(rip, rsp))
        print_address(*(const uint64_t *)rsp);
    for (unsigned i = 0; i < MAX_DEPTH && rbp % 8 == 0 && paging_on_stack(rbp, 16); i++) {
        const uint64_t *frame = (const uint64_t *)rbp; /* the caller's frame, and where to return */

        if (!is_text(frame[1]) || frame[0] - rbp > STACK_PAGES * PAGE_SIZE)
            return;
        print_address(frame[1]);
        rbp = frame[0];
    }
}

static void print_registers(const struct trap_frame *f)
{
    log_line("rip %016lx rsp %016lx rflags %08lx", f->rip, f->rsp, f->rflags);
    log_line("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
    log_line("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
    log_line("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
    log_line("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", READ_CR(0), READ_CR(2), READ_CR(3),
             READ_CR(4));
    if (paging_in_guard(READ_CR(2)))
        log_line("stack overflow: cr2 is in the guard page below a stack");
}

static void stop(void) __noreturn;
static void stop(void)
{
    __atomic_fetch_add(&stopped, 1, __ATOMIC_SEQ_CST);
    cpu_halt();
}

static void end(void) __noreturn;
static void end(void)
{
    if (panic_reboots)
        power_reset();
    log_line("halted");
    uart_drain();
    stop();
}

/* One that does not come in time is left alone: it may be stuck where no NMI gets through. */
static void stop_others(void)
{
    apic_halt_others();
    for (unsigned i = 0; i < STOP_TRIES && READ_ONCE(stopped) + 1 < ncpus; i++)
        cpu_relax();
    log_break_lock(); /* of one that was stopped in the middle of a line */
}

/* The first CPU panics, for all of them; from here on it is alone. */
static void begin(void)
{
    uint32_t me = this_cpu()->id + 1, who = 0;

    __asm__ volatile("cli");
    if (!__atomic_compare_exchange_n(&panicking, &who, me, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        if (who != me || again)
            stop();
        again = true;
        log_break_lock();
        log_line("another panic on the way");
        end();
    }
    stop_others();
    log_sync(true);
}

static void finish(uint64_t rip, uint64_t rsp, uint64_t rbp) __noreturn;
static void finish(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
    struct x86_vcpu *v = this_cpu()->loaded;

    if (v)
        log_line("current: domain %u (%s), vCPU %u", v->dom->domid, v->dom->name, v->id);
    else
        log_line("current: no domain");
    print_stack(rip, rsp, rbp);
    end();
}

void panic_trap(const struct trap_frame *f)
{
    static const char *const names[] = {
        "divide error", "debug trap",      "NMI",           "breakpoint",       "overflow",
        "bound range",  "bad opcode",      "no FPU",        "double fault",     "coprocessor",
        "bad TSS",      "segment missing", "stack fault",   "protection fault", "page fault",
        "reserved",     "FPU error",       "bad alignment", "machine check"};

    begin();
    log_line("PANIC on CPU %u: %s (trap %lu), error code %lx", this_cpu()->id,
             f->vector < ARRAY_SIZE(names) ? names[f->vector] : "trap", f->vector, f->error);
    print_registers(f);
    finish(f->rip, f->rsp, f->rbp);
}

void panic(const char *fmt, ...)
{
    char text[200];
    va_list ap;

    begin();
    va_start(ap, fmt);
    format_v(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_line("PANIC on CPU %u: %s", this_cpu()->id, text);
    finish((uint64_t)__builtin_return_address(0), (uint64_t)__builtin_frame_address(0) + 16,
           *(uint64_t *)__builtin_frame_address(0));
}

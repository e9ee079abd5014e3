/* SPDX-License-Identifier: MIT */
/*
 * Traps that meet exits: single steps over instructions that exit, breakpoints, NMIs and their
 * blocking, a double fault begun by an exception of the hypervisor's, a stack that is nowhere.
 */
#include "tests/guest/hostile.h"

#include <xen/vcpu.h>

#define STEPS    32U
#define DB       1
#define BP       3
#define UD       6
#define DF       8
#define GP       13
#define DR6_BS   (1UL << 14)
#define DR6_B0   1UL
#define DR6_NONE 0xffff0ff0UL
#define DR7_CODE 0x402UL /* breakpoint 0, at an instruction */
#define DR7_NONE 0x400UL
#define NO_MSR   0x12345U

uint64_t traps_count, traps_rip[STEPS], traps_dr6[STEPS], traps_nmis, traps_nested;
extern const uint64_t steps_any[], steps_vmcall[], steps_vmmcall[], steps_end[];
extern const char traps_breakpoint[];
void run_any(void);
void run_vmcall(void);
void run_vmmcall(void);
void run_breakpoint(void);
void traps_debug(void);
void traps_nmi(void);
uint64_t run_nowhere(uint64_t rsp);

/*
 * run_*() single-step. Where the traps have to find RIP, behind each instruction, is in steps_*[],
 * one behind the other. Without PAUSE: QEMU 7.2 forgets its trap.
 */
__asm__(".text\n"
        ".macro step insn:vararg\n"
        "    \\insn\n"
        "901:\n"
        "    .pushsection .rodata.steps, \"a\"\n"
        "    .quad 901b\n"
        "    .popsection\n"
        ".endm\n"
        ".macro begin name\n"
        "    .pushsection .rodata.steps, \"a\"\n"
        "    \\name:\n"
        "    .popsection\n"
        "    pushq %rbx\n"
        "    pushfq\n"
        "    orl $0x100, (%rsp)\n"
        "    popfq\n"
        ".endm\n"
        ".macro end\n"
        "    step pushfq\n"
        "    step andl $~0x100, (%rsp)\n"
        "    step popfq\n"
        "    popq %rbx\n"
        "    ret\n"
        ".endm\n"
        "run_any:\n"
        "    begin steps_any\n"
        "    step nop\n"
        "    step xorl %eax, %eax\n"
        "    step cpuid\n"
        "    step movl $0x1b, %ecx\n"
        "    step rdmsr\n"
        "    step wrmsr\n"
        "    step inb $0x80, %al\n"
        "    step outb %al, $0x80\n"
        "    step wbinvd\n"
        "    step movq %cr8, %rax\n"
        "    step movq %rax, %cr8\n"
        "    step movq %cr0, %rax\n"
        "    step movq %rax, %cr0\n"
        "    step hlt\n" /* interrupts are off: the trap ends it */
        "    end\n"
        "run_vmcall:\n"
        "    begin steps_vmcall\n"
        "    step movl $17, %eax\n"
        "    step xorl %edi, %edi\n"
        "    step vmcall\n"
        "    end\n"
        "run_vmmcall:\n"
        "    begin steps_vmmcall\n"
        "    step movl $17, %eax\n"
        "    step xorl %edi, %edi\n"
        "    step vmmcall\n"
        "    end\n"
        "    .pushsection .rodata.steps, \"a\"\n"
        "    steps_end:\n"
        "    .popsection\n"
        "run_breakpoint:\n"
        "    pushq %rbx\n"
        "    xorl %eax, %eax\n"
        "traps_breakpoint:\n"
        "    cpuid\n"
        "    popq %rbx\n"
        "    ret\n"
        "traps_debug:\n"
        "    pushq %rax\n"
        "    pushq %rcx\n"
        "    movq traps_count, %rax\n"
        "    movq 16(%rsp), %rcx\n"
        "    andl $31, %eax\n"
        "    movq %rcx, traps_rip(, %rax, 8)\n"
        "    movq %dr6, %rcx\n"
        "    movq %rcx, traps_dr6(, %rax, 8)\n"
        "    movl $0xffff0ff0, %ecx\n"
        "    movq %rcx, %dr6\n"
        "    incq traps_count\n"
        "    orl $0x10000, 32(%rsp)\n" /* RF: not the same breakpoint again */
        "    popq %rcx\n"
        "    popq %rax\n"
        "    iretq\n"
        /* The first one sends another, which has to wait for the IRET. */
        "traps_nmi:\n"
        "    pushq %rax\n"
        "    pushq %rbx\n"
        "    pushq %rcx\n"
        "    pushq %rdx\n"
        "    incq traps_nmis\n"
        "    cmpq $1, traps_nmis\n"
        "    jne 1f\n"
        "    movl $0x830, %ecx\n" /* ICR: NMI to x2APIC ID 0 */
        "    movl $0x400, %eax\n"
        "    xorl %edx, %edx\n"
        "    wrmsr\n"
        "    xorl %eax, %eax\n"
        "    cpuid\n"
        "    movq traps_nmis, %rax\n"
        "    movq %rax, traps_nested\n"
        "1:  popq %rdx\n"
        "    popq %rcx\n"
        "    popq %rbx\n"
        "    popq %rax\n"
        "    iretq\n"
        /* Hypercall and CPUID need no stack. */
        "run_nowhere:\n"
        "    pushq %rbx\n"
        "    movq %rsp, %r9\n"
        "    movq %rdi, %rsp\n"
        "    xorl %eax, %eax\n"
        "    cpuid\n"
        "    movl $0x1b, %ecx\n"
        "    rdmsr\n"
        "    movq %rsp, %rax\n"
        "    movq %r9, %rsp\n"
        "    popq %rbx\n"
        "    ret\n");

static void no_msr(uint64_t arg)
{
    uint64_t value;

    (void)arg;
    __asm__ volatile("rdmsr" : "=A"(value) : "c"(NO_MSR));
}

static void breakpoint(uint64_t arg)
{
    (void)arg;
    __asm__ volatile("int3");
}

static void overflow(uint64_t arg)
{
    (void)arg;
    __asm__ volatile("int $4");
}

static void single_steps(void (*run)(void), const uint64_t *want, const uint64_t *end)
{
    traps_count = 0;
    __asm__ volatile("mov %0, %%dr6" : : "r"(DR6_NONE));
    run();
    EQUAL(traps_count, end - want);
    for (unsigned i = 0; want + i < end && i < STEPS; i++) {
        EQUAL(traps_rip[i] - want[i], 0);
        EQUAL(traps_dr6[i] & (DR6_BS | DR6_B0), DR6_BS);
    }
}

static void code_breakpoint(void)
{
    uint64_t dr7;

    traps_count = 0;
    __asm__ volatile("mov %0, %%dr6" : : "r"(DR6_NONE));
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr7" : : "r"(traps_breakpoint), "r"(DR7_CODE));
    run_breakpoint();
    __asm__ volatile("mov %%dr7, %0" : "=r"(dr7));
    __asm__ volatile("mov %0, %%dr7" : : "r"(DR7_NONE));
    EQUAL(traps_count, 1);
    EQUAL(traps_rip[0] - (uint64_t)traps_breakpoint, 0);
    EQUAL(dr7, DR7_CODE);
    EQUAL(traps_dr6[0] & (DR6_BS | DR6_B0), DR6_B0);
}

static void nmis(void)
{
    traps_nmis = 0;
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 0), 0);
    EQUAL(READ_ONCE(traps_nmis), 2);
    EQUAL(traps_nested, 1);
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, 0, 8), -XEN_EINVAL);
}

/* The #GP finds no gate, so that it becomes a double fault. */
static void double_fault(void)
{
    EQUAL(probe_trap(no_msr, 0), GP);
    hostile_gate_absent(GP);
    EQUAL(probe_trap(no_msr, 0), DF);
}

void probe_main(void)
{
    static const uint64_t nowhere[] = {0, 0x800000000000, 0xffff7fffffffffff, BAD_POINTER, ~0UL};

    EQUAL(probe_trap(breakpoint, 0), BP);
    EQUAL(probe_trap(overflow, 0), 4);
    hostile_gate(DB, traps_debug);
    hostile_gate(2, traps_nmi);
    single_steps(run_any, steps_any, steps_vmcall);
    if (hostile_on_amd())
        single_steps(run_vmmcall, steps_vmmcall, steps_end);
    else
        single_steps(run_vmcall, steps_vmcall, steps_vmmcall);
    code_breakpoint();
    nmis();
    for (unsigned i = 0; i < ARRAY_SIZE(nowhere); i++)
        EQUAL(run_nowhere(nowhere[i]) - nowhere[i], 0);
    double_fault();
}

/* SPDX-License-Identifier: MIT */
/*
 * Exceptions whose delivery raises them again, for ever: the CPU takes no interrupt meanwhile, so
 * the hypervisor has to see each (CVE-2015-8104, CVE-2015-5307). The first vCPU has a data
 * breakpoint on its stack, where the debug exception is pushed. The second is in ring 3 of 32-bit
 * mode with a misaligned stack, alignment checks on, and a handler that runs in ring 3 as well. The
 * third, which gets its share of the same CPU, ends the domain.
 */
#include "tests/guest/hostile.h"

#include <xen/hvm/hvm_vcpu.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define DB        1
#define AC        17
#define MS        1000000UL
#define DR7_WRITE 0xd0402UL /* breakpoint 0, at writes of four bytes */
#define DR7_NONE  0x400UL

static uint8_t stack[4096] __aligned(4096);
uint8_t loops_stack[4096] __aligned(4096);
uint64_t loops_idt[AC + 1];
void loops_handler(void);
void loops_start(void);
extern const char loops_user_handler[];

__asm__(".text\n"
        "loops_handler:\n"
        "    iretq\n"
        ".code32\n"
        "loops_start:\n"
        "    lgdt loops_gdtr\n"
        "    lidt loops_idtr\n"
        "    movl %cr0, %eax\n"
        "    orl $0x40000, %eax\n" /* AM */
        "    movl %eax, %cr0\n"
        "    movl $0x23, %eax\n"
        "    movl %eax, %ds\n"
        "    pushl %eax\n"
        "    pushl $loops_stack + 2049\n"
        "    pushl $0x40002\n" /* AC */
        "    pushl $0x1b\n"
        "    pushl $1f\n"
        "    iretl\n"
        "1:  movl %eax, loops_stack + 1\n"
        "    jmp 1b\n"
        "loops_user_handler:\n"
        "    jmp loops_user_handler\n"
        ".code64\n"
        ".section .rodata\n"
        ".balign 8\n"
        "loops_gdt:\n"
        "    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff\n"
        "    .quad 0x00cff3000000ffff\n"
        "loops_gdtr:\n"
        "    .word . - loops_gdt - 1\n"
        "    .long loops_gdt\n"
        "loops_idtr:\n"
        "    .word 18 * 8 - 1\n"
        "    .long loops_idt\n"
        ".text\n");

static void third(void)
{
    for (unsigned i = 0; i < 10; i++) {
        sched_poll_t sleep = {.timeout = rt_now() + 5 * MS};

        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_poll, &sleep);
    }
    rt_print("PASS\n");
    rt_shutdown(SHUTDOWN_poweroff);
}

static void start_second(void)
{
    static struct vcpu_hvm_context c = {.mode = VCPU_HVM_MODE_32B};
    struct vcpu_hvm_x86_32 *r = &c.cpu_regs.x86_32;
    uint64_t handler = (uint64_t)loops_user_handler;

    loops_idt[AC] = (handler & 0xffff) | 0x1b << 16 | 0x8eUL << 40 | handler >> 16 << 48;
    r->eip = (uint32_t)(uint64_t)loops_start;
    r->esp = (uint32_t)(uint64_t)loops_stack + sizeof(loops_stack);
    r->eflags = 2;
    r->cr0 = 0x11;
    r->cs_limit = r->ds_limit = r->ss_limit = r->es_limit = ~0U;
    r->cs_ar = 0xc9b;
    r->ds_ar = r->ss_ar = r->es_ar = 0xc93;
    r->tr_limit = 0x67;
    r->tr_ar = 0x8b;
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, 1, &c), 0);
    EQUAL(HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_up, 1, 0), 0);
}

void probe_main(void)
{
    /* Where the return address is pushed, when RSP is at the stack's end. */
    const uint8_t *where = stack + sizeof(stack) - 5 * sizeof(uint64_t);

    hostile_gate(DB, loops_handler);
    EQUAL(hostile_start_vcpu(2, third), 0);
    start_second();
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr7" : : "r"(where), "r"(DR7_WRITE));
    __asm__ volatile("movq %%rsp, %%rbx\n"
                     "movq %1, %%rsp\n"
                     "movl %%eax, (%0)\n"
                     "movq %%rbx, %%rsp"
                     :
                     : "r"(where), "r"(stack + sizeof(stack))
                     : "rbx", "memory");
    /* A CPU that raises it once only. QEMU 7.2 would go on to watch other guests' memory, too. */
    __asm__ volatile("mov %0, %%dr7" : : "r"(DR7_NONE));
    for (;;)
        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

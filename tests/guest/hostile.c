/* SPDX-License-Identifier: MIT */
#include "tests/guest/hostile.h"

#include <xen/hvm/hvm_vcpu.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include "guestdrv/rt/internal.h"
#include "hyp/lib/string.h"

#define STACK       16384
#define SECOND_CR0  0x80010033UL /* as the runtime's: PG, WP, NE, ET, MP, PE */
#define SECOND_CR4  0x6a0UL      /* PAE, PGE, OSFXSR, OSXMMEXCPT */
#define SECOND_EFER 0xd00UL      /* NXE, LMA, LME */

struct table {
    uint16_t limit;
    uint64_t base;
} __packed;

static uint8_t stacks[2][STACK] __aligned(16);
static struct table idtr;
void (*hostile_second)(void);
bool hostile_ready;
void hostile_enter(void);

/* A vCPU that VCPUOP_initialise has started has neither descriptor table. */
__asm__(".text\n"
        ".globl hostile_enter, hostile_iret\n"
        "hostile_enter:\n"
        "    lgdt rt_gdtr\n"
        "    pushq $8\n"
        "    pushq $1f\n"
        "    lretq\n"
        "1:  movl $16, %eax\n"
        "    movl %eax, %ds\n"
        "    movl %eax, %es\n"
        "    movl %eax, %ss\n"
        "    lidt (%rdi)\n"
        "    movb $1, hostile_ready\n"
        "    call *hostile_second\n"
        "    ud2\n"
        "hostile_iret:\n"
        "    iretq\n");

/* The generator of Steele, Lea and Flood, OOPSLA 2014 ("SplitMix"). */
uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15UL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9UL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebUL;
    return z ^ z >> 31;
}

uint64_t hostile_option(const char *name, uint64_t other)
{
    for (const char *p = rt_cmdline; *p; p++) {
        unsigned n = 0;
        uint64_t value = 0;

        if (p != rt_cmdline && p[-1] != ' ')
            continue;
        while (name[n] && p[n] == name[n])
            n++;
        if (name[n] || p[n] != '=')
            continue;
        for (p += n + 1; *p >= '0' && *p <= '9'; p++)
            value = value * 10 + (uint64_t)(*p - '0');
        return value;
    }
    return other;
}

bool hostile_on_amd(void)
{
    uint32_t a = 0, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b == 0x68747541; /* "Auth" */
}

long hostile_start_vcpu(uint32_t id, void (*fn)(void))
{
    static struct vcpu_hvm_context c;
    long rc;

    hostile_second = fn;
    hostile_ready = false;
    __asm__ volatile("sidt %0" : "=m"(idtr));
    c.mode = VCPU_HVM_MODE_64B;
    c.cpu_regs.x86_64.rip = (uint64_t)hostile_enter;
    c.cpu_regs.x86_64.rsp = (uint64_t)stacks[id];
    c.cpu_regs.x86_64.rdi = (uint64_t)&idtr;
    c.cpu_regs.x86_64.rflags = 2;
    c.cpu_regs.x86_64.cr0 = SECOND_CR0;
    c.cpu_regs.x86_64.cr3 = (uint64_t)rt_pml4;
    c.cpu_regs.x86_64.cr4 = SECOND_CR4;
    c.cpu_regs.x86_64.efer = SECOND_EFER;
    rc = HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_initialise, id, &c);
    if (!rc)
        rc = HYPERCALL3(__HYPERVISOR_vcpu_op, VCPUOP_up, id, 0);
    while (!rc && !READ_ONCE(hostile_ready))
        HYPERCALL2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
    return rc;
}

/* The runtime's table ends behind its own gates: all of them move to a whole one. */
static uint64_t *gate_of(unsigned vector)
{
    static uint64_t whole[512];

    __asm__ volatile("sidt %0" : "=m"(idtr));
    if (idtr.base != (uint64_t)whole) {
        memcpy(whole, (const void *)idtr.base, idtr.limit + 1U);
        idtr = (struct table){sizeof(whole) - 1, (uint64_t)whole};
        __asm__ volatile("lidt %0" : : "m"(idtr));
    }
    return &whole[2 * vector];
}

void hostile_gate(unsigned vector, void (*handler)(void))
{
    uint64_t target = (uint64_t)handler, *gate = gate_of(vector);

    gate[0] = (target & 0xffff) | 8 << 16 | 0x8eUL << 40 | (target >> 16 & 0xffff) << 48;
    gate[1] = target >> 32;
}

void hostile_gate_absent(unsigned vector)
{
    gate_of(vector)[0] = 0;
}

/* SPDX-License-Identifier: MIT */
/* Task management: SDM vol. 3 ch. 8, APM vol. 2 ch. 12. */
#include "tests/guest/crash/task.h"

#include "tests/guest/probe.h"

#define UD        6
#define STACK     512
#define MAGIC     0x7a5c0de5U
#define DATA      0x10U /* selectors */
#define CODE32    0x18U
#define TSS_OLD   0x20U
#define TSS_NEW   0x28U
#define TSS_BUSY  (1UL << 41)
#define TSS_FREE  0x0000890000000067UL /* descriptor of an available 32-bit TSS at 0 */
#define GATE_TASK 0x0000850000000000UL /* descriptor of a task gate */
#define RFLAGS_1  0x2U
#define RFLAGS_NT 0x4000U

struct tss {
    uint32_t link, stacks[6], cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
    uint32_t es, cs, ss, ds, fs, gs, ldt, trap_iomap;
};
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3 fig. 8-2");
_Static_assert(offsetof(struct tss, eip) == 0x20, "task_enter() knows it");

struct table {
    uint16_t limit;
    uint64_t base;
} __packed;

static uint64_t gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff, 0, 0};
static uint64_t idt[UD + 1]; /* of 32-bit mode */
static uint8_t stack[STACK] __aligned(16);
struct tss task_old, task_new;
struct table task_gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};
struct table task_idtr = {sizeof(idt) - 1, (uint64_t)idt};
struct table task_idtr64;
uint32_t task_seen, task_flags;
void task_enter(enum task_way way);
void task_inner(void);

/*
 * edi: the way. The CPU saves in task_old all that it needs to come back. The other task goes back
 * as it was entered: by IRET when its flags say that it is nested, or by a jump; to behind the UD2.
 */
__asm__(".text\n"
        "task_enter:\n"
        "    pushq %rbx\n"
        "    pushq %rbp\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    sidt task_idtr64\n"
        "    lgdt task_gdtr\n"
        "    lidt task_idtr\n"
        "    pushq $0x18\n"
        "    pushq $1f\n"
        "    lretq\n"
        "    .code32\n"
        "1:  movl %cr0, %eax\n"
        "    andl $0x7fffffff, %eax\n"
        "    movl %eax, %cr0\n"
        "    movl $0x20, %eax\n"
        "    ltr %ax\n"
        "    cmpl $1, %edi\n"
        "    je 2f\n"
        "    ja 3f\n"
        "    ljmp $0x28, $0\n"
        "    jmp 4f\n"
        "2:  lcall $0x28, $0\n"
        "    jmp 4f\n"
        "3:  ud2\n"
        "4:  clts\n" /* a task switch sets CR0.TS */
        "    movl %cr0, %eax\n"
        "    orl $0x80000000, %eax\n"
        "    movl %eax, %cr0\n"
        "    ljmp $0x08, $5f\n"
        "    .code64\n"
        "5:  lidt task_idtr64\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbp\n"
        "    popq %rbx\n"
        "    ret\n"
        "    .code32\n"
        "task_inner:\n"
        "    movl %ecx, task_seen\n"
        "    pushfl\n"
        "    popl task_flags\n"
        "    cmpl $2, %edi\n"
        "    jne 1f\n"
        "    addl $2, task_old + 0x20\n"
        "1:  testl $0x4000, task_flags\n"
        "    jz 2f\n"
        "    iret\n"
        "2:  ljmp $0x20, $0\n"
        "    .code64\n");

static uint64_t tss_descriptor(const struct tss *t)
{
    uint64_t base = (uint64_t)t;

    return TSS_FREE | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
}

void task_switch(enum task_way way)
{
    task_new = (struct tss){.eip = (uint32_t)(uint64_t)task_inner,
                            .eflags = RFLAGS_1,
                            .ecx = MAGIC,
                            .esp = (uint32_t)(uint64_t)(stack + STACK),
                            .edi = way,
                            .es = DATA,
                            .cs = CODE32,
                            .ss = DATA,
                            .ds = DATA};
    gdt[TSS_OLD / 8] = tss_descriptor(&task_old);
    gdt[TSS_NEW / 8] = tss_descriptor(&task_new);
    idt[UD] = GATE_TASK | TSS_NEW << 16;
    task_enter(way);
    EQUAL(READ_ONCE(task_seen), MAGIC);
    EQUAL(READ_ONCE(task_flags) & RFLAGS_NT, way == TASK_JUMP ? 0 : RFLAGS_NT);
    EQUAL(READ_ONCE(task_new.link) & 0xffff, way == TASK_JUMP ? 0 : TSS_OLD);
    TRUE(READ_ONCE(gdt[TSS_OLD / 8]) & TSS_BUSY);
    TRUE(!(READ_ONCE(gdt[TSS_NEW / 8]) & TSS_BUSY));
}

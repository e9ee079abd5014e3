/* SPDX-License-Identifier: MIT */
#include "tools/corefile.h"

#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

/* What stands before the registers; they follow without a gap. */
struct note {
    Elf64_Nhdr header;
    char name[8];
};
#define NOTE_SIZE (sizeof(struct note) + sizeof(struct elf_prstatus))

#define NOTES_AT (sizeof(Elf64_Ehdr) + (1 + COREFILE_RANGES) * sizeof(Elf64_Phdr))

static bool put(const struct corefile *c, uint64_t at, const void *p, size_t n)
{
    while (n) {
        ssize_t done = pwrite(c->fd, p, n, (off_t)at);

        if (done <= 0)
            return false;
        p = (const char *)p + done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return true;
}

void corefile_begin(struct corefile *c, int fd, uint32_t vcpus)
{
    memset(c, 0, sizeof(*c));
    c->fd = fd;
    c->vcpus = vcpus;
    c->data = (NOTES_AT + vcpus * NOTE_SIZE + COREFILE_PAGE - 1) & ~(COREFILE_PAGE - 1UL);
    c->end = c->data;
}

/* With all ranges in use the last one grows over what lies between: a hole, which costs nothing. */
bool corefile_page(struct corefile *c, uint64_t gfn, const uint8_t page[COREFILE_PAGE])
{
    static const uint8_t zero[COREFILE_PAGE];
    Elf64_Phdr *last = c->ranges ? &c->loads[c->ranges - 1] : NULL;
    uint64_t gpa = gfn * COREFILE_PAGE;

    if (!last || (gpa != last->p_paddr + last->p_memsz && c->ranges < COREFILE_RANGES)) {
        last = &c->loads[c->ranges++];
        *last = (Elf64_Phdr){.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_W | PF_X,
                             .p_offset = c->end,
                             .p_vaddr = gpa,
                             .p_paddr = gpa};
    }
    last->p_memsz = gpa + COREFILE_PAGE - last->p_paddr;
    last->p_filesz = last->p_memsz;
    c->end = last->p_offset + last->p_filesz;
    return !memcmp(page, zero, sizeof(zero)) || put(c, c->end - COREFILE_PAGE, page, COREFILE_PAGE);
}

static void registers(struct user_regs_struct *u, const struct bh_vcpu_context *r)
{
    *u = (struct user_regs_struct){
        .r15 = r->r15,
        .r14 = r->r14,
        .r13 = r->r13,
        .r12 = r->r12,
        .rbp = r->rbp,
        .rbx = r->rbx,
        .r11 = r->r11,
        .r10 = r->r10,
        .r9 = r->r9,
        .r8 = r->r8,
        .rax = r->rax,
        .rcx = r->rcx,
        .rdx = r->rdx,
        .rsi = r->rsi,
        .rdi = r->rdi,
        .orig_rax = ~0UL,
        .rip = r->rip,
        .cs = r->cs,
        .eflags = r->rflags,
        .rsp = r->rsp,
        .ss = r->ss,
        .fs_base = r->fs_base,
        .gs_base = r->gs_base,
        .ds = r->ds,
        .es = r->es,
        .fs = r->fs,
        .gs = r->gs,
    };
}

bool corefile_vcpu(struct corefile *c, uint32_t vcpu, const struct bh_vcpu_context *r)
{
    struct user_regs_struct u;
    struct elf_prstatus status = {.pr_pid = (pid_t)vcpu + 1}; /* a debugger's thread */
    struct note n = {.header = {sizeof("CORE"), sizeof(status), NT_PRSTATUS}, .name = "CORE"};
    uint64_t at = NOTES_AT + vcpu * NOTE_SIZE;

    registers(&u, r);
    _Static_assert(sizeof(u) == sizeof(status.pr_reg), "registers of NT_PRSTATUS");
    memcpy(&status.pr_reg, &u, sizeof(u));
    return put(c, at, &n, sizeof(n)) && put(c, at + sizeof(n), &status, sizeof(status));
}

bool corefile_end(struct corefile *c)
{
    Elf64_Ehdr e = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
                                EV_CURRENT, ELFOSABI_NONE},
                    .e_type = ET_CORE,
                    .e_machine = EM_X86_64,
                    .e_version = EV_CURRENT,
                    .e_phoff = sizeof(e),
                    .e_ehsize = sizeof(e),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = (Elf64_Half)(1 + c->ranges)};
    Elf64_Phdr notes = {
        .p_type = PT_NOTE, .p_offset = NOTES_AT, .p_filesz = c->vcpus * NOTE_SIZE, .p_align = 4};

    return put(c, 0, &e, sizeof(e)) && put(c, sizeof(e), &notes, sizeof(notes)) &&
           put(c, sizeof(e) + sizeof(notes), c->loads, c->ranges * sizeof(*c->loads)) &&
           !ftruncate(c->fd, (off_t)c->end);
}

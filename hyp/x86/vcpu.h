/* SPDX-License-Identifier: MIT */
/*
 * The machine part of a vCPU and of a domain. hyp/dom embeds them as first member `arch` of struct
 * vcpu and struct domain; struct x86_vcpu never points upwards: what this layer wants from the one
 * above it asks through upcall.h.
 */
#ifndef BH_X86_VCPU_H
#define BH_X86_VCPU_H

#include "hyp/lib/log.h"
#include "hyp/x86/cpu.h"
#include "hyp/x86/machine.h"
#include "hyp/x86/tsc.h"
#include "hyp/x86/vlapic.h"
#include "mm/p2m.h"

#define MAX_VCPUS 64

/* In this order in memory: the entry code of both vendors saves and loads them so. */
struct gprs {
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};

/* Register n in the encoding of instructions and exit qualifications: rax 0, rcx 1, ... r15 15. */
static inline uint64_t *gpr(struct gprs *g, unsigned n)
{
    return (uint64_t *)(void *)g + n;
}

#define SEGMENT_L BIT(9)

struct segment {
    uint16_t sel;
    uint16_t attr; /* as in a VMCB: type 0-3, S 4, DPL 5-6, P 7, AVL 8, L 9, D 10, G 11 */
    uint32_t limit;
    uint64_t base;
};

/* In the order of a VMCB, and, as far as GS, of VMCS fields. */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_GDT, SEG_LDT, SEG_IDT, SEG_TR, SEGS };

/* What common code reads or writes through vendor->get_state and set_state. */
struct vcpu_state {
    uint64_t rip, rsp, rflags, cr0, cr2, cr3, cr4, efer, dr7;
    union {
        struct segment segments[SEGS];
        struct {
            struct segment es, cs, ss, ds, fs, gs, gdt, ldt, idt, tr;
        };
    };
};

/* The part of it that says what the guest's code may do and how its addresses are translated. */
struct vcpu_mode {
    uint64_t cr0, cr3, cr4, efer, rflags;
    uint8_t cpl;
    bool code64;
};

struct event {
    uint8_t vector;
    uint8_t type; /* 0 external interrupt, 2 NMI, 3 exception */
    bool has_error;
    uint32_t error;
};

struct x86_domain {
    struct p2m p2m;
    uint32_t nvcpus;
    struct x86_vcpu *vcpus[MAX_VCPUS];
    struct tsc tsc;          /* domain_create() */
    uint8_t callback_vector; /* HVM_PARAM_CALLBACK_IRQ type vector; 0: none */
    bool serial2;            /* I/O ports 0x2f8-0x2ff pass through */
    uint8_t *io_bitmap;      /* 12 KiB (hyp_alloc(2)), all ones but what passes through */
    uint32_t domid;          /* for messages */
    const char *name;
};

/* A linear page that was looked up in the guest's tables, and the entries on the way (copy.c). */
#define NO_PAGE 1UL
struct walked {
    uint64_t page; /* NO_PAGE: none */
    gpa_t gpa;
    bool writable;
    bool own;               /* every table is in the domain's RAM */
    uint64_t exit;          /* x86_vcpu.exits when it was last found to be so */
    uint64_t cr0, cr3, gen; /* then; p2m.ram_gen */
    hfn_t frame;            /* RAM behind gpa, or HFN_NONE, as long as p2m.ram_gen is frame_gen */
    uint64_t frame_gen;
    bool frame_writable;
    unsigned steps;
    struct walked_entry {
        gpa_t gpa; /* of the entry */
        hfn_t table;
        uint64_t value;
    } way[4];
};

struct x86_vcpu {
    struct gprs regs; /* rsp, rax also live in the VMCB/VMCS: vendor code syncs them here */
    struct x86_domain *dom;
    uint32_t id;     /* vCPU number, also its x2APIC ID / 2 */
    bool wait_sipi;  /* after INIT; under the domain's lock */
    bool retry;      /* the instruction that exited is to be executed again, after a pause */
    bool upcall;     /* evtchn_upcall_pending was seen set and may still be */
    bool notified;   /* something may have become deliverable: written by anybody */
    struct cpu *cpu; /* where it runs or last ran */
    struct vlapic vlapic;
    bool nmi_pending, exception_pending;
    struct event exception;
    uint64_t seen_gen; /* p2m generation flushed for */
    bool mode_known;   /* since the last exit; then mode is valid: vcpu_mode(), vendor.h */
    struct vcpu_mode mode;
    uint64_t exits;
    struct walked walked[2]; /* by the lowest bit of the page's number */
    uint64_t xcr0;
    uint8_t *xsave; /* FPU area, hypervisor page(s), 64-byte aligned */
    uint64_t dr[4], dr6;
    uint64_t spec_ctrl; /* SPEC_CTRL as the guest last wrote it */
    bool spec_used;     /* it has */
    uint64_t pat;
    uint64_t star, lstar, cstar, sfmask, kernel_gs, tsc_aux; /* VMX only; a VMCB holds its own */
    void *vendor;                                            /* VMCB or VMCS state, vmx.h / svm.h */
    struct log_limit msr_refusals;
};

/* Allocates and sets up v (dom, id already set) as after INIT: 0 or -XEN_ENOMEM. */
int vcpu_arch_init(struct x86_vcpu *v);
void vcpu_arch_free(struct x86_vcpu *v);
int domain_arch_init(struct x86_domain *d);  /* p2m, I/O bitmap */
void domain_arch_free(struct x86_domain *d); /* after p2m_free_slice() is done */

/*
 * PVH entry state (Xen docs/misc/pvh): 32-bit protected mode, paging off, flat segments, rip =
 * entry, rbx = start info. vcpu_set_sipi: real mode at vector << 12, after a reset. v runs nowhere.
 */
void vcpu_set_pvh_entry(struct x86_vcpu *v, uint32_t entry, uint32_t start_info);
void vcpu_set_sipi(struct x86_vcpu *v, uint8_t vector);

/* This CPU takes v's state into its registers, or gives it back to memory. */
void vcpu_load(struct x86_vcpu *v);
void vcpu_save(struct x86_vcpu *v);

/*
 * Runs the loaded v until its next exit and handles that exit. Host interrupts stay pending for
 * irq_window(). What the exit means for scheduling goes through upcall.h.
 */
void vcpu_enter(struct x86_vcpu *v);

/* True when an interrupt, NMI or upcall could be delivered now: a halted vCPU must wake. */
bool vcpu_has_event(struct x86_vcpu *v);

/* Queues an exception for v's next entry (v is this CPU's current). */
void vcpu_inject(struct x86_vcpu *v, uint8_t vector, bool has_error, uint32_t error);

#endif

/* SPDX-License-Identifier: MIT */
/* Per-CPU data, reached through GS, and the CPU instructions C has no word for. */
#ifndef BH_X86_CPU_H
#define BH_X86_CPU_H

#include "hyp/lib/addr.h"
#include "hyp/lib/list.h"
#include "hyp/lib/lock.h"

#define MAX_CPUS 64

struct x86_vcpu;
struct p2m;

struct cpu {
    struct cpu *self; /* at gs:0 */
    uint32_t id;      /* 0..ncpus-1 */
    uint32_t apic_id;
    bool online;
    uint32_t slot_depth;     /* windows open, mm/arch.h */
    bool resched;            /* written by anybody: the run loop must ask the scheduler again */
    uint64_t exited;         /* TSC at the last exit */
    uint32_t trained_by;     /* domain whose code ran here last */
    struct x86_vcpu *loaded; /* whose state this CPU's registers hold */
    const struct p2m *in_guest; /* from before its generation is read until after the exit */
    uint64_t entry_gen;         /* that generation; 0: not yet read */
    struct spinlock timer_lock;
    struct list timers;        /* struct timer, earliest first */
    uint64_t timer_programmed; /* deadline in the local APIC, ns; ~0: none; 0: it has come */
    uint64_t timer_tsc;        /* the same in TSC ticks */
    void *vendor;              /* vmx/ or svm/ per-CPU page(s) */
    uint64_t asid_gen;         /* svm/vmx: address-space tags of this CPU */
    uint32_t asid_next;
    uint64_t stack_top;
    void *sched; /* hyp/dom/sched */
};

extern struct cpu cpus[MAX_CPUS];
extern uint32_t ncpus; /* online CPUs; final before any guest runs */

static inline struct cpu *this_cpu(void)
{
    struct cpu *c;

    __asm__("movq %%gs:0, %0" : "=r"(c));
    return c;
}

/* Host CPU features found at boot, the few that are asked for in more than one place. */
struct cpu_features {
    bool smep, smap, nx, xsave, x2apic, tsc_deadline, invariant_tsc, page1g, pcid, mce, mca,
        keeps_x87_pointers;
    uint8_t tsc_whole, tsc_fraction; /* bits of a guest's TSC ratio; 0: no scaling; vendor_init() */
    uint32_t phys_bits;
    uint64_t xcr0;       /* what we let guests enable */
    uint64_t xcr0_host;  /* and what they reach without: all that changes with the vCPU */
    uint32_t xsave_size; /* bytes of an XSAVE area for xcr0 */
};
extern struct cpu_features features;

/* Fills features (boot CPU). cpu_protect() turns on what protects us, on each CPU; needs NX. */
void cpu_detect(void);
void cpu_protect(void);
/* Bytes of an XSAVE area for the features in xcr0, standard or compacted: SDM vol. 1 13.4.3. */
uint32_t cpu_xsave_size(uint64_t xcr0, bool compacted);

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}
static inline void wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
/* False when the MSR does not exist: #GP (exception table, trap.c). */
bool rdmsr_safe(uint32_t msr, uint64_t *v);

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
/* Where a descriptor table is: LGDT, SIDT and their like. */
struct table_register {
    uint16_t limit;
    uint64_t base;
} __packed;
struct cpuid {
    uint32_t a, b, c, d;
};
static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpuid r;

    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}
static inline void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}
static inline uint8_t inb(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}
static inline uint32_t inl(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
#define READ_CR(n)                                                                                 \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v_));                                         \
        v_;                                                                                        \
    })
#define WRITE_CR(n, v) __asm__ volatile("mov %0, %%cr" #n : : "r"((uint64_t)(v)) : "memory")
static inline uint64_t read_xcr0(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}
static inline void write_xcr0(uint64_t v)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}
static inline void invlpg(const void *p)
{
    __asm__ volatile("invlpg (%0)" : : "r"(p) : "memory");
}
static inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}
/* For good. */
static inline void __noreturn cpu_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}
static inline void memory_barrier(void)
{
    __asm__ volatile("mfence" : : : "memory");
}

#endif

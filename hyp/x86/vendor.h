/* SPDX-License-Identifier: MIT */
/*
 * The seam between the two ways of hardware virtualization: vmx/ and svm/ each fill one const
 * struct vendor; vendor_init() chooses at boot. Unless said otherwise a hook works on the vCPU that
 * this CPU has loaded, with interrupts off.
 */
#ifndef BH_X86_VENDOR_H
#define BH_X86_VENDOR_H

#include "hyp/x86/vcpu.h"

enum exit_reason {
    EXIT_NONE,      /* dealt with inside the vendor code: enter again */
    EXIT_INTERRUPT, /* a host interrupt is pending */
    EXIT_NMI,       /* a host NMI, already taken */
    EXIT_HYPERCALL, /* VMCALL, VMMCALL; insn_len set */
    EXIT_CPUID,     /* insn_len */
    EXIT_RDMSR,     /* msr = ecx; insn_len */
    EXIT_WRMSR,
    EXIT_IO,        /* io; insn_len */
    EXIT_HLT,       /* insn_len */
    EXIT_PAUSE,     /* pause loop; not skipped */
    EXIT_XSETBV,    /* insn_len */
    EXIT_CR8,       /* CR8 read or write: cr8; insn_len */
    EXIT_WINDOW,    /* the guest can take an interrupt now */
    EXIT_P2M,       /* nested page fault: p2m */
    EXIT_UNDEFINED, /* an instruction we do not offer: inject #UD (VMX/SVM insns, RSM, ...) */
    EXIT_TRIPLE,    /* triple fault */
    EXIT_FAILED,    /* entry failed, or an exit nobody knows: text names it; crash the domain */
};

struct exit {
    enum exit_reason reason;
    uint32_t insn_len;
    union {
        struct {
            uint16_t port;
            uint8_t size; /* 1, 2, 4 */
            bool in, string;
        } io;
        struct {
            gpa_t gpa;
            bool write, fetch;
        } p2m;
        struct {
            bool write;
            uint8_t gpr; /* index into struct gprs */
        } cr8;
        struct {
            const char *text;
            uint64_t code, info;
        } failed;
    };
};

/* The exit becomes the domain's end. */
static inline void exit_failed(struct exit *e, const char *text, uint64_t code, uint64_t info)
{
    e->reason = EXIT_FAILED;
    e->failed.text = text;
    e->failed.code = code;
    e->failed.info = info;
}

#define VENDOR_ORDER 1 /* of what a vCPU has of the vendor's, at x86_vcpu.vendor */

struct vendor {
    const char *name; /* "VT-x" or "AMD-V" */
    /* NULL when this CPU can do all we need, else what is missing ("EPT", "NPT", ...). */
    const char *(*probe)(void);
    /* Turns it on on this CPU; NULL or what failed. */
    const char *(*cpu_on)(struct cpu *c);
    const char *(*used)(void); /* what not every CPU has and is used: ", ..."; for the log */
    const struct p2m_format *p2m_format;
    uint8_t hypercall_insn[3]; /* VMCALL or VMMCALL */

    /* Sets up the control block in the zeroed v->vendor, all but what set_state() does. */
    void (*vcpu_init)(struct x86_vcpu *v);
    void (*load)(struct x86_vcpu *v); /* control block, MSRs; not the FPU */
    void (*save)(struct x86_vcpu *v);
    /* Enters the guest and fills *e. Handles p2m generation and address-space tags by itself. */
    void (*run)(struct x86_vcpu *v, struct exit *e);

    /* Also work on a vCPU that is loaded nowhere. */
    void (*get_state)(struct x86_vcpu *v, struct vcpu_state *s);
    void (*set_state)(struct x86_vcpu *v, const struct vcpu_state *s);
    void (*get_mode)(struct x86_vcpu *v, struct vcpu_mode *m); /* of the loaded vCPU, quickly */

    void (*skip)(struct x86_vcpu *v, uint32_t len); /* next instruction; ends an interrupt shadow */
    bool (*can_inject)(struct x86_vcpu *v, bool nmi);          /* IF, shadow, no event queued */
    void (*inject)(struct x86_vcpu *v, const struct event *e); /* at the next entry */
    bool (*injecting)(struct x86_vcpu *v); /* an event is queued for the next entry already */
    /*
     * Exit when can_inject() becomes true and CR8 is below above; 16: whatever CR8, 0: do not.
     */
    void (*want_window)(struct x86_vcpu *v, unsigned above);
    uint8_t (*get_tpr)(struct x86_vcpu *v);           /* CR8 as the guest last set it */
    void (*set_tpr)(struct x86_vcpu *v, uint8_t tpr);
    void (*set_pat)(struct x86_vcpu *v, uint64_t pat);
    uint64_t efer_bits; /* those that a guest may set */
    void (*set_efer)(struct x86_vcpu *v, uint64_t efer);
};

extern const struct vendor vmx_vendor, svm_vendor;
extern const struct vendor *vendor;

/* The mode of this CPU's loaded vCPU, read once after each exit. */
static inline const struct vcpu_mode *vcpu_mode(struct x86_vcpu *v)
{
    if (!v->mode_known)
        vendor->get_mode(v, &v->mode);
    v->mode_known = true;
    return &v->mode;
}

/* Chooses the vendor; NULL, or one line that says why this machine cannot run guests. */
const char *vendor_init(void);

#endif

/* SPDX-License-Identifier: MIT */
/* Entry into a guest with what it has to be told, and what its exits mean, for both vendors. */
#include <stdint.h>

#include <xen/sched.h>
#include "hyp/lib/format.h"
#include "hyp/lib/log.h"
#include "hyp/x86/guest.h"
#include "hyp/x86/ioport.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/upcall.h"
#include "hyp/x86/vendor.h"
#include "hyp/x86/watch.h"

#define ANY_PRIORITY 16
#define TYPE_NMI     2

/* The best of what waits goes in; true when more waits for this moment to come again. */
static bool deliver_one(struct x86_vcpu *v)
{
    int vector;

    if (v->exception_pending) {
        if (!vendor->injecting(v)) {
            v->exception_pending = false;
            vendor->inject(v, &v->exception);
        }
    } else if (READ_ONCE(v->nmi_pending) && vendor->can_inject(v, true)) {
        __atomic_store_n(&v->nmi_pending, false, __ATOMIC_SEQ_CST);
        vendor->inject(v, &(struct event){.vector = 2, .type = TYPE_NMI});
    } else if (v->upcall && vendor->can_inject(v, false)) {
        vendor->inject(v, &(struct event){.vector = v->dom->callback_vector});
        /* Looked at again at the next exit: by then the handler will have taken the events. */
        return READ_ONCE(v->nmi_pending) || vlapic_pending(v) >= 0;
    } else if ((vector = vlapic_pending(v)) >= 0 && vendor->can_inject(v, false)) {
        vlapic_accept(v, (uint8_t)vector);
        vendor->inject(v, &(struct event){.vector = (uint8_t)vector});
    }
    return v->exception_pending || READ_ONCE(v->nmi_pending) || v->upcall || vlapic_pending(v) >= 0;
}

/* Everything that can become deliverable sets v->notified; what could not stays set. */
static void deliver(struct x86_vcpu *v)
{
    bool more;
    int behind;

    if (!READ_ONCE(v->notified))
        return;
    __atomic_store_n(&v->notified, false, __ATOMIC_SEQ_CST);
    v->upcall = v->dom->callback_vector && upcall_event_pending(v);
    vlapic_sync(v);
    more = deliver_one(v);
    behind = vlapic_behind_tpr(v);
    vendor->want_window(v, more ? ANY_PRIORITY : behind >= 0 ? (unsigned)behind >> 4 : 0);
    if (more || v->upcall || behind >= 0)
        v->notified = true;
}

bool vcpu_has_event(struct x86_vcpu *v)
{
    if (v->exception_pending || READ_ONCE(v->nmi_pending))
        return true;
    vlapic_sync(v);
    return vlapic_pending(v) >= 0 || (v->dom->callback_vector && upcall_event_pending(v));
}

/* What an administrator needs to find out why a guest ended. */
static void log_state(struct x86_vcpu *v)
{
    struct vcpu_state s;

    vendor->get_state(v, &s);
    log_line("[%s] vCPU %u: rip %x:%016lx rsp %016lx rflags %lx", v->dom->name, v->id, s.cs.sel,
             s.rip, s.rsp, s.rflags);
    log_line("[%s] vCPU %u: cr0 %lx cr2 %016lx cr3 %lx cr4 %lx efer %lx", v->dom->name, v->id,
             s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
}

static void crash(struct x86_vcpu *v, const char *why)
{
    log_state(v);
    upcall_shutdown(v, SHUTDOWN_crash, why);
}

/* Without an instruction emulator an access to nothing has no answer. */
static void p2m_fault(struct x86_vcpu *v, const struct exit *e)
{
    struct p2m *p2m = &v->dom->p2m;
    gfn_t gfn = gpa_to_gfn(e->p2m.gpa);
    char why[80];
    hfn_t f;
    enum p2m_type t = p2m_lookup(p2m, gfn, &f, NULL);

    if (t == P2M_RAM && e->p2m.fetch && p2m->code_4k && p2m_split(p2m, gfn)) {
        crash(v, "no memory for page tables");
        return;
    }
    if (t == P2M_RAM || (t != P2M_NONE && !e->p2m.fetch && !(e->p2m.write && t == P2M_GRANT_RO)))
        return; /* mapped since */
    format(why, sizeof(why), "%s of guest-physical address 0x%lx, where nothing %s",
           e->p2m.fetch   ? "fetch"
           : e->p2m.write ? "write"
                          : "read",
           e->p2m.gpa.val, t == P2M_NONE ? "is" : "may do so");
    crash(v, why);
}

static void halt(struct x86_vcpu *v, uint32_t insn_len)
{
    vendor->skip(v, insn_len);
    if (vcpu_mode(v)->rflags & RFLAGS_TF)
        return; /* the single-step trap is due, and it ends the halt */
    if (vcpu_mode(v)->rflags & RFLAGS_IF || READ_ONCE(v->nmi_pending))
        upcall_block(v);
    else
        upcall_stopped(v);
}

/* SDM vol. 2 XSETBV. */
static bool xsetbv(struct x86_vcpu *v)
{
    uint64_t value = (uint32_t)v->regs.rax | v->regs.rdx << 32;
    if (vcpu_mode(v)->cpl || (uint32_t)v->regs.rcx || value & ~features.xcr0 || !(value & XCR0_X87))
        return false;
    if (value & XCR0_AVX && !(value & XCR0_SSE))
        return false;
    if (value & XCR0_AVX512 && ((value & XCR0_AVX512) != XCR0_AVX512 || !(value & XCR0_AVX)))
        return false;
    v->xcr0 = value;
    write_xcr0(value);
    return true;
}

static bool cr8(struct x86_vcpu *v, const struct exit *e)
{
    uint64_t *reg = gpr(&v->regs, e->cr8.gpr);

    if (!e->cr8.write) {
        *reg = v->vlapic.reg[APIC_TPR] >> 4;
        return true;
    }
    if (*reg > 15)
        return false;
    v->vlapic.reg[APIC_TPR] = (uint32_t)*reg << 4;
    vendor->set_tpr(v, (uint8_t)*reg);
    v->notified = true;
    return true;
}

/* The instruction is done, or it faulted; or it is to be executed again a little later. */
static void finish(struct x86_vcpu *v, const struct exit *e, bool done)
{
    if (v->retry) {
        v->retry = false;
        upcall_yield(v);
    } else if (done) {
        vendor->skip(v, e->insn_len);
    } else {
        vcpu_inject(v, VECTOR_GP, true, 0);
    }
}

static void handle(struct x86_vcpu *v, const struct exit *e)
{
    switch (e->reason) {
    case EXIT_HYPERCALL:
        if (upcall_hypercall(v))
            vendor->skip(v, e->insn_len);
        break;
    case EXIT_CPUID:
        cpuid_guest(v);
        vendor->skip(v, e->insn_len);
        break;
    case EXIT_RDMSR:
        finish(v, e, msr_guest_read(v));
        break;
    case EXIT_WRMSR:
        finish(v, e, msr_guest_write(v));
        break;
    case EXIT_IO:
        ioport_access(v, e);
        break;
    case EXIT_HLT:
        halt(v, e->insn_len);
        break;
    case EXIT_PAUSE:
        upcall_yield(v);
        break;
    case EXIT_XSETBV:
        finish(v, e, xsetbv(v));
        break;
    case EXIT_CR8:
        finish(v, e, cr8(v, e));
        break;
    case EXIT_P2M:
        p2m_fault(v, e);
        break;
    case EXIT_UNDEFINED:
        vcpu_inject(v, VECTOR_UD, false, 0);
        break;
    case EXIT_TRIPLE:
        log_state(v);
        upcall_shutdown(v, SHUTDOWN_reboot, "triple fault");
        break;
    case EXIT_FAILED:
        log_line("[%s] vCPU %u: %s: code 0x%lx, info 0x%lx", v->dom->name, v->id, e->failed.text,
                 e->failed.code, e->failed.info);
        crash(v, e->failed.text);
        break;
    default: /* EXIT_NONE, _INTERRUPT, _NMI, _WINDOW: the loop looks after it */
        break;
    }
}

void vcpu_enter(struct x86_vcpu *v)
{
    struct exit e;

    deliver(v);
    v->mode_known = false;
    v->exits++;
    vendor->run(v, &e);
    this_cpu()->exited = rdtsc();
    WATCH(note("exit", e.reason, v->dom->name));
    handle(v, &e);
    if (v->exception_pending)
        v->notified = true;
}

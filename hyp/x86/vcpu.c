/* SPDX-License-Identifier: MIT */
/* A vCPU's registers outside the vendor's control block: made, loaded, saved, set for a start. */
#include "hyp/x86/vcpu.h"

#include <xen/errno.h>
#include "hyp/lib/log.h"
#include "hyp/lib/string.h"
#include "hyp/x86/regs.h"
#include "hyp/x86/spec.h"
#include "hyp/x86/vendor.h"

#define IO_BITMAP_ORDER 2
#define IO_BITMAP_SIZE  (3 * PAGE_SIZE) /* 65536 ports; what AMD-V reads behind them */
#define SERIAL2_FIRST   0x2f8U
#define XSAVE_FCW       0 /* offsets in the area: SDM vol. 1 fig. 10-5 */
#define XSAVE_MXCSR     24
#define FCW_RESET       0x37f
#define MXCSR_RESET     0x1f80
#define FXSAVE_SIZE     512

static unsigned xsave_order(void)
{
    return order_of(MAX(cpu_xsave_size(features.xcr0_host, false), (uint32_t)FXSAVE_SIZE));
}

int domain_arch_init(struct x86_domain *d)
{
    int rc;

    d->io_bitmap = hyp_alloc(IO_BITMAP_ORDER);
    if (!d->io_bitmap)
        return -XEN_ENOMEM;
    memset(d->io_bitmap, 0xff, IO_BITMAP_SIZE);
    if (d->serial2)
        d->io_bitmap[SERIAL2_FIRST / 8] = 0;
    rc = p2m_init(&d->p2m, vendor->p2m_format, (uint16_t)d->domid);
    d->p2m.code_4k = spec.code_4k;
    return rc;
}

void domain_arch_free(struct x86_domain *d)
{
    if (d->io_bitmap)
        hyp_free(d->io_bitmap, IO_BITMAP_ORDER);
    d->io_bitmap = NULL;
}

int vcpu_arch_init(struct x86_vcpu *v)
{
    v->pat = PAT_RESET;
    v->xcr0 = XCR0_X87;
    v->seen_gen = ~0UL;
    v->notified = true;
    v->walked[0].page = v->walked[1].page = NO_PAGE;
    timer_init(&v->vlapic.timer, vlapic_timer);
    v->xsave = hyp_alloc(xsave_order());
    v->vendor = hyp_alloc(VENDOR_ORDER);
    if (!v->xsave || !v->vendor) {
        vcpu_arch_free(v);
        return -XEN_ENOMEM;
    }
    *(uint16_t *)(void *)(v->xsave + XSAVE_FCW) = FCW_RESET;
    *(uint32_t *)(void *)(v->xsave + XSAVE_MXCSR) = MXCSR_RESET;
    vendor->vcpu_init(v);
    vcpu_set_sipi(v, 0);
    return 0;
}

void vcpu_arch_free(struct x86_vcpu *v)
{
    timer_cancel(&v->vlapic.timer);
    if (v->vendor)
        hyp_free(v->vendor, VENDOR_ORDER);
    if (v->xsave)
        hyp_free(v->xsave, xsave_order());
}

/*
 * AMD CPUs before Zen store and load the last x87 instruction's addresses only when one of its
 * exceptions waits (APM vol. 2 11.4.4): others' would stay. This instruction's take their place.
 */
static void x87_forget(void)
{
    static const int32_t nothing;

    __asm__ volatile("fnclex; emms; fildl %0" : : "m"(nothing));
}

static void fpu_load(struct x86_vcpu *v)
{
    if (features.keeps_x87_pointers)
        x87_forget();
    if (!features.xsave) {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(v->xsave) : "memory");
        return;
    }
    __asm__ volatile("xrstor64 (%0)" : : "r"(v->xsave), "a"(~0U), "d"(~0U) : "memory");
    if (v->xcr0 != features.xcr0_host)
        write_xcr0(v->xcr0);
}

/* The guest may have changed XCR0 by itself: QEMU's AMD-V does not exit for XSETBV. */
static void fpu_save(struct x86_vcpu *v)
{
    uint64_t xcr0;

    if (!features.xsave) {
        __asm__ volatile("fxsave64 (%0)" : : "r"(v->xsave) : "memory");
        return;
    }
    xcr0 = read_xcr0();
    v->xcr0 = xcr0 & features.xcr0;
    if (xcr0 != features.xcr0_host)
        write_xcr0(features.xcr0_host);
    __asm__ volatile("xsave64 (%0)" : : "r"(v->xsave), "a"(~0U), "d"(~0U) : "memory");
}

#define READ_DR(n, to) __asm__ volatile("mov %%dr" #n ", %0" : "=r"(to))
#define WRITE_DR(n, v) __asm__ volatile("mov %0, %%dr" #n : : "r"(v))

void vcpu_load(struct x86_vcpu *v)
{
    struct cpu *c = this_cpu();

    ASSERT(!c->loaded);
    c->loaded = v;
    v->cpu = c;
    v->notified = true;
    spec_switch(v);
    vendor->load(v);
    fpu_load(v);
    WRITE_DR(0, v->dr[0]);
    WRITE_DR(1, v->dr[1]);
    WRITE_DR(2, v->dr[2]);
    WRITE_DR(3, v->dr[3]);
    WRITE_DR(6, v->dr6);
}

void vcpu_save(struct x86_vcpu *v)
{
    READ_DR(0, v->dr[0]);
    READ_DR(1, v->dr[1]);
    READ_DR(2, v->dr[2]);
    READ_DR(3, v->dr[3]);
    READ_DR(6, v->dr6);
    fpu_save(v);
    vendor->save(v);
    this_cpu()->loaded = NULL;
}

void vcpu_set_pvh_entry(struct x86_vcpu *v, uint32_t entry, uint32_t start_info)
{
    const struct segment flat = {.attr = 0xc93, .limit = ~0U};
    struct vcpu_state s = {
        .rip = entry,
        .rflags = RFLAGS_1,
        .cr0 = CR0_PE | CR0_ET,
        .dr7 = DR7_RESET,
        .cs = {.attr = 0xc9b, .limit = ~0U},
        .tr = {.attr = 0x8b, .limit = 0x67},
        .ldt = {.attr = 0x82, .limit = 0},
    };

    s.ds = s.es = s.fs = s.gs = s.ss = flat;
    v->regs = (struct gprs){.rbx = start_info};
    vendor->set_state(v, &s);
}

/* The state after INIT and SIPI: SDM vol. 3 table 10-1 and ch. 9.4. The FPU's stays. */
void vcpu_set_sipi(struct x86_vcpu *v, uint8_t vector)
{
    const struct segment real = {.attr = 0x93, .limit = 0xffff};
    struct vcpu_state s = {
        .rflags = RFLAGS_1,
        .cr0 = CR0_ET,
        .dr7 = DR7_RESET,
        .cs = {(uint16_t)(vector << 8), 0x9b, 0xffff, (uint64_t)vector << 12},
        .tr = {.attr = 0x8b, .limit = 0xffff},
        .ldt = {.attr = 0x82, .limit = 0xffff},
        .gdt = {.limit = 0xffff},
        .idt = {.limit = 0xffff},
    };

    s.ds = s.es = s.fs = s.gs = s.ss = real;
    v->regs = (struct gprs){.rax = 0};
    memset(v->dr, 0, sizeof(v->dr));
    v->dr6 = DR6_RESET;
    v->spec_ctrl = 0;
    v->nmi_pending = false;
    v->exception_pending = false;
    vlapic_reset(v);
    vendor->set_state(v, &s);
}

void vcpu_inject(struct x86_vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
    v->exception_pending = true;
    v->exception = (struct event){vector, 3, has_error, error};
}

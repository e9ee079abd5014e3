/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls of two domains on a host with little memory: all handlers, grants, event channels, the
 * p2m and the ways to guest memory are the real ones. Domains die and come back in between, memory
 * runs out, guests write to anything of theirs at any time. After each call no lock is held and no
 * window is open; at the end every reference has a reason, and all memory comes back.
 */
#include "tests/fuzz/callgen.h"

#include "hyp/x86/upcall.h"
#include "mm/arch.h"
#include "tests/fuzz/audit.h"
#include "tests/unit/fake_arch.h"
#include "tests/unit/fake_call.h"

#define FRAMES       2048U /* the first chunk of 2 MiB is never whole, one is the hypervisor's */
#define ACTIONS      160U
#define EXECUTIONS   2000U
#define RESTARTS     40U /* a longer call is left as it is: its vCPU might never run again */
#define LARGE_MEMORY 1800U
#define TABLES       60U /* first of the frames with page tables, when paging is on */

static struct domain *dom[2];
static struct vcpu *current;
static void *hoard[FRAMES];
static unsigned hoarded;
static struct call last;
static unsigned executions; /* left for this input */

/* A write that comes in the middle of a call: when this many more windows have been opened. */
static struct {
    unsigned after;
    struct domain *d;
    uint64_t gpa, value;
} ambush;

void *__real_arch_slot_map(hfn_t f);
void *__wrap_arch_slot_map(hfn_t f);
void *__wrap_arch_slot_map(hfn_t f)
{
    if (ambush.after && !--ambush.after && !spin_is_locked(&ambush.d->arch.p2m.lock))
        callgen_poke(ambush.d, ambush.gpa, &ambush.value, sizeof(ambush.value));
    return __real_arch_slot_map(f);
}

/* Time for others comes whenever a call has asked for it so many times. */
static unsigned asked, patience;

bool __real_run_preempted(void);
bool __wrap_run_preempted(void);
bool __wrap_run_preempted(void)
{
    return !(++asked % patience) || __real_run_preempted();
}

/* What hyp/dom/vcpuinfo.c needs of the rest. */
uint64_t tsc_to_ns(uint64_t tsc)
{
    (void)tsc;
    return fake_now;
}

uint64_t wallclock_boot_ns(void)
{
    return 0;
}

void run_wake(struct vcpu *v)
{
    (void)v;
}

static struct domain *create(uint16_t id, uint8_t how)
{
    struct domain *d = fake_call_domain(id, 2, id == 1 ? "one" : "two");
    struct bundle_domain *r = d->record;
    const uint64_t table[4] = {(TABLES + 1) << PAGE_SHIFT | 7, (TABLES + 2) << PAGE_SHIFT | 7,
                               0x87};

    d->memory_max = how & 1 ? LARGE_MEMORY : FAKE_RAM + 8;
    d->arch.p2m.max_tables = 128 + d->memory_max / 256;
    r->memory_target = how & 2 ? 5UL << 30 : FAKE_RAM * PAGE_SIZE;
    if (id == 1 && how & 4) {
        r->privileges = BUNDLE_PRIV_CONTROL | BUNDLE_PRIV_SERIAL2;
        r->class = BUNDLE_CLASS_CTL;
    }
    if (id == 2 && (how & 0x24) == 0x24) {
        d->state = BH_DOMAIN_LOADING;
        r->nsegments = 2;
        r->segments[0].file_size = 3 * PAGE_SIZE + 7;
        r->segments[1].file_size = 64;
    }
    for (unsigned i = 0; i < 3; i++) /* linear is physical, by a page of 2 MiB */
        callgen_poke(d, (TABLES + i) << PAGE_SHIFT, &table[i], sizeof(table[i]));
    return d;
}

static void release(void)
{
    while (hoarded)
        hyp_free(hoard[--hoarded], 0);
}

/* All memory goes but for some frames. */
static void take_memory(unsigned left)
{
    while (hoarded < FRAMES && (hoard[hoarded] = hyp_alloc(0)))
        hoarded++;
    while (hoarded && left--)
        hyp_free(hoard[--hoarded], 0);
}

static void kill(unsigned i)
{
    struct domain *d = dom[i];

    if (current && current->dom == d)
        current = NULL;
    if (ambush.d == d)
        ambush.after = 0;
    d->state = BH_DOMAIN_ZOMBIE;
    if (fake_destroy(d))
        dom[i] = NULL;
}

/* The dead go when nobody maps their frames any more, and new ones take their numbers. */
static void revive(uint8_t how)
{
    for (unsigned i = 0; i < 2; i++) {
        if (dom[i] && (dom[i]->state == BH_DOMAIN_ZOMBIE || dom[i]->dying))
            kill(i);
        if (!dom[i] && !hoarded)
            dom[i] = create((uint16_t)(i + 1), how);
    }
}

static void check_idle(void)
{
    void *window[SLOT_DEPTH];

    for (unsigned i = 0; i < SLOT_DEPTH; i++) /* aborts when one is open */
        window[i] = __real_arch_slot_map(mk_hfn(1));
    for (unsigned i = SLOT_DEPTH; i--;)
        arch_slot_unmap(window[i]);
    for (unsigned i = 0; i < 2; i++)
        MUST(!dom[i] || (fake_idle(dom[i]) && !spin_is_locked(&dom[i]->lock) &&
                         !spin_is_locked(&dom[i]->arch.p2m.lock)));
    MUST(!current || (!spin_is_locked(&current->area_lock) &&
                      current->dom->arch.p2m.ram_frames <= current->dom->memory_max));
}

static void run(const struct call *c)
{
    current->arch.regs =
        (struct gprs){.rax = c->nr, .rdi = c->args[0], .rsi = c->args[1], .rdx = c->args[2]};
    for (unsigned i = 0; i < RESTARTS && executions; i++) {
        executions--;
        if (upcall_hypercall(&current->arch))
            break;
        if (current->down) /* it does not go on, and a call may have given it other registers */
            break;
        MUST(current->arch.regs.rax == c->nr);
        check_idle();
        fake_resched = false;
    }
    fake_resched = false;
    check_idle();
}

/* The calls of f's next bytes as one. */
static void multicall(struct fuzz *f)
{
    unsigned n = 1 + fuzz_byte(f) % 8;
    struct call c;

    for (unsigned i = 0; i < n; i++) {
        uint64_t at = CALLGEN_CALLS + i * sizeof(struct multicall_entry);
        unsigned kind = fuzz_byte(f);
        struct multicall_entry e = {0};

        if (kind < callgen_kinds())
            callgen_make(f, current->dom, kind, CALLGEN_ARGS + i * 512, &c);
        else
            callgen_raw(f, &c);
        e.op = c.nr;
        memcpy(e.args, c.args, sizeof(c.args));
        callgen_poke(current->dom, at, &e, sizeof(e));
    }
    run(&(struct call){__HYPERVISOR_multicall, {CALLGEN_CALLS, n}});
}

static void set_grant(struct fuzz *f)
{
    uint32_t ref = fuzz_byte(f) % 16;
    grant_entry_v1_t *table = grant_frame(current->dom, ref & 8 ? 1 : 0), e;

    e.flags = (uint16_t)(fuzz_byte(f) < 0xf0 ? GTF_permit_access | (ref & 4 ? GTF_readonly : 0)
                                             : fuzz_bytes(f, 2));
    e.domid = (uint16_t)(1 + fuzz_byte(f) % 2);
    e.frame = fuzz_byte(f);
    if (table)
        table[ref] = e;
}

static void switch_vcpu(struct fuzz *f)
{
    uint8_t b = fuzz_byte(f);
    struct domain *d = dom[b & 1];

    if (d && d->state == BH_DOMAIN_RUNNING)
        current = d->vcpus[b >> 1 & 1];
}

static void set_ambush(struct fuzz *f)
{
    ambush.after = 1 + fuzz_byte(f) % 32;
    ambush.d = current->dom;
    ambush.gpa = callgen_address(f);
    ambush.value = fuzz_byte(f) & 1 ? callgen_address(f) : fuzz_number(f);
}

/* What the rest of the hypervisor does at any time. */
static void hypervisor(struct fuzz *f)
{
    uint8_t b = fuzz_byte(f);

    switch (b & 7) {
    case 0:
        evtchn_raise(current->dom, b >> 3);
        break;
    case 1:
        evtchn_send_virq(current, b >> 3 & 7);
        break;
    case 2:
        if (fake_irq)
            fake_irq(fake_irq_arg);
        break;
    case 3:
        fake_now += fuzz_number(f) >> 16;
        break;
    case 4:
        fake_event = b & 8;
        break;
    case 5:
        fake_resched = true;
        break;
    case 6:
        vcpu_info_time(current);
        break;
    default:
        vcpu_info_runstate_write(current, b >> 3 & 3);
    }
}

static void set_mode(uint8_t b)
{
    fake_mode.cpl = b & 1 ? 3 : 0;
    fake_mode.code64 = !(b & 2);
    fake_mode.rflags = b & 4 ? 2 : 0x202;
}

enum action {
    FIRST = 0xa0,
    MULTICALL = FIRST,
    POKE = 0xb0,
    LIST = 0xb8,
    SET_GRANT = 0xc0,
    SWITCH = 0xd0,
    KILL = 0xe0,
    MEMORY = 0xe4,
    AMBUSH = 0xe8,
    HYPERVISOR = 0xf0,
    REPEAT = 0xf8,
    MODE = 0xfc,
};

static void act(struct fuzz *f)
{
    uint8_t what = fuzz_byte(f);
    uint64_t v;

    if (what < callgen_kinds()) {
        callgen_make(f, current->dom, what, CALLGEN_ARGS, &last);
        run(&last);
    } else if (what < FIRST) {
        callgen_raw(f, &last);
        run(&last);
    } else if (what < POKE) {
        multicall(f);
    } else if (what < LIST) {
        v = fuzz_number(f);
        callgen_poke(current->dom, callgen_address(f), &v, 1 + what % 8);
    } else if (what < SET_GRANT) {
        callgen_list(f, current->dom);
    } else if (what < SWITCH) {
        set_grant(f);
    } else if (what < KILL) {
        switch_vcpu(f);
    } else if (what < MEMORY) {
        if (dom[what & 1])
            kill(what & 1);
    } else if (what < AMBUSH) {
        hoarded ? release() : take_memory(fuzz_byte(f));
    } else if (what < HYPERVISOR) {
        set_ambush(f);
    } else if (what < REPEAT) {
        hypervisor(f);
    } else if (what < MODE) {
        for (unsigned n = fuzz_byte(f) * 8U; n && last.nr && executions; n--)
            run(&last);
    } else {
        set_mode(fuzz_byte(f));
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    callgen_check();
    fake_call_machine(FRAMES);
    return 0;
}

static void begin(uint8_t how)
{
    fake_mode = (struct vcpu_mode){.code64 = true, .rflags = 0x202};
    if (how & 8) {
        fake_mode.cr0 = 0x80010011; /* PG, WP, PE */
        fake_mode.cr3 = TABLES << PAGE_SHIFT;
        fake_mode.cr4 = 0x20;
        fake_mode.efer = 0xd00;
    }
    fake_now = 1000000000;
    fake_event = false;
    fake_log[0] = 0;
    fake_irq = NULL;
    ambush.after = 0;
    current = NULL;
    last.nr = 0;
    executions = EXECUTIONS;
    asked = 0;
    patience = 1 + (how >> 4) * 4U;
    revive(how);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fuzz f = {data, data + n};
    uint8_t how = fuzz_byte(&f);

    begin(how);
    for (unsigned i = 0; i < ACTIONS && fuzz_left(&f); i++) {
        revive(how);
        if (!current || current->dom->state != BH_DOMAIN_RUNNING)
            current = dom[0] && dom[0]->state == BH_DOMAIN_RUNNING   ? dom[0]->vcpus[0]
                      : dom[1] && dom[1]->state == BH_DOMAIN_RUNNING ? dom[1]->vcpus[0]
                                                                     : NULL;
        if (!current)
            release(); /* nobody is left, and no memory for others */
        else
            act(&f);
    }
    audit(dom, 2);
    ambush.after = 0;
    release();
    for (unsigned i = 0; i < 4; i++)
        if (dom[i % 2]) {
            kill(i % 2);
            audit(dom, 2);
        }
    MUST(!dom[0] && !dom[1] && !fake_irq && fake_call_clean());
    return 0;
}

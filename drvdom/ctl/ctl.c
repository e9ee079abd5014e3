/* SPDX-License-Identifier: MIT */
/*
 * The control domain: backend of all consoles, keeper of the domains' entries in the store, and the
 * host's end of the second serial port.
 */
#include "drvdom/ctl/ctl.h"

#include "drvdom/ctl/consoles.h"
#include "drvdom/ctl/domstore.h"
#include "drvdom/ctl/screen.h"
#include "drvdom/ctl/services.h"
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"

#include <xen/hvm/params.h>

#define POLL_NS      1000000UL /* while output waits: sending is polled */
#define LOOK_NS      20000UL   /* while input comes: so is receiving, as an interrupt costs more */
#define QUIET_NS     500000UL  /* without input: interrupts again */
#define ROUNDS       4U        /* of what moves, before we look who else wants something */
#define TERMINAL_IRQ 3

static uint32_t virq_port;
static uint64_t heard; /* when input came last; 0: interrupts are on */

/* A domain that the bundle brought runs as soon as its entries are in the store; another, when a
 * client wants that, too. */
static void start_if_ready(const struct bh_domain_info *d)
{
    struct bh_control arg = {.domid = d->domid};

    if (d->state != BH_DOMAIN_READY || !domstore_ready(d->domid) ||
        (d->flags & BH_DOMAIN_CREATED && !domstore_wanted(d->domid)))
        return;
    if (HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_unpause, &arg))
        rt_print("ctl: %s cannot be started\n", d->name);
}

void ctl_scan(void)
{
    struct bh_domain_info d;
    struct bh_control arg = {.buffer = (uint64_t)&d, .size = sizeof(d)};

    consoles_scan_begin();
    domstore_scan_begin();
    svc_events_scan_begin();
    for (; !HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_next, &arg); arg.domid++) {
        struct console *c = consoles_scan(&d);

        if (c)
            screen_offer(c);
        domstore_scan(&d);
        svc_events_scan(&d);
        start_if_ready(&d);
        arg.size = sizeof(d);
    }
    consoles_scan_end();
    domstore_scan_end();
    svc_events_scan_end();
}

static void serve(void);

/* Comes back when something is due, soon while output waits, at once when there is more to do. */
static void arm_timer(bool more)
{
    uint64_t due = more ? 0 : services_due();

    if (terminal_pump() || consoles_wait())
        due = MIN(due, rt_now() + POLL_NS);
    if (heard)
        due = MIN(due, rt_now() + LOOK_NS);
    if (due != ~0UL)
        rt_set_timer(due, serve);
}

static void listen(void)
{
    uint8_t bytes[64];
    size_t n = terminal_read(bytes, sizeof(bytes));
    uint64_t now = rt_now();

    services_input(bytes, n, now);
    if (n) {
        if (!heard)
            terminal_interrupts(false);
        heard = now;
    } else if (heard && now - heard >= QUIET_NS) {
        terminal_interrupts(true);
        heard = 0;
    }
}

static void serve(void)
{
    bool moved = true;

    listen();
    for (unsigned i = 0; moved && i < ROUNDS; i++) {
        moved = consoles_serve();
        moved |= screen_serve();
        moved |= services_serve();
        moved |= domstore_serve();
    }
    arm_timer(moved);
}

static void open_terminal(void)
{
    int port;

    if (!terminal_init()) {
        rt_print("ctl: no second serial port: consoles go to the host log only\n");
        return;
    }
    port = rt_bind_pirq(TERMINAL_IRQ);
    if (port < 0)
        rt_panic("ctl: IRQ %d: error %d", TERMINAL_IRQ, port);
}

/* The builder has made our ring; the store binds to its port when it runs. */
static void open_store(void)
{
    uint32_t port = (uint32_t)rt_param(HVM_PARAM_STORE_EVTCHN);

    if (!port)
        return;
    rt_unmask(port);
    domstore_init((void *)(rt_param(HVM_PARAM_STORE_PFN) << 12), port);
}

/* What a life of ours before this one was making for a client who has lost us. */
static void destroy_half_made(void)
{
    struct bh_domain_info d = {0};
    struct bh_control arg = {.buffer = (uint64_t)&d, .size = sizeof(d)};

    for (; !HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_next, &arg); arg.domid++) {
        if (d.flags & BH_DOMAIN_CREATED && d.state <= BH_DOMAIN_LOADING)
            HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_destroy, &arg);
        arg.size = sizeof(d);
    }
}

static void init(void)
{
    int port = rt_bind_virq(VIRQ_DOM_EXC);

    if (port < 0)
        rt_panic("ctl: VIRQ_DOM_EXC: error %d", port);
    virq_port = (uint32_t)port;
    open_terminal();
    open_store();
    destroy_half_made();
    services_init();
    ctl_scan();
    serve();
}

static void notified(uint32_t port)
{
    if (port == virq_port)
        ctl_scan();
    serve();
}

const struct component component = {COMPONENT_MAGIC, init, notified};

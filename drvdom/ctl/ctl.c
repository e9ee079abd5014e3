/* SPDX-License-Identifier: MIT */
/*
 * The control domain: backend of all consoles, and the host's end of the second serial port.
 */
#include "drvdom/ctl/consoles.h"
#include "drvdom/ctl/screen.h"
#include "drvdom/ctl/terminal.h"
#include "guestdrv/rt/rt.h"

#define POLL_NS      10000000UL /* while output waits: not every UART interrupts reliably */
#define TERMINAL_IRQ 3

static uint32_t virq_port;

/* Compares the hypervisor's list of domains with ours. */
static void scan(void)
{
    struct bh_domain_info d;
    struct bh_control arg = {.buffer = (uint64_t)&d, .size = sizeof(d)};

    consoles_scan_begin();
    for (; !HYPERCALL2(BH_HYPERVISOR_control, BH_CONTROL_next, &arg); arg.domid++) {
        struct console *c = consoles_scan(&d);

        if (c)
            screen_offer(c);
        arg.size = sizeof(d);
    }
    consoles_scan_end();
}

static void serve(void)
{
    bool moved;
    int byte;

    while ((byte = terminal_read()) >= 0)
        screen_input((char)byte);
    do {
        moved = consoles_serve();
        moved |= screen_serve();
    } while (moved);
    if (terminal_pump() || consoles_wait())
        rt_set_timer(rt_now() + POLL_NS, serve);
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

static void init(void)
{
    int port = rt_bind_virq(VIRQ_DOM_EXC);

    if (port < 0)
        rt_panic("ctl: VIRQ_DOM_EXC: error %d", port);
    virq_port = (uint32_t)port;
    open_terminal();
    scan();
    serve();
}

static void notified(uint32_t port)
{
    if (port == virq_port)
        scan();
    serve();
}

const struct component component = {COMPONENT_MAGIC, init, notified};

/* SPDX-License-Identifier: MIT */
/*
 * The log's way out: the first serial port, a 16550 at 115200 8N1 (PC16550D data sheet, section 8),
 * and port 0xE9, which emulators print. Write-only and polled: this is no driver.
 */
#include "hyp/lib/log.h"
#include "hyp/x86/machine.h"

#define COM1        0x3f8
#define REG_IER     (COM1 + 1)
#define REG_FCR     (COM1 + 2)
#define REG_LCR     (COM1 + 3)
#define REG_MCR     (COM1 + 4)
#define REG_LSR     (COM1 + 5)
#define REG_SCRATCH (COM1 + 7)
#define LCR_8N1     0x03
#define LCR_DLAB    0x80
#define FCR_FIFO    0x07 /* enable, clear both */
#define MCR_DTR_RTS 0x03
#define LSR_TX_IDLE 0x20
#define LSR_DRAINED 0x40
#define FIFO_SIZE   16
#define DRAIN_TRIES 1000000 /* a port that never drains must not keep the machine on */
#define DEBUG_PORT  0xe9

static bool serial, debug_port;

/* Takes at most what the FIFO holds; with no port at all everything is swallowed. */
static size_t out(const char *text, size_t n)
{
    size_t taken = n;

    if (serial) {
        if (!(inb(REG_LSR) & LSR_TX_IDLE))
            return 0;
        taken = MIN(n, FIFO_SIZE);
        for (size_t i = 0; i < taken; i++)
            outb(COM1, (uint8_t)text[i]);
    }
    for (size_t i = 0; debug_port && i < taken; i++)
        outb(DEBUG_PORT, (uint8_t)text[i]);
    return taken;
}

static bool serial_init(void)
{
    outb(REG_SCRATCH, 0xa5);
    if (inb(REG_SCRATCH) != 0xa5)
        return false;
    outb(REG_IER, 0);
    outb(REG_LCR, LCR_DLAB);
    outb(COM1, 1); /* divisor 1: 115200 */
    outb(REG_IER, 0);
    outb(REG_LCR, LCR_8N1);
    outb(REG_FCR, FCR_FIFO);
    outb(REG_MCR, MCR_DTR_RTS);
    return true;
}

void uart_init(void)
{
    static const struct log_sink sink = {out, now_ns};

    serial = serial_init();
    debug_port = inb(DEBUG_PORT) == DEBUG_PORT;
    log_init(&sink);
}

void uart_drain(void)
{
    for (unsigned i = 0; serial && i < DRAIN_TRIES && !(inb(REG_LSR) & LSR_DRAINED); i++)
        cpu_relax();
}

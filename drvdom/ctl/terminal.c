/* SPDX-License-Identifier: MIT */
/* 16550 registers: National Semiconductor PC16550D data sheet, section 8. */
#include "drvdom/ctl/terminal.h"

#include "hyp/lib/util.h"

#define PORT        0x2f8
#define REG_DATA    0
#define REG_IER     1
#define REG_FCR     2
#define REG_LCR     3
#define REG_MCR     4
#define REG_LSR     5
#define REG_SCRATCH 7
#define IER_RX      0x01 /* sending is polled: a held THRE would swallow the edges of others */
#define FCR_FIFO    0xc7 /* enable, clear both; interrupt at 14 bytes, or a pause of 4 behind fewer */
#define LCR_8N1     0x03
#define LCR_DLAB    0x80
#define MCR_ON      0x0b /* DTR, RTS, OUT2: interrupts reach the interrupt controller */
#define LSR_RX      0x01
#define LSR_TX_IDLE 0x20
#define FIFO_SIZE   16

static char buffer[4096];
static uint32_t head, tail; /* next to write, next to send; free-running */
static bool present;

static void reg_write(uint16_t reg, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"((uint16_t)(PORT + reg)));
}

static uint8_t reg_read(uint16_t reg)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"((uint16_t)(PORT + reg)));
    return v;
}

bool terminal_init(void)
{
    reg_write(REG_SCRATCH, 0x5a);
    present = reg_read(REG_SCRATCH) == 0x5a;
    if (!present)
        return false;
    reg_write(REG_IER, 0);
    reg_write(REG_LCR, LCR_DLAB);
    reg_write(REG_DATA, 1); /* divisor 1: 115200 */
    reg_write(REG_IER, 0);
    reg_write(REG_LCR, LCR_8N1);
    reg_write(REG_FCR, FCR_FIFO);
    reg_write(REG_MCR, MCR_ON);
    reg_write(REG_IER, IER_RX);
    return true;
}

size_t terminal_room(void)
{
    return sizeof(buffer) - (head - tail);
}

static void put(char c)
{
    buffer[head++ % sizeof(buffer)] = c;
}

size_t terminal_write(const char *text, size_t n, bool cooked)
{
    size_t done = 0;

    if (!present)
        return n;
    for (; done < n && terminal_room() >= 2; done++) {
        if (cooked && text[done] == '\n')
            put('\r');
        put(text[done]);
    }
    terminal_pump();
    return done;
}

bool terminal_pump(void)
{
    while (head != tail && (reg_read(REG_LSR) & LSR_TX_IDLE)) /* an emulated one is at once */
        for (unsigned i = 0; i < FIFO_SIZE && head != tail; i++)
            reg_write(REG_DATA, (uint8_t)buffer[tail++ % sizeof(buffer)]);
    return head != tail;
}

size_t terminal_read(uint8_t *bytes, size_t n)
{
    size_t done = 0;

    for (; present && done < n && (reg_read(REG_LSR) & LSR_RX); done++)
        bytes[done] = reg_read(REG_DATA);
    return done;
}

void terminal_interrupts(bool on)
{
    reg_write(REG_IER, on ? IER_RX : 0);
}

/* SPDX-License-Identifier: MIT */
/* bl at the other end of the control domain's line: the real mux, and a perfect line. */
#ifndef BH_UNIT_CTLLINE_H
#define BH_UNIT_CTLLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drvdom/ctl/mux.h"

#define LINE_PLENTY 1000000U /* bytes of credit */

struct line_end {
    struct channel *c; /* NULL: closed, or refused */
    bool opened;
    int error; /* refused */
    char why[80];
    bool deaf; /* has no more credit to give */
    uint8_t come[65536];
    size_t n;
    const uint8_t *out; /* what is to be sent */
    size_t left;
};

/* A host, with a store or without one, and a session with it. */
void line_begin(bool store);
/* A session begins; it ends. */
void line_up(void);
void line_down(void);
/* Opens a channel for who takes so many bytes. */
void line_open(struct line_end *e, uint32_t service, uint32_t argument, uint32_t credit);
/* The same with plenty, and that is granted. */
void line_opened(struct line_end *e, uint32_t service, uint32_t argument);
/* bytes stay where they are until they are sent. */
void line_send(struct line_end *e, const void *bytes, size_t n);
void line_close(struct line_end *e);
/* Carries what there is, both ways; true: something was there. */
bool line_carry(void);

#endif

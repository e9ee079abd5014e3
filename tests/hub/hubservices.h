/* SPDX-License-Identifier: MIT */
/* Services of the host's end of a line, for the hub's test. */
#ifndef BH_HUB_HUBSERVICES_H
#define BH_HUB_HUBSERVICES_H

#include <stdint.h>

/* Commands of CONTROL. All answer with the bytes of the request inverted, as many as are wanted,
 * and args.b their CRC-32C. */
enum {
    SAY_FINE,
    SAY_ERROR,    /* args.a */
    SAY_OTHER_ID, /* an answer to something else */
    SAY_TOO_MUCH, /* more than is wanted */
    COUNT,        /* args.a: open channels */
};

/* CONSOLE, by number: STORE gives back what it gets, EVENTS is silent. */
enum {
    FLOOD,   /* FLOOD_BYTES, byte i being i * 7 + i / 256 */
    NOBODY,  /* refused */
    FAREWELL /* says "bye" and ends */
};
#define FLOOD_BYTES (1U << 20)

#endif

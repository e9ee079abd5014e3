/* SPDX-License-Identifier: MIT */
/* Guests made by the control hypercall: what they are, and calls that this test makes often. */
#ifndef BH_GUEST_MAKER_H
#define BH_GUEST_MAKER_H

#include "hyp/abi/bundle.h"
#include "hyp/abi/control.h"
#include "tests/guest/probe.h"

#define MS 1000000UL

/* What a guest does: counts at COUNTER for ever; halts for good; wakes and counts; see maker.c. */
enum maker_kind { MAKER_COUNTS, MAKER_HALTS, MAKER_SLEEPS };
#define COUNTER     0x200000UL
#define CODE        0x100000UL
#define MAKER_RAX   0x12345678U
#define MAKER_SIZE  9001UL /* bytes of the first segment */
#define MAKER_SIZE2 4096UL

extern struct bundle_domain maker_record;
extern uint8_t maker_image[MAKER_SIZE], maker_module[MAKER_SIZE2];
extern uint8_t maker_page[4096]; /* what the last maker_read() found */

/* maker_record for a guest of this name and kind: 4 MiB, two segments with bytes, one without. */
void maker_prepare(const char *name, enum maker_kind kind);
/* After a change of maker_record. */
void maker_seal(void);

/* A command about domid; further arguments in *arg. */
long maker_call(enum bh_control_command command, uint32_t domid, struct bh_control *arg);
long maker_simple(enum bh_control_command command, uint32_t domid, uint64_t a, uint64_t b);
/* Creates from maker_record: the number, or an error. */
long maker_create(void);
/* n bytes at p as bytes at.. of segment s. */
long maker_load(uint32_t domid, uint32_t s, uint64_t at, const void *p, uint64_t n);
/* The segment whose bytes it waits for, from the first on; 3: none. */
uint32_t maker_wanted(uint32_t domid);
/* Loads all, in pieces. */
long maker_load_all(uint32_t domid);

/* The domain's state, or -XEN_ESRCH; *info if wanted. */
long maker_info(uint32_t domid, struct bh_domain_info *info);
/* Waits for a state, -XEN_ESRCH: until it is gone; what came instead. */
long maker_wait(uint32_t domid, long state);
void maker_sleep(uint64_t ns);
/* Reads the page at gfn or behind: its number, or an error. */
long maker_read(uint32_t domid, uint64_t gfn);
/* The guest's counter. */
uint32_t maker_counter(uint32_t domid);
/* Made, loaded, finished: in state READY; and running. */
uint32_t maker_ready(const char *name, enum maker_kind kind);
uint32_t maker_run(const char *name, enum maker_kind kind);
uint64_t maker_free_memory(void);
/* The same once it is what is expected, or (0) stands still: a domain's last frames are free soon
 * after it is in no list any more. */
uint64_t maker_settled_memory(uint64_t expected);

/* shared.c */
void test_shared(void);

#endif

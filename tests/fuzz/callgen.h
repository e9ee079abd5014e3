/* SPDX-License-Identifier: MIT */
/* Hypercalls made from fuzz data: arguments that often make sense, and some that never do. */
#ifndef BH_FUZZ_CALLGEN_H
#define BH_FUZZ_CALLGEN_H

#include "tests/fuzz/fuzz.h"

#include "hyp/dom/dom.h"

/* Guest-physical, which is guest-linear too. */
#define CALLGEN_ARGS  0x8000UL /* structs, one page; of a multicall's entries, one after another */
#define CALLGEN_LISTS 0x9000UL /* two lists of frames and one of errors, a page each */
#define CALLGEN_CALLS 0xc000UL /* a multicall's entries */

struct call {
    uint64_t nr, args[3];
};

/* The layouts below fit their structs. */
void callgen_check(void);
/* Kinds of calls; one made of f, its struct written to guest-physical at. */
unsigned callgen_kinds(void);
void callgen_make(struct fuzz *f, struct domain *d, unsigned kind, uint64_t at, struct call *c);
/* Any number with any arguments. */
void callgen_raw(struct fuzz *f, struct call *c);
/* Fills one of the lists with frames. */
void callgen_list(struct fuzz *f, struct domain *d);
/* Writes to guest memory as the guest would; where it cannot, nothing. */
void callgen_poke(struct domain *d, uint64_t gpa, const void *p, size_t n);
/* An address that is a guest's argument. */
uint64_t callgen_address(struct fuzz *f);

#endif

/* SPDX-License-Identifier: MIT */
/* Writes the bundle (hyp/abi/bundle.h) of a host. */
#ifndef BH_TOOLS_MKBUNDLE_H
#define BH_TOOLS_MKBUNDLE_H

#include <stddef.h>
#include <stdint.h>
#include "xml/domcfg.h"

/* Paths of the ELF files of the domains that <control/> means; store: may be NULL. */
struct bundle_ours {
    const char *control, *store;
};

/*
 * The bundle of h, in memory. progress, when
 * not NULL, is told each domain's name before its files are read. NULL, or the line that says what
 * is wrong; *out is to be freed.
 */
const char *bundle_make(const struct hostcfg *h, const struct bundle_ours *ours,
                        void (*progress)(const char *name), uint8_t **out, size_t *size);

#endif

/* SPDX-License-Identifier: MIT */
/* A domain as the hypervisor takes it, made of what its XML says: record and segments. */
#ifndef BH_TOOLS_MKDOMAIN_H
#define BH_TOOLS_MKDOMAIN_H

#include "hyp/abi/bundle.h"
#include "tools/kernel.h"
#include "xml/domcfg.h"

struct mkdomain {
    struct bundle_domain record; /* offset 0 in each segment; checksum still to be set */
    const uint8_t *data[BUNDLE_MAX_SEGMENTS]; /* file_size bytes of each segment */
    struct kernel kernel;                     /* in which data points */
    uint8_t *initrd;
};

/*
 * Reads the files that d names; host is the host's name. NULL, or the line that says what is wrong.
 * mkdomain_free() in either case.
 */
const char *mkdomain(struct mkdomain *m, const char *host, const struct domcfg *d);
void mkdomain_free(struct mkdomain *m);
/* To be called when nothing changes any more in the record. */
void mkdomain_seal(struct bundle_domain *record);

#endif

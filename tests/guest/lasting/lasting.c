/* SPDX-License-Identifier: MIT */
/*
 * A domain of ours, for the test makes it one, with a vault of as many pages as the second number
 * on its command line says. It counts its lives in each of them, looks whether they agree, and
 * crashes, but for the last of as many lives as the first number says.
 */
#include "tests/guest/probe.h"

#include <xen/sched.h>
#include "hyp/abi/bundle.h"

#define PAGE_WORDS (BUNDLE_PAGE / sizeof(uint64_t))

void probe_main(void)
{
    uint64_t *vault = (uint64_t *)BUNDLE_VAULT_START;
    uint64_t last = probe_number(0), words = probe_number(1) * PAGE_WORDS, others = 0;
    uint64_t lives = words ? *vault : 0;

    for (uint64_t i = 0; i < words; i++) {
        others += vault[i] != lives;
        vault[i] = lives + 1;
    }
    EQUAL(others, 0);
    if (!others && lives + 1 < last)
        rt_shutdown(SHUTDOWN_crash);
    EQUAL(lives + 1, last);
}

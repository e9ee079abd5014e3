/* SPDX-License-Identifier: MIT */
/* What a guest is asked to do through control/ in the store. */
#ifndef BH_TOOLS_GUESTCTL_H
#define BH_TOOLS_GUESTCTL_H

#include <stdbool.h>
#include "tools/domlist.h"

/* Does it listen for this (poweroff, reboot, sysrq)? Linux says so in control/feature-WHAT. */
bool guestctl_listens(const struct bh_domain_info *d, const char *what);
/* Writes control/NODE: EXIT_OK, or EXIT_FAILED after a message. */
int guestctl_ask(const struct bh_domain_info *d, const char *node, const char *value);

#endif

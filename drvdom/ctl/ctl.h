/* SPDX-License-Identifier: MIT */
#ifndef BH_CTL_CTL_H
#define BH_CTL_CTL_H

/* Compares the hypervisor's list of domains with what we know, and starts those that may start. */
void ctl_scan(void);

#endif

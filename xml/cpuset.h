/* SPDX-License-Identifier: MIT */
/* Lists of CPUs 0 to 63 as libvirt and xl write them: 0-3,^2,5. */
#ifndef BH_XML_CPUSET_H
#define BH_XML_CPUSET_H

#include <stdint.h>

#define CPUSET_TEXT 200 /* bytes of the longest list that cpuset_text() writes */

/* The mask of a list; 0: it is none, or an empty one. */
uint64_t cpuset_parse(const char *text);
void cpuset_text(char text[CPUSET_TEXT], uint64_t set);

#endif

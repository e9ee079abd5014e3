/* SPDX-License-Identifier: MIT */
/* <domain>: the part of libvirt's domain XML that we support. */
#ifndef BH_XML_DOMXML_H
#define BH_XML_DOMXML_H

#include "xml/walk.h"

#define DOMXML_ATTRIBUTES "type id"

void domxml_read(struct walk *w, xmlNode *node, struct domcfg *d);
/* A domain's or host's name into name[64]. */
void domxml_name(struct walk *w, xmlNode *node, char *name);
/* Attribute cpuset, "0-3,^2,5": a mask of CPUs 0 to 63; 0: it is not there. */
uint64_t domxml_cpuset(struct walk *w, xmlNode *node);

#endif

/* SPDX-License-Identifier: MIT */
/* <domain>: the part of libvirt's domain XML that we support. */
#ifndef BH_XML_DOMXML_H
#define BH_XML_DOMXML_H

#include "xml/walk.h"

#define DOMXML_ATTRIBUTES "type id"

void domxml_read(struct walk *w, xmlNode *node, struct domcfg *d);
void domxml_free(struct domcfg *d);
/* A domain's or host's name into name[64]. */
void domxml_name(struct walk *w, xmlNode *node, char *name);

#endif

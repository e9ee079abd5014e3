/* SPDX-License-Identifier: MIT */
/* XML files, read with all that they include. */
#ifndef BH_XML_SOURCE_H
#define BH_XML_SOURCE_H

#include "xml/walk.h"

/*
 * The file at path, with the first element of another in the place of each <xi:include>; NULL: w
 * has the error. The files' paths are added to files, which walk_place() then names.
 */
xmlDoc *source_read(struct walk *w, const char *path, struct source **files);
void source_free(struct source *files);

#endif

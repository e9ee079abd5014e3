/* SPDX-License-Identifier: MIT */
/* Pages of a domain's memory, packed for the line (BH_CTL_READ_MEMORY, hyp/abi/link.h). */
#ifndef BH_CTL_PAGES_H
#define BH_CTL_PAGES_H

#include "hyp/abi/control.h"

/*
 * As many pages, from frame args->a on, as args->buffer takes of packed ones, one at least; read()
 * is BH_CONTROL_read_memory. args becomes what the client gets: 0, -XEN_ENOENT or read()'s error.
 */
long pages_read(struct bh_control *args, long (*read)(struct bh_control *page));

#endif

/* SPDX-License-Identifier: MIT */
#ifndef BH_ABI_VERSION_H
#define BH_ABI_VERSION_H

#define BH_VERSION "0.1"

#endif

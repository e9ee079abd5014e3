/* SPDX-License-Identifier: MIT */
/* What the objects of the store's vault are. */
#ifndef BH_XS_KINDS_H
#define BH_XS_KINDS_H

enum kind {
    KIND_NONE,
    KIND_STATE,
    KIND_BRANCH,
    KIND_NODE,
    KIND_NAMES,
    KIND_PERMS,
    KIND_TENANT,
    KIND_CONN,
    KIND_BYTES,
    KIND_WATCH,
    KIND_TRANSACTION,
    KIND_ACCESS,
    KIND_CHANGE,
};

#endif

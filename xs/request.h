/* SPDX-License-Identifier: MIT */
/*
 * One function for each type of request. Each sends its answer by request_reply() and returns 0, or
 * returns XEN_E* for an answer XS_ERROR. XEN_ENOMEM while vault.refused is set undoes the request.
 */
#ifndef BH_XS_REQUEST_H
#define BH_XS_REQUEST_H

#include "xs/state.h"

int request_reply(struct request *r, uint32_t type, const void *data, uint32_t len);
/* "OK". */
int request_ack(struct request *r, uint32_t type);

/* nodereq.c */
int request_directory(struct request *r);
int request_directory_part(struct request *r);
int request_read(struct request *r);
int request_write(struct request *r);
int request_mkdir(struct request *r);
int request_rm(struct request *r);
int request_get_perms(struct request *r);
int request_set_perms(struct request *r);

/* connreq.c */
int request_watch(struct request *r);
int request_unwatch(struct request *r);
int request_reset_watches(struct request *r);
int request_transaction_start(struct request *r);
int request_transaction_end(struct request *r);

/* domreq.c */
int request_introduce(struct request *r);
int request_release(struct request *r);
int request_get_domain_path(struct request *r);
int request_is_domain_introduced(struct request *r);
int request_resume(struct request *r);
int request_set_target(struct request *r);
/* The tenant, its nodes and its connection are gone, and who watches is told. */
int request_forget_domain(struct request *r, struct tenant *t);

/* Its watches and transactions go with it. */
void request_forget_conn(struct store *s, struct conn *c);
/* And its ring, when that is committed and before it is answered. */
void request_let_go(struct store *s, struct conn *c);

/* ctlreq.c */
int request_control(struct request *r);

#endif

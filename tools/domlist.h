/* SPDX-License-Identifier: MIT */
/* The domains of the host. */
#ifndef BH_TOOLS_DOMLIST_H
#define BH_TOOLS_DOMLIST_H

#include <stdbool.h>
#include "hyp/abi/bundle.h"
#include "hyp/abi/control.h"

struct domlist {
    struct bh_domain_info *list;
    unsigned n;
};

/* Those that the words name, each a number or a name; no words: all. False after a message. */
bool domlist_read(struct domlist *d, int argc, char **argv);
void domlist_free(struct domlist *d);
/* The one of that number or name. False after a message. */
bool domlist_find(const char *word, struct bh_domain_info *d);
/* The same without a message. */
bool domlist_look(const char *word, struct bh_domain_info *d);
/* A command for one domain: EXIT_OK, or EXIT_FAILED after a message "NAME: cannot DOING". */
int domlist_do(const struct bh_domain_info *d, const char *doing, uint32_t command, uint64_t a,
               uint64_t b);
int domlist_pause(const struct bh_domain_info *d);

/* building, loading, ready, running, paused, shutdown, crashed or zombie. */
const char *domlist_state(const struct bh_domain_info *d);
bool domlist_crashed(const struct bh_domain_info *d);
/* poweroff, reboot, suspend, crash, watchdog, soft-reset; "-" while it has none. */
const char *domlist_reason(const struct bh_domain_info *d);
/* guest, ctl, xs, blk or net. */
const char *domlist_class(const struct bh_domain_info *d);
#define DOMLIST_LETTERS 7
/* As xl shows it: "r-----"; one that runs is asked whether it is on a CPU now. */
void domlist_letters(const struct bh_domain_info *d, char letters[DOMLIST_LETTERS]);
#define DOMLIST_UUID 37
void domlist_uuid(const uint8_t uuid[16], char text[DOMLIST_UUID]);
/* A vCPU of it; false: it has gone. */
bool domlist_vcpu(const struct bh_domain_info *d, uint32_t vcpu, struct bh_vcpu_info *v);

#endif

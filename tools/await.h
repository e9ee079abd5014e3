/* SPDX-License-Identifier: MIT */
/* Waiting until a domain is in a state. */
#ifndef BH_TOOLS_AWAIT_H
#define BH_TOOLS_AWAIT_H

#include <stdbool.h>
#include <stdint.h>

enum await { AWAIT_REACHED, AWAIT_TIMEOUT, AWAIT_NEVER };

/*
 * Until the domain of that number or name is in one of the states, words of domlist_state() or
 * "gone", or "shutdown" for any end; state, when not NULL, becomes that word. events: from
 * events_open(), before whatever should bring it there. AWAIT_NEVER: its number has gone, which
 * no other domain will have.
 */
enum await await(int events, const char *word, char *const *states, uint64_t deadline,
                 const char **state);
bool await_is_state(const char *state);

#endif

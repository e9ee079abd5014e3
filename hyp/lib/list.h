/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked circular list. An unlinked node points to itself. */
#ifndef BH_LIB_LIST_H
#define BH_LIB_LIST_H

#include "hyp/lib/util.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}
/* Inserts n before pos; with pos the head, that is at the tail. */
static inline void list_add_tail(struct list *pos, struct list *n)
{
    n->prev = pos->prev;
    n->next = pos;
    pos->prev->next = n;
    pos->prev = n;
}
/* Removes n, which may be unlinked already. */
static inline void list_del(struct list *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    list_init(n);
}
/* All that is on from goes to the end of to; from is empty then. */
static inline void list_move_tail(struct list *to, struct list *from)
{
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_for_each(p, head)      for ((p) = (head)->next; (p) != (head); (p) = (p)->next)
#define list_for_each_safe(p, n, head)                                                             \
    for ((p) = (head)->next, (n) = (p)->next; (p) != (head); (p) = (n), (n) = (p)->next)

#endif

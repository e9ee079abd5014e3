// SPDX-License-Identifier: MIT
#include "tests/xs/known.h"
#include <stdlib.h>
#include <string.h>

enum {
    UNKNOWN_DOMAIN,
    ROOT_OWNER,
    SPECIAL_PERMS,
    RM_QUOTA,
    RELEASE_ORDER,
    COMMIT_EVENT,
    SAME_EVENT,
    LINES
};

static struct {
    const char *what, *why;
    unsigned met;
} table[LINES] = {
    [UNKNOWN_DOMAIN] =
        {"SET_PERMS by a domain, for one that the store does not know",
         "xenstored makes a record of each that exists; ours ignores the entry, so that "
         "a guest cannot fill its memory with records"},
    [ROOT_OWNER] = {"SET_PERMS of / that gives it to a domain",
                    "xenstored removes all nodes, / too, when that domain goes; ours keeps /"},
    [RELEASE_ORDER] = {"RELEASE: the answer before events that it causes",
                       "xenstored lets go of a connection later when it is the next to look at"},
    [SPECIAL_PERMS] = {"SET_PERMS by a domain, of @introduceDomain or @releaseDomain",
                       "xenstored means EACCES and answers what errno was before"},
    [RM_QUOTA] =
        {"RM in a transaction that may see no more nodes",
         "xenstored takes the quota, met half-way, for a broken store: EIO; ours says ENOSPC"},
    [COMMIT_EVENT] =
        {"TRANSACTION_END: an event for a domain, of a node that is new or gone",
         "whether it may know is asked of the node above; xenstored stores the nodes one by one, "
         "each with its events, and may ask before that one is as it is after the transaction"},
    [SAME_EVENT] =
        {"an event that the client has been sent for this request already",
         "xenstored drops it while the first has not left; ours has no queue when there is "
         "room in the ring"},
};

static bool introduced(const struct side *side, long domid)
{
    if (domid <= 0 || domid > client_domid(CLIENTS - 1))
        return domid == 0;
    const struct link *link = &side->links[CLIENT_DOM0 + domid];
    return link->up || link->dropped;
}

static bool names_unknown_domain(const struct side *side, const struct op *op)
{
    size_t at = strnlen(op->payload, op->len) + 1;
    if (op->type != XS_SET_PERMS || client_domid(op->client) <= 0)
        return false;
    for (; at < op->len; at += strlen(op->payload + at) + 1) {
        const char *number = op->payload + at + (op->payload[at] != 0);
        if (!introduced(side, strtol(number, NULL, 0)))
            return true;
    }
    return false;
}

static bool gives_root_away(const struct op *op)
{
    return op->type == XS_SET_PERMS && op->len > 3 && !memcmp(op->payload, "/", 2) &&
           strtol(op->payload + 3, NULL, 0) != 0;
}

bool known_leave_out(const struct side *side, const struct op *op)
{
    unsigned line = LINES;
    if (op->kind != OP_REQUEST)
        return false;
    if (names_unknown_domain(side, op))
        line = UNKNOWN_DOMAIN;
    else if (gives_root_away(op))
        line = ROOT_OWNER;
    else
        return false;
    table[line].met++;
    return true;
}

/* Whether client was sent nothing but this error. */
static bool is_error(const struct answers *answers, unsigned client, const char *error)
{
    const struct bytes *bytes = &answers->by_client[client];
    struct xsd_sockmsg header;
    if (bytes->len != sizeof(header) + strlen(error) + 1)
        return false;
    memcpy(&header, bytes->data, sizeof(header));
    return header.type == XS_ERROR && !strcmp(bytes->data + sizeof(header), error);
}

static bool special_perms(const struct op *op, const struct answers *theirs,
                          const struct answers *ours)
{
    return op->type == XS_SET_PERMS && op->payload[0] == '@' && client_domid(op->client) > 0 &&
           is_error(theirs, op->client, "EINVAL") && is_error(ours, op->client, "EACCES");
}

static bool rm_quota(const struct op *op, const struct answers *theirs, const struct answers *ours)
{
    return op->type == XS_RM && op->tx != TX_NONE && is_error(theirs, op->client, "EIO") &&
           is_error(ours, op->client, "ENOSPC");
}

static size_t size_at(const struct bytes *bytes, size_t at)
{
    struct xsd_sockmsg header;
    memcpy(&header, bytes->data + at, sizeof(header));
    return sizeof(header) + header.len;
}

/* Whether the message at this place is an event that came before; events of special watches count
 * each time. */
static bool is_repeated(const struct bytes *bytes, size_t at)
{
    struct xsd_sockmsg header;
    size_t size = size_at(bytes, at);
    memcpy(&header, bytes->data + at, sizeof(header));
    if (header.type != XS_WATCH_EVENT || bytes->data[at + sizeof(header)] == '@')
        return false;
    for (size_t i = 0; i < at; i += size_at(bytes, i)) {
        if (size_at(bytes, i) == size && !memcmp(bytes->data + i, bytes->data + at, size))
            return true;
    }
    return false;
}

static bool same_but_repeated(const struct bytes *theirs, const struct bytes *ours)
{
    size_t i = 0;
    for (size_t at = 0; at < ours->len; at += size_at(ours, at)) {
        size_t size = size_at(ours, at);
        if (is_repeated(ours, at))
            continue;
        if (theirs->len - i < size || memcmp(theirs->data + i, ours->data + at, size) != 0)
            return false;
        i += size;
    }
    return i == theirs->len;
}

static bool same_events(const struct answers *theirs, const struct answers *ours)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (!same_but_repeated(&theirs->by_client[i], &ours->by_client[i]))
            return false;
    }
    return true;
}

/* What a domain was sent of ours beside theirs are events of nodes. */
static bool commit_events(const struct op *op, const struct answers *theirs,
                          const struct answers *ours)
{
    if (op->type != XS_TRANSACTION_END)
        return false;
    for (unsigned c = 0; c < CLIENTS; c++) {
        const struct bytes *a = &theirs->by_client[c], *b = &ours->by_client[c];
        size_t i = 0;
        for (size_t at = 0, size; at < b->len; at += size) {
            struct xsd_sockmsg header;
            memcpy(&header, b->data + at, sizeof(header));
            size = size_at(b, at);
            if (a->len - i >= size && !memcmp(a->data + i, b->data + at, size))
                i += size;
            else if (header.type != XS_WATCH_EVENT || b->data[at + sizeof(header)] == '@' ||
                     client_domid(c) <= 0)
                return false;
        }
        if (i != a->len)
            return false;
    }
    return true;
}

/* The same when what was sent in answer comes first. */
static bool same_answer_first(const struct answers *theirs, const struct answers *ours,
                              unsigned client)
{
    const struct bytes *from = &ours->by_client[client];
    struct answers sorted = *ours;
    struct bytes bytes = {0};
    for (int events = 0; events < 2; events++) {
        for (size_t at = 0; at < from->len; at += size_at(from, at)) {
            struct xsd_sockmsg header;
            memcpy(&header, from->data + at, sizeof(header));
            if ((header.type == XS_WATCH_EVENT) == events)
                bytes_add(&bytes, from->data + at, size_at(from, at));
        }
    }
    sorted.by_client[client] = bytes;
    bool same = same_events(theirs, &sorted);
    free(bytes.data);
    return same;
}

bool known_difference(const struct op *op, const struct answers *theirs, const struct answers *ours)
{
    unsigned line = LINES;
    if (special_perms(op, theirs, ours))
        line = SPECIAL_PERMS;
    else if (rm_quota(op, theirs, ours))
        line = RM_QUOTA;
    else if (op->type == XS_RELEASE && same_answer_first(theirs, ours, op->client))
        line = RELEASE_ORDER;
    else if (same_events(theirs, ours))
        line = SAME_EVENT;
    else if (commit_events(op, theirs, ours))
        line = COMMIT_EVENT;
    else
        return false;
    table[line].met++;
    return true;
}

void known_print(void)
{
    for (unsigned i = 0; i < LINES; i++) {
        if (table[i].met)
            printf("    %u times: %s: %s\n", table[i].met, table[i].what, table[i].why);
    }
}

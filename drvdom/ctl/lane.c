/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/lane.h"

#include "hyp/lib/util.h"

static uint32_t theirs(const struct lane *l)
{
    return __atomic_load_n(l->theirs, __ATOMIC_ACQUIRE);
}

static void publish(struct lane *l, size_t n)
{
    l->at += (uint32_t)n;
    __atomic_store_n(l->ours, l->at, __ATOMIC_RELEASE);
}

size_t lane_write(struct lane *l, const void *bytes, size_t n)
{
    uint32_t used = l->at - theirs(l);
    const char *from = bytes;

    if (used > l->size) {
        l->bad++;
        return 0;
    }
    n = MIN(n, l->size - used);
    for (size_t i = 0; i < n; i++)
        l->bytes[(l->at + i) & (l->size - 1)] = from[i];
    publish(l, n);
    return n;
}

size_t lane_read(struct lane *l, void *bytes, size_t n)
{
    uint32_t end = theirs(l), have = end - l->at;
    char *to = bytes;

    if (have > l->size) { /* what was written is lost by its writer's doing: start afresh */
        l->bad++;
        l->at = end;
        have = 0;
    }
    n = MIN(n, have);
    for (size_t i = 0; i < n; i++)
        to[i] = READ_ONCE(l->bytes[(l->at + i) & (l->size - 1)]);
    publish(l, n);
    return n;
}

bool lane_waits(const struct lane *l)
{
    return theirs(l) != l->at;
}

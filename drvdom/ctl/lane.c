/* SPDX-License-Identifier: MIT */
#include "drvdom/ctl/lane.h"

#include "hyp/lib/util.h"

static uint32_t theirs(const struct lane *l)
{
    return __atomic_load_n(l->theirs, __ATOMIC_ACQUIRE);
}

static void publish(struct lane *l)
{
    __atomic_store_n(l->ours, l->at - l->kept, __ATOMIC_RELEASE);
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
    l->at += (uint32_t)n;
    publish(l);
    return n;
}

size_t lane_look(struct lane *l, void *bytes, size_t n)
{
    uint32_t end = theirs(l), have = end - l->at;
    char *to = bytes;

    if (have > l->size) { /* what was written is lost by its writer's doing: start afresh */
        l->bad++;
        l->at = end;
        l->kept = have = 0;
        publish(l);
    }
    n = MIN(n, have);
    for (size_t i = 0; i < n; i++)
        to[i] = READ_ONCE(l->bytes[(l->at + i) & (l->size - 1)]);
    l->at += (uint32_t)n;
    l->kept += (uint32_t)n;
    return n;
}

void lane_release(struct lane *l, uint32_t n)
{
    l->kept -= MIN(n, l->kept);
    publish(l);
}

size_t lane_read(struct lane *l, void *bytes, size_t n)
{
    n = lane_look(l, bytes, n);
    lane_release(l, (uint32_t)n);
    return n;
}

bool lane_waits(const struct lane *l)
{
    return theirs(l) != l->at;
}

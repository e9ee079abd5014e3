/* SPDX-License-Identifier: MIT */
#include "tools/events.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "hyp/abi/link.h"
#include "tools/bl.h"
#include "tools/host.h"

#define LONGEST_MS 86400000

uint64_t events_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int events_open(void)
{
    return host_stream(LINK_SERVICE_EVENTS, 0);
}

bool events_wait(int fd, uint64_t deadline)
{
    struct pollfd in = {fd, POLLIN, 0};
    char records[4096];
    int rc;

    do {
        uint64_t now = events_now(), left = deadline > now ? deadline - now : 0;
        int ms = deadline == EVENTS_FOREVER ? -1 : left > LONGEST_MS ? LONGEST_MS : (int)left;

        rc = poll(&in, 1, ms);
    } while (rc < 0 && errno == EINTR);
    if (rc <= 0)
        return false;
    if (read(fd, records, sizeof(records)) <= 0)
        exit(bl_fail("the connection to the host is lost; try again"));
    return true;
}

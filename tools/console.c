/* SPDX-License-Identifier: MIT */
#include "tools/console.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tools/bl.h"
#include "tools/rawmode.h"

#define NO_ESCAPE (-1)

enum end { GOES_ON, FROM_ENDED, TO_ENDED, ESCAPED }; /* of one way */
enum over { BY_KEY, BY_STREAM, BY_OUTPUT };          /* of both */

static bool put(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* What has come on from goes to to. */
static enum end pass(int from, int to, int escape)
{
    char buf[4096], *stop = NULL;
    ssize_t n = read(from, buf, sizeof(buf));

    if (n < 0 && errno == EINTR)
        return GOES_ON;
    if (n <= 0)
        return FROM_ENDED;
    if (escape != NO_ESCAPE)
        stop = memchr(buf, escape, (size_t)n);
    if (!put(to, buf, stop ? (size_t)(stop - buf) : (size_t)n))
        return TO_ENDED;
    return stop ? ESCAPED : GOES_ON;
}

/* Both ways. Where there is an escape key, an end of the input alone does not count. */
static enum over relay(int stream, int escape)
{
    struct pollfd fds[2] = {{stream, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};

    for (;;) {
        enum end end = GOES_ON;

        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents)
            end = pass(stream, STDOUT_FILENO, NO_ESCAPE);
        if (end != GOES_ON)
            return end == FROM_ENDED ? BY_STREAM : BY_OUTPUT;
        if (fds[1].revents)
            end = pass(STDIN_FILENO, stream, escape);
        if (end == FROM_ENDED && escape != NO_ESCAPE)
            fds[1].fd = -1;
        else if (end != GOES_ON)
            return end == TO_ENDED ? BY_STREAM : BY_KEY;
    }
}

void console_relay(int stream)
{
    relay(stream, NO_ESCAPE);
}

int console_attach(int stream, const char *name)
{
    enum over by;
    int why;

    rawmode_begin(false);
    by = relay(stream, CONSOLE_ESCAPE);
    why = errno;
    rawmode_end();
    close(stream);
    if (by == BY_OUTPUT)
        return bl_fail("the output: %s", strerror(why));
    if (isatty(STDIN_FILENO))
        putchar('\n');
    if (by == BY_STREAM)
        fprintf(stderr, "%s: its console has ended\n", name);
    return EXIT_OK;
}
